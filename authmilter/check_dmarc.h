#ifndef AUTHMILTER_CHECK_DMARC_H
#define AUTHMILTER_CHECK_DMARC_H

#include "authmilter/check_findings.h"
#include "common/dns/dns.h"

/*
 * Looks up the DMARC record that applies to a domain (RFC 9989 section 4.10), and judges it.
 * domain: A-labels. Blocking: until the DNS has answered.
 */
void check_dmarc(const char *domain, struct am_resolver *resolver, struct check_findings *findings);

#endif
