#ifndef AM_TESTS_BENCH_DKIM_SUBJECT_H
#define AM_TESTS_BENCH_DKIM_SUBJECT_H

#include "tests/bench/dkim/mail.h"

/*
 * What is timed: verifying or signing one mail again and again.
 *
 * The bare work is what nobody can do without: the relaxed header fields that are signed, the
 * relaxed body, SHA-256 over both, one RSA operation. It canonicalises with the engine's own span
 * functions, and hashes and signs with plain OpenSSL: all contexts and the key are made beforehand,
 * the signature field is read beforehand, memory is taken beforehand. The engine does all that a
 * message needs: takes and indexes the header, reads or writes the signature, looks the key record
 * up (in a zone in memory), reads it and finds its key in the cache.
 */
struct bench_subject {
    const char *name;

    /*
     * Makes ready.
     *
     * mail: signed, with the signature on top. key: that it was signed with.
     * Returns: NULL with a sentence. Ownership: goes back with close().
     */
    void *(*open)(const struct bench_mail *mail, const struct dkim_private_key *key,
                  struct am_problem *problem);

    /* Does it once. Returns false when it came out wrong. */
    bool (*run)(void *state);

    /* Gives everything back. */
    void (*close)(void *state);
};

extern const struct bench_subject bench_bare_verify, bench_bare_sign;
extern const struct bench_subject bench_engine_verify, bench_engine_sign;

#endif
