#ifndef AUTHMILTER_CHECK_SENDERS_H
#define AUTHMILTER_CHECK_SENDERS_H

#include "authmilter/check_findings.h"
#include "common/base/ip.h"

/* Who sends: our domains, and the addresses that our mail comes from. */

#define CHECK_DOMAINS_MAX 100
#define CHECK_ADDRESSES_MAX 16

struct check_senders {
    const char *domains[CHECK_DOMAINS_MAX]; /* not copied; each once */
    size_t domain_count, domains_left_out;
    struct am_ip addresses[CHECK_ADDRESSES_MAX];
    size_t address_count;
};

/* Adds a domain unless it is there; beyond the limit they are only counted. domain: A-labels, lives
 * as long as `senders`. */
void check_senders_add_domain(struct check_senders *senders, const char *domain);

/* Adds an address unless it is there. Returns false with a sentence: no address, or too many. */
bool check_senders_add_address(struct check_senders *senders, const char *text,
                               struct am_problem *problem);

/*
 * Adds what stands in Postfix' `smtp_bind_address` or `inet_interfaces`: addresses there; words and
 * names are passed over.
 */
void check_senders_add_listed(struct check_senders *senders, const char *list);

/* Adds the addresses of this machine's interfaces, but for private ones, which are named. */
void check_senders_add_interfaces(struct check_senders *senders, struct check_findings *findings);

/* Says what was left out. */
void check_senders_judge(const struct check_senders *senders, struct check_findings *findings);

#endif
