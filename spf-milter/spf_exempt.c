#include "spf-milter/spf_exempt.h"

#include "common/dns/dns_confirm.h"

struct spf_exempt {
    bool authenticated, local;
    struct am_netset *networks, *own, *relays;
    struct am_patterns *helo, *ptr, *senders, *recipients;
};

struct spf_exempt *spf_exempt_open(struct am_arena *arena, const struct spf_conf *conf,
                                   struct am_problem *problem)
{
    struct spf_exempt *exempt = am_arena_alloc(arena, sizeof(*exempt));

    am_problem_set(problem, "out of memory");
    if (exempt == NULL)
        return NULL;
    exempt->authenticated = conf->exempt_authenticated;
    exempt->local = conf->exempt_local;
    exempt->networks = am_netset_of(arena, &conf->exempt_networks);
    exempt->own = am_netset_of(arena, &conf->own_networks);
    exempt->relays = am_netset_of(arena, &conf->trusted_relays);
    if (exempt->networks == NULL || exempt->own == NULL || exempt->relays == NULL)
        return NULL;
    exempt->helo = am_patterns_of(arena, &conf->exempt_helo, problem);
    exempt->ptr = am_patterns_of(arena, &conf->exempt_ptr, problem);
    exempt->senders = am_patterns_of(arena, &conf->exempt_senders, problem);
    exempt->recipients = am_patterns_of(arena, &conf->exempt_recipients, problem);
    if (exempt->helo == NULL || exempt->ptr == NULL || exempt->senders == NULL ||
        exempt->recipients == NULL)
        return NULL;
    return exempt;
}

const char *spf_exempt_client(const struct spf_exempt *exempt, const struct spf_client *client)
{
    if (client->is_submitting)
        return "submission";
    if (exempt->authenticated && client->is_authenticated)
        return "authenticated";
    if (exempt->local && client->is_local)
        return "local";
    if (am_netset_find(exempt->networks, &client->ip) != AM_TABLE_NONE)
        return "network";
    return NULL;
}

bool spf_exempt_wants_ptr(const struct spf_exempt *exempt)
{
    return !am_patterns_is_empty(exempt->ptr);
}

/* What is_listed() asks. */
struct listing {
    const struct spf_exempt *exempt;
    struct am_arena *arena;
};

static bool is_listed(void *user, struct am_span name)
{
    const struct listing *listing = user;

    return am_patterns_find_domain(listing->exempt->ptr, listing->arena, name) != AM_TABLE_NONE;
}

const char *spf_exempt_ptr(const struct spf_exempt *exempt, struct am_arena *arena,
                           struct am_resolver *resolver, const struct am_ip *ip,
                           int64_t deadline_us)
{
    struct listing listing = {exempt, arena};
    struct am_dns_confirm_request request = {
        .ip = *ip,
        .max_names = AM_DNS_CONFIRM_NAMES_MAX,
        .wants = is_listed,
        .user = &listing,
        .deadline_us = deadline_us,
    };

    return am_dns_confirm(resolver, arena, &request).name;
}

const char *spf_exempt_message(const struct spf_exempt *exempt, struct am_arena *arena,
                               struct am_span helo, const struct am_address *sender)
{
    if (am_patterns_find_domain(exempt->helo, arena, helo) != AM_TABLE_NONE)
        return "helo";
    if (am_patterns_find(exempt->senders, arena, sender) != AM_TABLE_NONE)
        return "sender";
    return NULL;
}

bool spf_exempt_recipient(const struct spf_exempt *exempt, struct am_arena *arena,
                          const struct am_address *recipient)
{
    return am_patterns_find(exempt->recipients, arena, recipient) != AM_TABLE_NONE;
}

enum spf_address_kind spf_exempt_address(const struct spf_exempt *exempt, const struct am_ip *ip)
{
    if (ip->family == 0)
        return SPF_ADDRESS_UNKNOWN;
    if (am_ip_is_private(ip))
        return SPF_ADDRESS_PRIVATE;
    if (am_netset_find(exempt->own, ip) != AM_TABLE_NONE)
        return SPF_ADDRESS_OWN;
    return SPF_ADDRESS_PUBLIC;
}

bool spf_exempt_is_relay(const struct spf_exempt *exempt, const struct am_ip *ip)
{
    return am_netset_find(exempt->relays, ip) != AM_TABLE_NONE;
}
