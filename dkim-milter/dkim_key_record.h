#ifndef DKIM_DKIM_KEY_RECORD_H
#define DKIM_DKIM_KEY_RECORD_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "common/dns/dns.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_reason.h"

/* A key record (RFC 6376 section 3.6.1, RFC 8463). */
struct dkim_key_record {
    enum dkim_key_type type; /* k=, else RSA */
    struct am_span octets;   /* p= decoded: for dkim_public_key_new() or a cache */
    bool testing;            /* t=y */
    bool strict;             /* t=s: the domain of i= must be equal to d= */
};

/*
 * Reads a key record: the text of one TXT record, its strings joined.
 *
 * An empty value is not the same as a missing tag (section 3.2): k=, h= and s= then match
 * nothing, t= holds no flag, p= is revoked. Flags, services, hashes and tags that are not known
 * are passed over, as are g= and n=.
 *
 * Returns: DKIM_REASON_NONE or one of DKIM_REASON_KEY_..., DKIM_REASON_MEMORY. The flags are set
 *   in every case but DKIM_REASON_KEY_SYNTAX and DKIM_REASON_KEY_VERSION; `octets` is empty on
 * failure. Ownership: `octets` lives as long as `arena`. Threads: any, one at a time per arena.
 */
enum dkim_reason dkim_key_record_parse(struct dkim_key_record *record, struct am_arena *arena,
                                       struct am_span text);

/*
 * Judges what the look-up of a key's name brought, before any record is read: there has to be
 * exactly one (RFC 6376 section 3.6.2.2).
 * Returns: DKIM_REASON_NONE, DKIM_REASON_KEY_NONE, DKIM_REASON_KEY_SEVERAL, DKIM_REASON_DNS_...
 */
enum dkim_reason dkim_key_answer_judge(const struct am_dns_answer *answer);

/*
 * Writes the record that belongs to a private key: "v=DKIM1; k=rsa; p=...".
 * Returns: NULL when memory is short. Ownership: `arena`.
 */
const char *dkim_key_record_write(struct am_arena *arena, const struct dkim_private_key *key);

#endif
