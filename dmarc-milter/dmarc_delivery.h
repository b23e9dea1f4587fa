#ifndef DMARC_DELIVERY_H
#define DMARC_DELIVERY_H

#include "common/base/arena.h"
#include "dmarc-milter/dmarc_db.h"

/*
 * Reports on their way: one delivery for each address that a rua names. Who sends one claims it
 * first, so that of two processes one does; a claim is good for an hour, after which it is taken
 * for that of a process that died. What fails is tried again after a quarter of an hour, then
 * after twice as long each time, and is given up after DMARC_DELIVERY_ATTEMPTS_MAX tries.
 */
#define DMARC_DELIVERY_ATTEMPTS_MAX 8
#define DMARC_DELIVERY_CLAIM_S 3600
#define DMARC_DELIVERY_RETRY_S 900

struct dmarc_delivery {
    int64_t id, report;
    const char *policy_domain;
    int64_t day;
    const char *report_id, *receiver, *file;
    int64_t records, messages;
    struct am_span content; /* compressed XML */
    const char *address;    /* as rua has it */
    int64_t attempts;       /* so far; the claim counts one */
};

/* What became of a try. */
enum dmarc_delivery_state {
    DMARC_DELIVERY_SENT,
    DMARC_DELIVERY_REFUSED, /* who is named has not agreed: not tried again */
    DMARC_DELIVERY_WAITING, /* to be tried again */
    DMARC_DELIVERY_GIVEN_UP,
};

/* Which ones are wanted. */
struct dmarc_delivery_filter {
    int64_t now_s;
    int64_t day;        /* -1 = any */
    const char *domain; /* NULL = any */
};

/*
 * Finds the next delivery that is due, and claims it.
 *
 * Returns: false with a sentence. `*found`: whether there is one. Ownership: `arena`.
 */
bool dmarc_delivery_claim(struct dmarc_db *db, const struct dmarc_delivery_filter *filter,
                          struct am_arena *arena, struct dmarc_delivery *delivery, bool *found,
                          struct am_problem *problem) AM_MUST_USE;

/* What is written down about a try. */
struct dmarc_delivery_end {
    enum dmarc_delivery_state state; /* WAITING becomes GIVEN_UP after the last try */
    const char *addresses;           /* who got it, separated by blanks; "" = nobody */
    const char *reason;              /* one sentence, or "" */
    int64_t now_s;
    int64_t next_try_s; /* is set here: when WAITING comes again */
};

/* Ends the claim. Returns false with a sentence. */
bool dmarc_delivery_end(struct dmarc_db *db, const struct dmarc_delivery *delivery,
                        struct dmarc_delivery_end *end, struct am_problem *problem) AM_MUST_USE;

/* Tells in `*has` whether a report went to an address before. Returns false with a sentence. */
bool dmarc_delivery_has(struct dmarc_db *db, int64_t report, const char *address, bool *has,
                        struct am_problem *problem) AM_MUST_USE;

/* Returns the word of a state: "sent", "refused", "waiting", "given_up". */
const char *dmarc_delivery_word(enum dmarc_delivery_state state);

/* Counts deliveries that are to come. Returns false with a sentence. */
bool dmarc_delivery_count(struct dmarc_db *db, int64_t *count,
                          struct am_problem *problem) AM_MUST_USE;

/*
 * Drops the content of reports with nothing left to send, and what is known of reports that were
 * made more than 60 days ago. Returns false with a sentence.
 */
bool dmarc_delivery_tidy(struct dmarc_db *db, int64_t now_s,
                         struct am_problem *problem) AM_MUST_USE;

#endif
