#ifndef SPF_SPF_RECEIVED_H
#define SPF_SPF_RECEIVED_H

#include "spf-milter/spf_finding.h"

/* The Received-SPF field (RFC 7208 section 9.1). */

struct spf_received_facts {
    const struct spf_finding *finding;
    const struct am_ip *client;
    struct am_span sender; /* envelope sender; empty for <> */
    struct am_span helo;
    const char *receiver; /* our name */
    bool smtputf8;        /* UTF-8 may stand in the field (RFC 6532) */
};

/*
 * Writes the value of the field, folded with LF + tab between its pairs. Everything
 * that is no dot-atom is quoted; bytes that may not stand in a field become '?'; a value
 * of more than 255 octets is left out.
 *
 * Returns: NULL when memory is short. Ownership: `arena`.
 */
const char *spf_received_value(struct am_arena *arena,
                               const struct spf_received_facts *facts) AM_MUST_USE;

#endif
