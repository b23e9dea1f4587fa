#ifndef DKIM_DKIM_VERIFY_H
#define DKIM_DKIM_VERIFY_H

#include "common/base/clock.h"
#include "common/dns/dns.h"
#include "dkim-milter/dkim_fields.h"
#include "dkim-milter/dkim_reason.h"
#include "dkim-milter/dkim_signature.h"

/*
 * Verification of one message (RFC 6376 section 6) as it flows:
 *
 *     struct dkim_fields *fields = ...;            -- every header field, top first
 *     struct dkim_verifier *verifier = engine->start(&env, fields);
 *     while (engine->wants_body(verifier) && chunk comes)
 *         engine->body(verifier, chunk);
 *     const struct dkim_report *report = engine->finish(verifier);
 *
 * start() parses the signatures, chooses which are evaluated and starts all their
 * key look-ups at once; they run while the body flows. Memory does not depend on
 * the body's size, and everything lives in the arena of the environment.
 */

/* What one message may cost. */
struct dkim_limits {
    size_t max_signatures;   /* evaluated; those aligned with From first, then from the top */
    size_t max_keys;         /* different key records looked up */
    size_t max_signed_names; /* names in one h= */
    unsigned min_key_bits;   /* RSA; 1024 or more (RFC 8301 section 3.2) */
    int64_t clock_skew_s;    /* how far t= may lie in the future */
};

/* The defaults: 10 signatures, 10 keys, 5000 names, 1024 bits, 300 seconds. */
extern const struct dkim_limits dkim_limits_default;

struct dkim_key_cache;

/* What a verification works with. Must outlive it. */
struct dkim_verify_env {
    struct am_arena *arena;
    struct am_resolver *resolver;
    const struct am_clock *clock;
    struct dkim_key_cache *keys; /* parsed public keys; NULL: none are kept */
    const struct dkim_limits *limits;
    bool partial_body_passes;   /* an l= that leaves content unsigned is no reason for `policy` */
    bool header_only;           /* the body is taken for what was signed, and never wanted */
    bool headers_cut;           /* the MTA or a limit kept fields from us: nothing can pass */
    int64_t lookup_deadline_us; /* by which key look-ups end */
};

/* What became of one signature. */
struct dkim_outcome {
    enum dkim_result result;
    enum dkim_reason reason;            /* DKIM_REASON_NONE with a clean pass */
    const struct dkim_signature *parts; /* as far as it could be read; members that could not are
                                           empty */
    size_t field;                       /* number of the DKIM-Signature field in `fields`, from 0 */
    bool evaluated;           /* false: beyond a limit, or wrong before anything was tried */
    bool aligned;             /* d= and the author domain agree */
    bool testing;             /* the key record has t=y */
    bool secure;              /* the key came with DNSSEC, says a trusted server */
    unsigned key_bits;        /* 0: no key seen */
    uint64_t unsigned_octets; /* canonical octets of the body beyond l= */
    enum am_dns_outcome dns;  /* of the key look-up; AM_DNS_OK when none was made */
    bool body_hashed;         /* body_hash is filled */
    uint8_t body_hash[32];    /* of the body as it came */
};

/* All of a message. Outcomes stand in the order of the fields. */
struct dkim_report {
    const struct dkim_outcome *outcomes;
    size_t count;          /* at most DKIM_OUTCOMES_MAX */
    size_t more;           /* signatures beyond that, not even listed */
    struct am_span author; /* the domain of From; empty when there is no usable one */
    bool several_from;     /* more than one From field: nothing passes */
    enum dkim_result best; /* the message's: see dkim_report_best() */
    bool aligned_pass;     /* some signature passes and is aligned */
};

/* Most signatures of a message that are listed. */
#define DKIM_OUTCOMES_MAX 50

struct dkim_verifier;

/* An engine: ours, or a peer in tests and benchmarks. */
struct dkim_engine {
    const char *name;

    /*
     * Begins with the complete header of a message.
     * Returns: NULL when memory is short.
     * Ownership: lives in env->arena, and so does all it gives out. Blocking: never.
     */
    struct dkim_verifier *(*start)(const struct dkim_verify_env *env,
                                   const struct dkim_fields *fields);

    /* Tells whether a further chunk of the body can change anything. */
    bool (*wants_body)(const struct dkim_verifier *verifier);

    /* Takes the next octets of the body, CRLF at line ends. Blocking: never. */
    void (*body)(struct dkim_verifier *verifier, struct am_span chunk);

    /*
     * Ends the message. Waits for keys, until env->lookup_deadline_us at most.
     * Returns: the report, never NULL.
     */
    const struct dkim_report *(*finish)(struct dkim_verifier *verifier);
};

/* Ours. */
extern const struct dkim_engine dkim_engine_builtin;

/* Returns an engine of this build by its name, or NULL. */
const struct dkim_engine *dkim_engine_find(const char *name);

/*
 * Returns a message's result from those of its signatures: pass if any passes; else temperror
 * if any; else the first of fail, policy, permerror, neutral that any has; none for none at all.
 */
enum dkim_result dkim_report_best(const struct dkim_outcome *outcomes, size_t count);

/* The same from the set of results (bits 1 << enum dkim_result) that were seen. */
enum dkim_result dkim_report_best_of(unsigned seen);

/*
 * Tells whether a signing domain and an author domain agree: equal, one below the other,
 * the upper one with at least two labels. Both as lower-case A-labels.
 */
bool dkim_is_aligned(struct am_span signing, struct am_span author);

#endif
