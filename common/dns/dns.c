#include "common/dns/dns.h"

#include <stdio.h>

#include "common/base/ip.h"

static void no_wait(struct am_dns_query *const *queries, size_t count)
{
    (void)queries;
    (void)count;
}

static void no_release(struct am_dns_query *query)
{
    (void)query;
}

/* Handed out when there is no memory for a query: belongs to everybody, is never freed. */
static const struct am_resolver_ops stillborn_ops = {
    .wait_any = no_wait,
    .release = no_release,
};
static const struct am_dns_answer stillborn_answer = {.outcome = AM_DNS_SERVFAIL};
static const struct am_dns_query stillborn = {
    .ops = &stillborn_ops, .answer = &stillborn_answer, .seen = true};

struct am_dns_query *am_dns_start(struct am_resolver *resolver, const char *name,
                                  enum am_dns_type type, int64_t deadline_us)
{
    struct am_dns_query *query = resolver->ops->start(resolver, name, type, deadline_us);

    return query != NULL ? query : (struct am_dns_query *)&stillborn;
}

/* The pointer is written by the resolver's thread, and what it shows before it. */
static const struct am_dns_answer *peek(const struct am_dns_query *query)
{
    return __atomic_load_n(&query->answer, __ATOMIC_ACQUIRE);
}

const struct am_dns_answer *am_dns_answer_of(struct am_dns_query *query)
{
    const struct am_dns_answer *answer = peek(query);

    if (answer != NULL && !query->seen)
        query->seen = true;
    return answer;
}

const struct am_dns_answer *am_dns_wait(struct am_dns_query *query)
{
    while (peek(query) == NULL)
        query->ops->wait_any(&query, 1);
    return am_dns_answer_of(query);
}

void am_dns_wait_any(struct am_dns_query *const *queries, size_t count)
{
    struct am_dns_query *pending = NULL;

    for (size_t i = 0; i < count; i++) {
        if (peek(queries[i]) == NULL)
            pending = queries[i];
        else if (!queries[i]->seen)
            return;
    }
    if (pending != NULL)
        pending->ops->wait_any(queries, count);
}

void am_dns_release(struct am_dns_query *query)
{
    if (query != NULL)
        query->ops->release(query);
}

void am_resolver_free(struct am_resolver *resolver)
{
    if (resolver != NULL)
        resolver->ops->free(resolver);
}

const char *am_dns_outcome_word(enum am_dns_outcome outcome)
{
    static const char *const words[] = {
        [AM_DNS_OK] = "ok",
        [AM_DNS_NODATA] = "nodata",
        [AM_DNS_NXDOMAIN] = "nxdomain",
        [AM_DNS_SERVFAIL] = "servfail",
        [AM_DNS_TIMEOUT] = "timeout",
        [AM_DNS_BAD] = "bad",
    };

    return words[outcome];
}

const char *am_dns_type_word(enum am_dns_type type)
{
    switch (type) {
    case AM_DNS_A:
        return "A";
    case AM_DNS_PTR:
        return "PTR";
    case AM_DNS_MX:
        return "MX";
    case AM_DNS_TXT:
        return "TXT";
    case AM_DNS_AAAA:
        return "AAAA";
    }
    return "?";
}

const char *am_dns_reverse_name(const struct am_ip *ip, char out[AM_DNS_REVERSE_MAX])
{
    if (ip->family == 6) {
        size_t at = 0;
        for (int i = 15; i >= 0; i--) {
            unsigned low = ip->bytes[i] & 15u, high = ip->bytes[i] >> 4;
            at += (size_t)snprintf(out + at, AM_DNS_REVERSE_MAX - at, "%x.%x.", low, high);
        }
        snprintf(out + at, AM_DNS_REVERSE_MAX - at, "ip6.arpa");
    } else if (ip->family == 4) {
        snprintf(out, AM_DNS_REVERSE_MAX, "%u.%u.%u.%u.in-addr.arpa", ip->bytes[3], ip->bytes[2],
                 ip->bytes[1], ip->bytes[0]);
    } else {
        out[0] = '\0';
    }
    return out;
}
