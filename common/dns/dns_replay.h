#ifndef AM_DNS_DNS_REPLAY_H
#define AM_DNS_DNS_REPLAY_H

#include "common/dns/dns_recording.h"

/*
 * Makes a resolver that answers from a recording, at once. What was not recorded has the outcome
 * AM_DNS_SERVFAIL, and stands in `missed` once it was looked at.
 *
 * recording: outlives it. missed: an initialised recording, or NULL. Returns: NULL when memory is
 * short. Freed with am_resolver_free(). Threads: one at a time.
 */
struct am_resolver *am_dns_replay_new(const struct am_dns_recording *recording,
                                      struct am_dns_recording *missed) AM_MUST_USE;

/*
 * Says where such a resolver looks for what its recording does not have.
 *
 * other: another recording, which outlives it. equals: tells whether a recorded name stands for one
 * that is asked for, where names are not recorded as they were; NULL = by their letters alone.
 */
void am_dns_replay_beside(struct am_resolver *replay, const struct am_dns_recording *other,
                          bool (*equals)(const char *recorded, const char *asked));

/* Gives such a resolver an arena that is freed with it, that of its recordings for instance. */
void am_dns_replay_own(struct am_resolver *replay, struct am_arena *arena);

#endif
