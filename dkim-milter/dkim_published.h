#ifndef DKIM_DKIM_PUBLISHED_H
#define DKIM_DKIM_PUBLISHED_H

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/dns/dns.h"
#include "dkim-milter/dkim_keys.h"
#include "dkim-milter/dkim_rotation.h"

/*
 * Whether the keys that sign are those that the DNS tells everybody. A signature with a key that
 * is not published, or another one, fails everywhere, and nobody tells the sender.
 */

/* What follows from an answer. */
struct dkim_published_finding {
    bool fits;
    bool unknown; /* the DNS did not say, or memory is short */
    enum dkim_sight sight;
    enum am_log_level level;
    const char *sentence; /* NULL: it fits, and there is nothing to say */
};

/*
 * Compares a key with what was found under its name. Pure.
 * Ownership: `arena`; without memory the sentence says so.
 */
struct dkim_published_finding dkim_published_judge(struct am_arena *arena,
                                                   const struct dkim_signing_key *key,
                                                   const struct am_dns_answer *answer);

/* Most keys that are compared; a site with more has other means. */
#define DKIM_PUBLISHED_MAX 1000

/* A comparison in the background. */
struct dkim_published;

/*
 * Begins to look up all keys, some at a time, on a thread of its own, and to log what does not
 * fit. The thread ends when all have been compared.
 *
 * Returns: NULL when there is nothing to compare, or when memory or threads are short, which is
 *   logged: it is no reason not to sign.
 * Ownership: stopped with dkim_published_stop() before `keys` and `resolver` go. Blocking: never.
 */
struct dkim_published *dkim_published_start(const struct dkim_keys *keys,
                                            struct am_resolver *resolver,
                                            const struct am_clock *clock);

/* Ends the thread, without waiting for answers. NULL is allowed. */
void dkim_published_stop(struct dkim_published *published);

#endif
