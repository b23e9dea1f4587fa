#ifndef AUTHMILTER_TOOL_KEY_H
#define AUTHMILTER_TOOL_KEY_H

#include "common/base/clock.h"
#include "common/dns/dns.h"
#include "dkim-milter/dkim_key_record.h"

/* DKIM keys as the commands meet them: in files and in the DNS. */

/*
 * Reads a private key from its file.
 *
 * Returns: NULL with a sentence that names the file.
 * Ownership: freed with dkim_private_key_free(). Blocking: on the file.
 */
struct dkim_private_key *tool_key_load(const char *path, struct am_problem *problem) AM_MUST_USE;

/* A published key, judged on its own. */
struct tool_record {
    const char *name; /* SELECTOR._domainkey.DOMAIN; NULL: not looked up */
    enum am_dns_outcome dns;
    size_t count;                           /* TXT records found; only a single one is read */
    bool secure;                            /* with DNSSEC, says a trusted server */
    struct am_span text;                    /* the record; empty without a single one */
    enum dkim_reason reason;                /* DKIM_REASON_NONE: a usable key */
    struct dkim_key_record parsed;          /* flags and type; see dkim_key_record_parse() */
    struct am_span hashes, services, notes; /* h=, s= and n= as written; empty when not there */
    struct dkim_public_key *key;            /* NULL when there is none */
    unsigned bits;                          /* 0 without key */
};

/*
 * Looks a key up.
 *
 * domain, selector: A-labels.
 * Returns: false when memory is short.
 * Ownership: all of it lives in `arena`. Blocking: until deadline_us at most.
 */
bool tool_record_find(struct tool_record *record, struct am_arena *arena,
                      struct am_resolver *resolver, const char *domain, const char *selector,
                      int64_t deadline_us) AM_MUST_USE;

/* Returns what a name's look-up brought in words: "found", "there is no such name", ... */
const char *tool_record_dns_text(const struct tool_record *record);

/* Returns "not DNSSEC signed (fine)" or that it is validated. */
const char *tool_record_security_text(const struct tool_record *record);

#endif
