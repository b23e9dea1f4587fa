#ifndef SPF_SPF_RELAY_H
#define SPF_SPF_RELAY_H

#include "common/base/arena.h"
#include "common/base/ip.h"
#include "common/base/span.h"
#include "spf-milter/spf_exempt.h"

/*
 * Trusted relays: when a client is one, SPF is evaluated for the host that gave
 * it the message, found in the Received fields (RFC 5321 section 4.4). The top one was
 * written by the client itself. While the host it names is a trusted relay too (or
 * the relay talked to itself over loopback), the next field was written by that one. The
 * first address outside is the client; fields below it are not looked at, since anybody may have
 * written them.
 */

/* What one Received field says of the host the message came from. */
struct spf_hop {
    struct am_ip ip;     /* family 0: the field names none */
    struct am_span helo; /* as that host said it; empty when not told */
    bool authenticated;  /* "with ESMTPA" and its like (RFC 3848): a submission */
    bool ambiguous;      /* several different addresses: not to be trusted */
};

/*
 * Reads the from-clause of a Received field, as Postfix, Sendmail, Exim, Exchange, OpenSMTPD,
 * Courier and qmail write it:
 *
 *     from helo (ptr [192.0.2.1]) by ...          from ptr ([192.0.2.1] helo=helo) by ...
 *     from [192.0.2.1] (helo=helo) by ...         from host (192.0.2.1) by ...
 *     from ptr (HELO helo) (192.0.2.1) by ...     from helo (ptr [IPv6:2001:db8::1]) by ...
 *
 * Ownership: spans point into `value`.
 */
void spf_relay_parse(struct spf_hop *hop, struct am_span value);

enum spf_relay_state {
    SPF_RELAY_WALKING,   /* every hop so far was a trusted relay */
    SPF_RELAY_FOUND,     /* the client outside is known */
    SPF_RELAY_SUBMITTED, /* an authenticated client handed it to the relay */
    SPF_RELAY_LOST,      /* a field does not say where the message came from */
};

/* A walk over the fields of one message; zero bytes begin it. */
struct spf_relay_walk {
    enum spf_relay_state state;
    unsigned hops;    /* fields looked at */
    struct am_ip ip;  /* with FOUND */
    const char *helo; /* with FOUND; in the arena; "" when not told */
    const char *why;  /* with LOST: a few words */
};

/*
 * Takes the next Received field, top first. Does nothing once the walk has ended.
 *
 * max_hops: most fields to look at.
 * Returns: false when memory is short.
 */
bool spf_relay_feed(struct spf_relay_walk *walk, const struct spf_exempt *exempt,
                    struct am_arena *arena, unsigned max_hops, struct am_span value);

/* Ends a walk when the header has ended: still walking becomes LOST. */
void spf_relay_end(struct spf_relay_walk *walk);

#endif
