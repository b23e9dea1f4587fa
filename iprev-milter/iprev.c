#include "iprev-milter/iprev.h"

/* Says that no name was confirmed, and how many there are. */
static const char *why_failed(struct am_arena *arena, size_t names, size_t max_names)
{
    const char *text = NULL;

    if (names > max_names)
        text =
            am_arena_printf(arena, "none of the first %zu of %zu names leads back to the address",
                            max_names, names);
    else if (names > 1)
        text = am_arena_printf(arena, "none of %zu names leads back to the address", names);
    return text == NULL ? "the name does not lead back to the address" : text;
}

/* Says which look-up gave no definite answer. */
static const char *why_unknown(struct am_arena *arena, const char *which,
                               enum am_dns_outcome outcome)
{
    const char *text =
        am_arena_printf(arena, "%s look-up: %s", which, am_dns_outcome_word(outcome));

    return text == NULL ? "the DNS did not answer" : text;
}

struct iprev_outcome iprev_check(struct am_resolver *resolver, struct am_arena *arena,
                                 const struct iprev_request *request)
{
    const struct am_dns_confirm_request confirm = {
        .ip = request->client,
        .max_names = request->max_names,
        .deadline_us = request->deadline_us,
    };
    struct am_dns_confirmation found = am_dns_confirm(resolver, arena, &confirm);

    if (found.name != NULL)
        return (struct iprev_outcome){.result = IPREV_PASS, .name = found.name};
    if (found.reverse == AM_DNS_NXDOMAIN || found.reverse == AM_DNS_NODATA)
        return (struct iprev_outcome){.result = IPREV_PERMERROR, .reason = "no PTR record"};
    if (found.reverse != AM_DNS_OK)
        return (struct iprev_outcome){.result = IPREV_TEMPERROR,
                                      .reason = why_unknown(arena, "PTR", found.reverse)};
    /* The name that could not be looked up may be the one that leads back. */
    if (found.forward != AM_DNS_OK)
        return (struct iprev_outcome){.result = IPREV_TEMPERROR,
                                      .reason = why_unknown(arena, "address", found.forward)};
    return (struct iprev_outcome){.result = IPREV_FAIL,
                                  .reason = why_failed(arena, found.names, request->max_names)};
}

const char *iprev_result_word(enum iprev_result result)
{
    static const char *const words[IPREV_RESULT_COUNT] = {"pass", "fail", "permerror", "temperror"};

    return words[result];
}
