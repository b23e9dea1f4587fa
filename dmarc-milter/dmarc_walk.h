#ifndef DMARC_DMARC_WALK_H
#define DMARC_DMARC_WALK_H

#include "common/base/arena.h"
#include "common/dns/dns.h"
#include "dmarc-milter/dmarc_record.h"

/*
 * The tree walk (RFC 9989 section 4.10): which policy records stand at a name and above it, and
 * which name of them is its organisational domain. All names are lower-case A-labels without a
 * final dot.
 */

/* Most names that are asked for one domain, itself included. */
#define DMARC_WALK_MAX 8

/* What stands at one name. */
struct dmarc_name {
    struct dmarc_name *next;
    const char *domain;
    enum am_dns_outcome dns;
    size_t records; /* that begin with v=DMARC1; of several none counts */
    bool has_record;
    const char *text; /* of the record; NULL without one */
    struct dmarc_record record;
};

/*
 * All names that were asked for one message: none is asked twice. Set resolver, arena and
 * deadline_us, the rest is zero.
 */
struct dmarc_names {
    struct am_resolver *resolver;
    struct am_arena *arena;
    int64_t deadline_us;
    struct dmarc_name *first;
    unsigned queries;
    bool no_memory;
};

/*
 * Looks up what stands at a name.
 *
 * domain: must live as long as the arena.
 * Returns: NULL when memory is short. Ownership: `names->arena`.
 * Blocking: until the deadline at most. Threads: one at a time.
 */
const struct dmarc_name *dmarc_names_ask(struct dmarc_names *names, const char *domain);

/* Tells whether the DNS gave no answer that can be used. */
bool dmarc_name_failed(const struct dmarc_name *name);

/* The names of one walk, from the domain upwards. */
struct dmarc_walk {
    const char *domain;
    const struct dmarc_name *names[DMARC_WALK_MAX];
    size_t count;
    const struct dmarc_name *failed; /* the name the walk ended at for want of an answer; or NULL */
};

/*
 * Walks from a domain upwards until a record says psd=y or psd=n or no label is left. A domain of
 * eight or more labels is followed by its last seven.
 *
 * Returns: false when memory is short. Ownership: `names->arena`. Blocking: as dmarc_names_ask().
 */
bool dmarc_walk(struct dmarc_walk *walk, struct dmarc_names *names, const char *domain);

/*
 * Returns the organisational domain of a walk that did not fail (RFC 9989 section 4.10.2): the
 * domain itself when there is no record at all.
 */
const char *dmarc_walk_organisation(const struct dmarc_walk *walk);

/*
 * Returns where the policy of the walk's domain is found (RFC 9989 section 4.10.1): at the domain,
 * its organisational domain or its public suffix; NULL: there is none.
 */
const struct dmarc_name *dmarc_walk_policy(const struct dmarc_walk *walk);

#endif
