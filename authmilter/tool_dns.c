#include "authmilter/tool_dns.h"

#include "common/dns/dns_live.h"
#include "common/dns/dns_zone.h"

bool tool_dns_add_nameserver(struct tool_dns *dns, const char *text, struct am_problem *problem)
{
    if (dns->count == TOOL_DNS_SERVERS_MAX)
        return am_problem_set(problem, "more than %d name servers", TOOL_DNS_SERVERS_MAX);
    if (!am_dns_live_check_nameserver(text, problem))
        return false;
    dns->nameservers[dns->count++] = text;
    return true;
}

bool tool_dns_check(const struct tool_dns *dns, struct am_problem *problem)
{
    return dns->zone == NULL || dns->count == 0 ||
           am_problem_set(problem, "--zone and --nameserver exclude each other");
}

struct am_resolver *tool_dns_open(const struct tool_dns *dns, struct am_problem *problem)
{
    if (dns->zone != NULL)
        return am_dns_zone_load(dns->zone, problem);
    const struct am_dns_live_options live = {
        .nameservers = dns->nameservers,
        .nameserver_count = dns->count,
        .timeout_ms = 2000,
        .attempts = 3,
        .cache_entries = 1000,
        .clock = am_clock_system(),
    };
    return am_dns_live_new(&live, problem);
}
