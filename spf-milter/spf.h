#ifndef SPF_SPF_H
#define SPF_SPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/ip.h"
#include "common/base/span.h"
#include "common/dns/dns.h"
#include "common/mail/address.h"

/*
 * The SPF engine: RFC 7208 with its verified errata and RFC 8616. It does no
 * input or output of its own: resolver and clock come in, a value goes out. The
 * milter, the command-line tool, the tests and the fuzzers run this same code.
 *
 * Threads: one at a time per check; different checks in parallel.
 */

enum spf_result {
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
};
#define SPF_RESULT_COUNT 7

enum spf_identity {
    SPF_MAILFROM, /* RFC 7208 section 2.4; with a null sender "postmaster@" HELO */
    SPF_HELO,     /* RFC 7208 section 2.3 */
};

/*
 * The named work budgets; a zero member takes the default in brackets.
 *
 * RFC 7208 section 4.6.4 limits "the number of terms for which DNS queries return"
 * nothing, so a term counts once however many of its look-ups were void: a
 * domain whose three mail servers have no IPv6 address does not fail by that alone.
 */
struct spf_limits {
    unsigned terms; /* terms that cause DNS look-ups, over the whole evaluation [10], at most 100 */
    unsigned voids; /* terms whose look-ups end in NODATA or NXDOMAIN [2] */
    unsigned mx_names;     /* names of one mx term [10] */
    unsigned ptr_names;    /* names of one ptr term or %{p} [10] */
    unsigned record_bytes; /* longest record that is read [65535] */
};

/* Which budget ended an evaluation. */
enum spf_limit {
    SPF_LIMIT_NONE,
    SPF_LIMIT_TERMS,
    SPF_LIMIT_VOIDS,
    SPF_LIMIT_MX_NAMES,
    SPF_LIMIT_RECORD,
    SPF_LIMIT_TIME,
    SPF_LIMIT_MEMORY,
};

struct spf_request {
    enum spf_identity identity;
    struct am_ip client;      /* family 0 gives SPF_NONE */
    struct am_span helo;      /* as the client said it */
    struct am_address sender; /* envelope sender */
    const char *receiver;     /* %{r}: our name; NULL = "unknown" */
    struct am_resolver *resolver;
    const struct am_clock *clock;
    int64_t deadline_us; /* absolute monotonic time */
    struct spf_limits limits;
    bool prefetch;         /* start look-ups of terms before it is known that they are needed */
    bool want_explanation; /* fetch and expand exp= on fail */
    const char *record;    /* evaluate this text in place of the first record; NULL = ask the DNS */
    const char *default_explanation; /* used when a fail has no usable exp=; NULL = none */
};

/*
 * One step of the evaluation, in the order it was taken. Steps hold what was
 * seen, not text: most of them are never shown (spf_step_dns() formats one).
 */
struct spf_step {
    unsigned depth;        /* 0 in the first record, 1 in an include or redirect of it, ... */
    const char *domain;    /* whose record, printable */
    struct am_span term;   /* as written: "include:_spf.example.net", "redirect=..."; "record" and
                              "exp" for those look-ups */
    const char *target;    /* the name that was asked, printable; NULL = nothing asked */
    enum am_dns_type type; /* what was asked for, when `answer` is set */
    const struct am_dns_answer *answer; /* what the DNS said; NULL = nothing asked */
    const char *outcome; /* "match", "no match", "pass", "void", an error in words, or the limit
                            that ended it */
    unsigned terms_used; /* of the ten, after this step */
    unsigned voids_used;
};

/* Writes what the DNS said in a step, in words and printable ASCII: "A 192.0.2.1 (+3)", "MX
 * nxdomain"; "" = nothing asked. */
void spf_step_dns(const struct spf_step *step, struct am_buf *out);

struct spf_outcome {
    enum spf_result result;
    enum spf_limit limit; /* what ended it, if a budget did */
    const char *domain;   /* the domain whose record was evaluated; "" when none could be */
    const char *sender;   /* the address that was checked: "postmaster@helo" for a null sender */
    const char *term; /* the term that matched, with the path to it: "include:x > ip4:192.0.2.0/24";
                         or NULL */
    const char *reason;      /* a short sentence in ASCII for errors, none and limits; or NULL */
    const char *explanation; /* of exp=, printable ASCII, at most 512 bytes; or NULL */
    unsigned terms_used, voids_used, queries; /* queries: look-ups started, cached or not */
    int64_t waited_us;                        /* time spent waiting for the DNS */
    bool secure; /* every answer used was DNSSEC-validated by the server */
    const struct spf_step *steps;
    size_t step_count;  /* bounded: at most 256 are kept */
    const char *record; /* the text of the first record, printable form; or NULL */
};

struct spf_check; /* an evaluation under way */

/*
 * Starts an evaluation: sends the first look-up and returns at once, so that
 * several evaluations (HELO and MAIL FROM) wait together.
 *
 * Returns: the check, or NULL when memory is short.
 * Ownership: lives as long as `arena`, which also releases its look-ups. `request` is copied; what
 * it points to must live as long as the check.
 */
struct spf_check *spf_check_start(struct am_arena *arena,
                                  const struct spf_request *request) AM_MUST_USE;

/*
 * Finishes an evaluation (check_host() of RFC 7208 section 4).
 *
 * Returns: the outcome, never NULL; also when memory ran out (SPF_TEMPERROR).
 * Blocking: until the deadline of the request at most.
 * Ownership: lives as long as the arena.
 */
const struct spf_outcome *spf_check_finish(struct spf_check *check);

/* Start and finish in one; never NULL. */
const struct spf_outcome *spf_evaluate(struct am_arena *arena, const struct spf_request *request);

/* Returns the result's word in RFC 7208 and 8601: "pass", "softfail", ... */
const char *spf_result_word(enum spf_result result);

/* Returns what a limit is called in reasons and logs: "10 DNS terms" style names without numbers.
 */
const char *spf_limit_word(enum spf_limit limit);

/*
 * An engine behind the same door, so that another one can be compared with it.
 */
struct spf_engine {
    const char *name; /* "builtin", "libspf2" */
    const struct spf_outcome *(*evaluate)(struct am_arena *arena,
                                          const struct spf_request *request);
};

/* Our own engine. */
extern const struct spf_engine spf_engine_builtin;

/* Returns an engine that was built in by its name, or NULL. */
const struct spf_engine *spf_engine_find(const char *name);

#endif
