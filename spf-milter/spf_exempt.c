#include "spf-milter/spf_exempt.h"

#include "common/dns/dns.h"

/* Names of one PTR answer that are confirmed; as many as SPF's own ptr looks at (RFC 7208
 * section 4.6.4). */
#define PTR_NAMES_MAX 10

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

/* Tells whether one of the name's addresses is `ip`. */
static bool confirms(struct am_resolver *resolver, const char *name, const struct am_ip *ip,
                     int64_t deadline_us)
{
    bool v4 = ip->family == 4;
    struct am_dns_query *query =
        am_dns_start(resolver, name, v4 ? AM_DNS_A : AM_DNS_AAAA, deadline_us);
    const struct am_dns_answer *answer = am_dns_wait(query);
    bool found = false;

    for (size_t i = 0; i < answer->count && !found; i++) {
        const struct am_dns_record *record = &answer->records[i];

        found = v4 ? memcmp(record->a, ip->bytes, sizeof(record->a)) == 0
                   : memcmp(record->aaaa, ip->bytes, sizeof(record->aaaa)) == 0;
    }
    am_dns_release(query);
    return found;
}

const char *spf_exempt_ptr(const struct spf_exempt *exempt, struct am_arena *arena,
                           struct am_resolver *resolver, const struct am_ip *ip,
                           int64_t deadline_us)
{
    char reverse[AM_DNS_REVERSE_MAX];
    const char *found = NULL;

    if (ip->family == 0)
        return NULL;
    struct am_dns_query *query =
        am_dns_start(resolver, am_dns_reverse_name(ip, reverse), AM_DNS_PTR, deadline_us);
    const struct am_dns_answer *answer = am_dns_wait(query);
    for (size_t i = 0; i < answer->count && i < PTR_NAMES_MAX && found == NULL; i++) {
        struct am_span text = answer->records[i].text;

        if (am_patterns_find_domain(exempt->ptr, arena, text) == AM_TABLE_NONE)
            continue;
        const char *name = am_arena_copy(arena, text);
        if (name != NULL && confirms(resolver, name, ip, deadline_us))
            found = name;
    }
    am_dns_release(query);
    return found;
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
