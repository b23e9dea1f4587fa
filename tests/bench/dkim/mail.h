#ifndef AM_TESTS_BENCH_DKIM_MAIL_H
#define AM_TESTS_BENCH_DKIM_MAIL_H

#include <stdio.h>

#include "common/base/arena.h"
#include "dkim-milter/dkim_sign.h"

/* The mails that everything here works on. */

#define BENCH_DOMAIN "example.com"
#define BENCH_SELECTOR "bench"

/* What an MTA hands to a milter in one piece: Postfix's MILTER_CHUNK_SIZE. */
#define BENCH_CHUNK 65535

/* Most header fields of a mail. */
#define BENCH_FIELDS_MAX 16

/* One mail, as a milter gets it: LF in folds, CRLF in the body. */
struct bench_mail {
    struct {
        struct am_span name, value;
    } fields[BENCH_FIELDS_MAX];
    size_t field_count;
    struct am_span body;
};

/*
 * Makes a mail without signature.
 *
 * size: octets of the body, about.
 * Returns: false when memory is short. Ownership: `arena`.
 */
bool bench_mail_make(struct bench_mail *mail, struct am_arena *arena, size_t size) AM_MUST_USE;

/*
 * Says how mails are signed: relaxed/relaxed, the default list of fields.
 * Returns: false with a sentence. Ownership: `arena`.
 */
bool bench_mail_request(struct dkim_sign_request *request, struct am_arena *arena,
                        const struct dkim_private_key *key, struct am_problem *problem) AM_MUST_USE;

/*
 * Makes the same mail with our signature on top.
 * Returns: false with a sentence. Ownership: `arena`.
 */
bool bench_mail_sign(struct bench_mail *to, const struct bench_mail *mail, struct am_arena *arena,
                     const struct dkim_private_key *key, struct am_problem *problem) AM_MUST_USE;

/* Writes a mail as a file has it: CRLF everywhere. Returns false on an error of the file. */
bool bench_mail_write(const struct bench_mail *mail, FILE *file) AM_MUST_USE;

/* Returns the key's record as a line of a zone, or NULL. Ownership: `arena`. */
const char *bench_mail_zone(struct am_arena *arena, const struct dkim_private_key *key);

#endif
