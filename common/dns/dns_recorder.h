#ifndef AM_DNS_DNS_RECORDER_H
#define AM_DNS_DNS_RECORDER_H

#include "common/dns/dns_recording.h"

/*
 * Makes a resolver that asks another one and writes down each answer that is waited for. What
 * is asked ahead and never waited for is no part of the evaluation, and not written down.
 *
 * inner, recording: outlive it; not owned; without a recording (NULL) nothing is written down.
 * Returns: NULL when memory is short. Freed with am_resolver_free(). Threads: one at a time; they
 * may change between calls.
 */
struct am_resolver *am_dns_recorder_new(struct am_resolver *inner,
                                        struct am_dns_recording *recording) AM_MUST_USE;

/* Has such a resolver write to another recording from now on, also what was asked before; or to
 * none. */
void am_dns_recorder_turn(struct am_resolver *recorder, struct am_dns_recording *recording);

#endif
