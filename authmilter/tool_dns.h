#ifndef AUTHMILTER_TOOL_DNS_H
#define AUTHMILTER_TOOL_DNS_H

#include "common/dns/dns.h"

/* The resolver that the options --zone and --nameserver of a command ask for. */

#define TOOL_DNS_SERVERS_MAX 8

/* All zero: the name servers of resolv.conf. */
struct tool_dns {
    const char *zone; /* master file in place of the DNS, or NULL */
    const char *nameservers[TOOL_DNS_SERVERS_MAX];
    size_t count;
};

/* Takes an argument of --nameserver. Returns false with a sentence: no address, or too many. */
bool tool_dns_add_nameserver(struct tool_dns *dns, const char *text, struct am_problem *problem);

/* Judges the two options together. Returns false with a sentence: they exclude each other. */
bool tool_dns_check(const struct tool_dns *dns, struct am_problem *problem);

/* Returns a resolver, or NULL with a sentence. Ownership: freed with am_resolver_free(). */
struct am_resolver *tool_dns_open(const struct tool_dns *dns,
                                  struct am_problem *problem) AM_MUST_USE;

#endif
