#ifndef AM_DNS_DNS_ZONE_H
#define AM_DNS_DNS_ZONE_H

#include "common/dns/dns.h"

/*
 * A static zone: answers from a master file (RFC 1035 section 5) in memory,
 * for tests, tools and the quick start. Names below any origin may stand in one
 * file; what is not there does not exist (NXDOMAIN, or NODATA for a name that
 * exists with other types or has names below it).
 *
 * Two comment directives make failures possible:
 *     ;!servfail name [type]
 *     ;!timeout name [type]
 *
 * CNAME chains are followed up to AM_DNS_CNAME_MAX.
 */

/*
 * Reads a master file. Returns NULL with file, line and sentence on error.
 * Ownership: freed with am_resolver_free(). Threads: look-ups from any thread.
 */
struct am_resolver *am_dns_zone_load(const char *path, struct am_problem *problem) AM_MUST_USE;

/* The same from text; `name` stands for the file in messages. */
struct am_resolver *am_dns_zone_parse(const char *text, const char *name,
                                      struct am_problem *problem) AM_MUST_USE;

#endif
