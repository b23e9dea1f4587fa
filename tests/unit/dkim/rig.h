#ifndef TESTS_UNIT_DKIM_RIG_H
#define TESTS_UNIT_DKIM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_verify.h"
#include "tests/support/dkim/hand_signer.h"

/*
 * Verification of messages that a test writes and signs, against a resolver whose answers are
 * scripted and take time on a clock of their own: nothing sleeps.
 */

#define RIG_ANSWERS_MAX 1200
#define RIG_FIELDS_MAX 1200

/* What the DNS says about one name. */
struct rig_answer {
    char name[320];
    struct am_dns_answer answer;
    struct am_dns_record records[3];
    char *text; /* what the records point to */
    unsigned asked;
};

struct rig {
    struct am_arena *arena;
    struct am_clock clock;
    struct am_resolver resolver;
    int64_t now_us, wall_s;
    int64_t delay_us;        /* of every answer */
    unsigned queries, waits; /* look-ups started; times the clock had to go on */
    struct rig_query *alive;
    struct rig_answer *answers;
    size_t answer_count;

    struct dkim_limits limits;
    struct dkim_verify_env env;

    /* The message, top first. */
    struct hand_field *fields;
    size_t field_count;
    struct am_buf body;
};

/* 2026-01-01, one day as good as another. */
#define RIG_NOW INT64_C(1767225600)

/* Makes a rig with default limits and without a message. Aborts when memory is short. */
void rig_init(struct rig *rig);

/* Frees it. */
void rig_fini(struct rig *rig);

/* --- the DNS --- */

/* Sets what the DNS says about SELECTOR._domainkey.DOMAIN; `text` with AM_DNS_OK only. */
void rig_publish(struct rig *rig, const char *selector, const char *domain,
                 enum am_dns_outcome outcome, const char *text);

/* Publishes a key: "v=DKIM1; k=...; EXTRA p=...". */
void rig_publish_key(struct rig *rig, const char *selector, const char *domain,
                     const struct dkim_private_key *key, const char *extra);

/* The same name, one more record. */
void rig_publish_again(struct rig *rig, const char *text);

/* Returns how often a name was asked for. */
unsigned rig_asked(const struct rig *rig, const char *selector, const char *domain);

/* --- keys --- */

/* The same as hand_key(). */
const struct dkim_private_key *rig_key(unsigned bits);

/* --- the message --- */

/* Forgets the message. */
void rig_clear(struct rig *rig);

/* Adds a field at the bottom; `value` is all behind the colon. */
void rig_add(struct rig *rig, const char *name, const char *value);

/* Adds one at the top. */
void rig_add_top(struct rig *rig, const char *name, const char *value);

/* Sets the body, CRLF at line ends. */
void rig_body(struct rig *rig, const char *text);

/* A mail from author@example.org with To, Subject and a short body. */
void rig_usual(struct rig *rig);

/* Signs the message as it stands, as hand_sign() does, and puts the field on top. */
void rig_add_signature(struct rig *rig, const struct dkim_private_key *key,
                       const char *const *changes);

/*
 * Verifies the message in a fresh arena, the body in chunks of `chunk` octets (0: in one).
 * Returns: the report, valid until the next call; NULL when memory was short.
 */
const struct dkim_report *rig_verify(struct rig *rig, size_t chunk);

/* Verifies and returns the reason of signature `index`. */
enum dkim_reason rig_reason(struct rig *rig, size_t index);

#endif
