#ifndef SPF_SPF_REPLY_H
#define SPF_SPF_REPLY_H

#include "spf-milter/spf_finding.h"

/* The reply to a refused message (RFC 7372 section 3.2). */

struct spf_reply_facts {
    const struct spf_finding *finding;
    struct am_span identity; /* what was checked: the sender address or the HELO name */
    const struct am_ip *client;
    const char *text; /* the site's own words; "" = none */
    bool explanation; /* quote the domain's */
};

struct spf_reply {
    const char *status; /* "7.23" for results, "7.24" for errors */
    const char *text;   /* one to three lines joined by LF */
};

/*
 * Words a reply. Identity and explanation come from strangers: they are cut at a
 * visible mark when long, and everything but printable ASCII becomes '?'.
 *
 * Returns: false when memory is short. Ownership: `arena`.
 */
bool spf_reply_make(struct spf_reply *reply, struct am_arena *arena,
                    const struct spf_reply_facts *facts) AM_MUST_USE;

#endif
