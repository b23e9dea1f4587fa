#ifndef DKIM_DKIM_VERIFY_STATE_H
#define DKIM_DKIM_VERIFY_STATE_H

#include "dkim-milter/dkim_author.h"
#include "dkim-milter/dkim_body_hash.h"
#include "dkim-milter/dkim_verify.h"

/* What the files of the verifier share; nobody else includes it. */

/* A key record that is looked up, once however many signatures name it. */
struct dkim_lookup {
    const char *name;
    struct dkim_lookup *next;
    struct am_dns_query *query;
};

/* A signature on its way. */
struct dkim_task {
    struct dkim_outcome outcome;
    struct dkim_signature signature;
    const struct dkim_field *field;
    struct dkim_lookup *lookup;
    const struct dkim_body_request *body;
    uint8_t digest[DKIM_HASH_LEN]; /* of the header */
};

struct dkim_verifier {
    const struct dkim_verify_env *env;
    const struct dkim_fields *fields;
    struct dkim_author author;
    struct dkim_body_hash *body;
    struct dkim_lookup *lookups;
    size_t lookup_count;
    struct dkim_task *tasks;       /* in the order of the fields */
    struct dkim_outcome *outcomes; /* room for those of the report */
    size_t count, pending;         /* pending: those that may still pass */
    struct dkim_report report;
};

/* --- dkim_verify_choose.c --- */

/*
 * Fills verifier->tasks with the signatures that are listed, read, in the order of their fields,
 * and marks those that get evaluated: `evaluated` is set, the reason none. Returns: false when
 * memory is short.
 */
bool dkim_verify_choose(struct dkim_verifier *verifier) AM_MUST_USE;

/* --- dkim_verify_key.c --- */

/* Starts the look-up of a signature's key, or joins one under way. Blocking: never. */
enum dkim_reason dkim_verify_key_start(struct dkim_verifier *verifier, struct dkim_task *task);

/*
 * Waits for the key record and judges it; fills key_bits, testing, secure and dns of the outcome.
 *
 * Returns: DKIM_REASON_NONE with `*key`, the caller's to drop.
 * Blocking: until the look-up's deadline.
 */
enum dkim_reason dkim_verify_key_take(struct dkim_verifier *verifier, struct dkim_task *task,
                                      struct dkim_public_key **key);

#endif
