#ifndef AUTHMILTER_CHECK_SPF_H
#define AUTHMILTER_CHECK_SPF_H

#include "authmilter/check_senders.h"
#include "common/dns/dns.h"

/*
 * Evaluates SPF of a domain for mail from our own addresses, and for a stranger: what is left of
 * the limits of RFC 7208 section 4.6.4, and what the record says of everybody else.
 * Blocking: until the DNS has answered, at most 20 s for each address.
 */
void check_spf(const char *domain, const struct check_senders *senders,
               struct am_resolver *resolver, struct check_findings *findings);

#endif
