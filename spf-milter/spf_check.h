#ifndef SPF_SPF_CHECK_H
#define SPF_SPF_CHECK_H

#include "common/base/arena.h"
#include "spf-milter/spf.h"
#include "spf-milter/spf_record.h"

/* The state of one evaluation, shared by the files of the engine and by nobody else. */

/* Longest name that is asked (RFC 7208 section 7.3). */
#define SPF_NAME_MAX 253

/* A domain name as the octets it expanded to; in the arena, followed by a NUL. */
struct spf_name {
    const char *text;
    size_t len;
};

/* A record being evaluated; the innermost one hangs on the check. */
struct spf_frame {
    struct spf_frame *outer;
    const struct spf_name *domain;
    const struct spf_record *record;
    const char *shown; /* the domain, printable */
    unsigned depth;
    bool outermost; /* the first record, or what it redirects to: its exp= counts */
    bool prefetched;
};

struct spf_lookup;
struct spf_ptr;

struct spf_check {
    struct am_arena *arena;
    struct spf_request request;    /* limits without zeroes */
    struct am_span sender;         /* %{s} */
    struct am_span local;          /* %{l} */
    struct spf_name sender_domain; /* %{o}, and the first <domain> */
    struct spf_name helo;          /* %{h} */
    bool local_is_ascii;           /* RFC 8616 section 4 */

    struct spf_lookup *lookups; /* every look-up, newest first */
    struct spf_lookup *first;   /* of the first record; NULL with a given record */
    unsigned prefetched;
    struct spf_frame *frame;
    struct spf_ptr *ptr;  /* the client's names, once asked */
    struct am_span *path; /* the terms that led to the decision, outermost first */
    size_t path_count;
    bool memory_short; /* an allocation failed: the evaluation ends as temperror */
    bool any_answer, all_secure;

    struct spf_step *steps;
    size_t step_capacity;
    struct spf_outcome outcome;
};

/* The octets of a name. */
static inline struct am_span spf_name_span(const struct spf_name *name)
{
    return am_span_of(name->text, name->len);
}

/* Copies `text` into the arena as a name. Returns false, and notes it, when memory is short. */
bool spf_name_set(struct spf_check *check, struct spf_name *name, struct am_span text);

/*
 * Tells whether check_host() may be called with this name: labels of 1..63
 * octets, at least two of them, 253 octets at most (RFC 7208 section 4.3).
 */
bool spf_name_is_usable(const struct spf_name *name);

/* Copies text with everything but printable ASCII replaced by '?'. Returns NULL when memory is
 * short. */
const char *spf_printable(struct am_arena *arena, struct am_span text);

/* Copies an address with control characters replaced by '?'. Returns NULL when memory is short. */
const char *spf_shown_address(struct am_arena *arena, struct am_span text);

/*
 * Like spf_printable(), at most 100 octets, a cut marked by "...": for names inside reasons.
 * Returns "?" when memory is short.
 */
const char *spf_shown(struct am_arena *arena, struct am_span text);

/* Ends an evaluation: sets limit and reason unless an earlier call did. Returns `result`. */
enum spf_result spf_check_end(struct spf_check *check, enum spf_result result, enum spf_limit limit,
                              const char *format, ...) AM_PRINTF(4, 5);

/* Ends an evaluation because memory is short. Returns SPF_TEMPERROR. */
enum spf_result spf_check_end_memory(struct spf_check *check);

/* Takes the budgets' defaults where `limits` has zeroes. */
struct spf_limits spf_limits_complete(struct spf_limits limits);

#endif
