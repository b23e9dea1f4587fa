#include "common/dns/dns_confirm.h"

#include <string.h>

/* The names under way. */
struct forward {
    struct am_dns_query *queries[AM_DNS_CONFIRM_NAMES_MAX];
    const char *names[AM_DNS_CONFIRM_NAMES_MAX];
    bool judged[AM_DNS_CONFIRM_NAMES_MAX];
    size_t count, left;
};

static bool holds(const struct am_dns_answer *answer, const struct am_ip *ip)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct am_dns_record *record = &answer->records[i];

        if (ip->family == 4 ? memcmp(record->a, ip->bytes, sizeof(record->a)) == 0
                            : memcmp(record->aaaa, ip->bytes, sizeof(record->aaaa)) == 0)
            return true;
    }
    return false;
}

static bool is_definite(enum am_dns_outcome outcome)
{
    return outcome == AM_DNS_OK || outcome == AM_DNS_NODATA || outcome == AM_DNS_NXDOMAIN;
}

/* Judges the answers that have come since the last look; the first name in order wins. */
static void judge(struct forward *forward, const struct am_ip *ip, struct am_dns_confirmation *out)
{
    for (size_t i = 0; i < forward->count && out->name == NULL; i++) {
        const struct am_dns_answer *answer =
            forward->judged[i] ? NULL : am_dns_answer_of(forward->queries[i]);

        if (answer == NULL)
            continue;
        forward->judged[i] = true;
        forward->left--;
        if (holds(answer, ip))
            out->name = forward->names[i];
        else if (!is_definite(answer->outcome))
            out->forward = answer->outcome;
    }
}

/* Starts the look-ups of all names that are wanted. */
static void start(struct forward *forward, struct am_resolver *resolver, struct am_arena *arena,
                  const struct am_dns_confirm_request *request, const struct am_dns_answer *ptr,
                  struct am_dns_confirmation *out)
{
    enum am_dns_type type = request->ip.family == 4 ? AM_DNS_A : AM_DNS_AAAA;

    for (size_t i = 0; i < ptr->count && i < request->max_names && i < AM_DNS_CONFIRM_NAMES_MAX;
         i++) {
        struct am_span text = ptr->records[i].text;

        if (request->wants != NULL && !request->wants(request->user, text))
            continue;
        const char *name = am_arena_copy(arena, text);
        if (name == NULL) {
            out->forward = AM_DNS_SERVFAIL;
            continue;
        }
        forward->names[forward->count] = name;
        forward->queries[forward->count++] =
            am_dns_start(resolver, name, type, request->deadline_us);
    }
    forward->left = forward->count;
}

struct am_dns_confirmation am_dns_confirm(struct am_resolver *resolver, struct am_arena *arena,
                                          const struct am_dns_confirm_request *request)
{
    struct am_dns_confirmation out = {.reverse = AM_DNS_NXDOMAIN, .forward = AM_DNS_OK};
    struct forward forward = {.count = 0};
    char reverse[AM_DNS_REVERSE_MAX];

    if (request->ip.family == 0)
        return out;
    struct am_dns_query *query = am_dns_start(resolver, am_dns_reverse_name(&request->ip, reverse),
                                              AM_DNS_PTR, request->deadline_us);
    const struct am_dns_answer *ptr = am_dns_wait(query);
    out.reverse = ptr->outcome;
    out.names = ptr->count;
    start(&forward, resolver, arena, request, ptr, &out);
    am_dns_release(query);

    judge(&forward, &request->ip, &out);
    while (out.name == NULL && forward.left > 0) {
        am_dns_wait_any(forward.queries, forward.count);
        judge(&forward, &request->ip, &out);
    }
    for (size_t i = 0; i < forward.count; i++)
        am_dns_release(forward.queries[i]);
    return out;
}
