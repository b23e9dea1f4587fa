#include "authmilter/check_senders.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#include "common/mail/domain.h"

void check_senders_add_domain(struct check_senders *senders, const char *domain)
{
    for (size_t i = 0; i < senders->domain_count; i++)
        if (am_domain_equal(am_span_str(senders->domains[i]), am_span_str(domain)))
            return;
    if (senders->domain_count == CHECK_DOMAINS_MAX)
        senders->domains_left_out++;
    else
        senders->domains[senders->domain_count++] = domain;
}

static bool add(struct check_senders *senders, const struct am_ip *ip)
{
    for (size_t i = 0; i < senders->address_count; i++)
        if (am_ip_equal(&senders->addresses[i], ip))
            return true;
    if (senders->address_count == CHECK_ADDRESSES_MAX)
        return false;
    senders->addresses[senders->address_count++] = *ip;
    return true;
}

bool check_senders_add_address(struct check_senders *senders, const char *text,
                               struct am_problem *problem)
{
    struct am_ip ip;

    if (!am_ip_parse(&ip, am_span_str(text)))
        return am_problem_set(problem, "--ip takes an IPv4 or IPv6 address");
    return add(senders, &ip) ||
           am_problem_set(problem, "more than %d addresses", CHECK_ADDRESSES_MAX);
}

void check_senders_add_listed(struct check_senders *senders, const char *list)
{
    while (*list != '\0') {
        size_t len = strcspn(list, ", \t\n");
        struct am_span word = am_span_of(list, len);
        struct am_ip ip;

        if (len > 2 && word.ptr[0] == '[' && word.ptr[len - 1] == ']')
            word = am_span_of(list + 1, len - 2);
        if (am_ip_parse(&ip, word) && !am_ip_is_private(&ip))
            (void)add(senders, &ip);
        list += len + strspn(list + len, ", \t\n");
    }
}

void check_senders_add_interfaces(struct check_senders *senders, struct check_findings *findings)
{
    struct ifaddrs *all;
    char text[AM_IP_TEXT_MAX];

    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        struct am_ip ip;

        am_ip_from_sockaddr(&ip, one->ifa_addr);
        if (ip.family == 0 || (one->ifa_flags & IFF_UP) == 0 || am_ip_is_loopback(&ip))
            continue;
        if (!am_ip_is_private(&ip)) {
            (void)add(senders, &ip);
            continue;
        }
        check_found(findings, CHECK_ADDRESS_PRIVATE, one->ifa_name,
                    "%s is a private address: others see mail come from another one",
                    am_ip_format(&ip, text));
        check_mend(findings, "name the address that others see with --ip");
    }
    freeifaddrs(all);
}

void check_senders_judge(const struct check_senders *senders, struct check_findings *findings)
{
    if (senders->domains_left_out > 0) {
        check_found(findings, CHECK_DOMAINS_MANY, "domains",
                    "SPF and DMARC of %zu domains beyond the first %d were not checked",
                    senders->domains_left_out, CHECK_DOMAINS_MAX);
        check_mend(findings, "check them with --domain and a configuration without keys");
    }
    if (senders->address_count == 0 && senders->domain_count > 0) {
        check_found(findings, CHECK_ADDRESS_NONE, "addresses",
                    "it is not known from which address our mail comes: SPF was not evaluated");
        check_mend(findings, "name the address that others see with --ip");
    }
}
