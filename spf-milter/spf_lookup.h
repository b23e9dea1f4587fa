#ifndef SPF_SPF_LOOKUP_H
#define SPF_SPF_LOOKUP_H

#include "spf-milter/spf_check.h"

/*
 * The look-ups of one evaluation: each question is asked once, and everything
 * asked is released with the arena. Whether a look-up was foreseen or needed
 * makes no difference to its answer, so prefetching cannot change a result.
 */

/* What a TXT answer holds for SPF (RFC 7208 section 4.5). */
enum spf_selection {
    SPF_SELECT_UNREAD, /* not looked at yet */
    SPF_SELECT_RECORD,
    SPF_SELECT_NONE,
    SPF_SELECT_SEVERAL,
    SPF_SELECT_TOO_LONG,
    SPF_SELECT_SYNTAX,
    SPF_SELECT_DUPLICATE,
    SPF_SELECT_MEMORY,
};

struct spf_lookup {
    struct spf_lookup *next;
    const char *name; /* presentation form, printable */
    struct am_dns_query *query;
    const struct am_dns_answer *answer; /* NULL while under way */
    enum am_dns_type type;
    uint32_t hash;
    bool foreseen; /* prefetched: its answer is followed as soon as it comes */
    bool followed;

    enum spf_selection selection; /* of a TXT answer, once read */
    struct spf_record record;
    struct am_span bad; /* the term that is wrong */
};

/* Most look-ups that are started before it is known that they are needed. */
#define SPF_PREFETCH_MAX 20

/*
 * Starts a look-up, or finds the one that was started before.
 *
 * Returns: NULL when memory is short.
 * Blocking: never.
 */
struct spf_lookup *spf_lookup_start(struct spf_check *check, const struct spf_name *name,
                                    enum am_dns_type type);

/* The same for a name in presentation form, as the DNS gave it. */
struct spf_lookup *spf_lookup_start_text(struct spf_check *check, const char *name,
                                         enum am_dns_type type);

/* Waits for the answer. Never NULL. Blocking: until the deadline of the check at most. */
const struct am_dns_answer *spf_lookup_wait(struct spf_check *check, struct spf_lookup *lookup);

/*
 * Waits until a look-up of the set has its answer.
 *
 * set: those of the `count` entries that are not NULL; the one that is
 *   taken is put into `*taken` and its entry set to NULL.
 * Returns: its index, or `count` when none was left.
 * Blocking: until the deadline of the check at most.
 */
size_t spf_lookup_next(struct spf_check *check, struct spf_lookup **set, size_t count,
                       struct spf_lookup **taken);

/* Reads the SPF record out of a TXT answer that has come; later calls return the same. */
enum spf_selection spf_lookup_select(struct spf_check *check, struct spf_lookup *lookup);

/* Tells whether an answer says "no such thing": NODATA or NXDOMAIN. */
static inline bool spf_answer_is_void(const struct am_dns_answer *answer)
{
    return answer->outcome == AM_DNS_NODATA || answer->outcome == AM_DNS_NXDOMAIN;
}

/* Tells whether an answer is a failure of the DNS: SERVFAIL, time-out, unusable. */
static inline bool spf_answer_is_failure(const struct am_dns_answer *answer)
{
    return answer->outcome != AM_DNS_OK && !spf_answer_is_void(answer);
}

/*
 * Ends the evaluation as temperror after a failure of the DNS (RFC 7208 section 5);
 * an unusable answer counts as one: it says nothing about the domain's policy.
 */
enum spf_result spf_lookup_failed(struct spf_check *check, const struct spf_lookup *lookup);

#endif
