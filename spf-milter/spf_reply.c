#include "spf-milter/spf_reply.h"

#include "common/base/printable.h"

/* Most bytes of an identity that a reply repeats; a reply line has 512 octets (RFC 5321
 * section 4.5.3.1.5). */
#define IDENTITY_MAX 200

/* Says in a few words what the result means. */
static const char *meaning(struct am_arena *arena, const struct spf_outcome *outcome)
{
    const char *domain = am_printable_copy(arena, am_span_str(outcome->domain), IDENTITY_MAX);
    const char *why = outcome->reason;

    if (domain == NULL)
        return NULL;
    if (domain[0] == '\0')
        domain = "the domain";
    switch (outcome->result) {
    case SPF_FAIL:
        return am_arena_printf(arena, "not permitted by %s", domain);
    case SPF_SOFTFAIL:
        return am_arena_printf(arena, "probably not permitted by %s", domain);
    case SPF_NEUTRAL:
        return am_arena_printf(arena, "%s does not say whether it is permitted", domain);
    case SPF_NONE:
        return am_arena_printf(arena, "%s has no SPF record", domain);
    case SPF_PERMERROR:
        return am_arena_printf(arena, "the SPF record of %s cannot be used%s%s", domain,
                               why == NULL ? "" : ": ", why == NULL ? "" : why);
    case SPF_TEMPERROR:
        return am_arena_printf(arena, "the SPF record of %s cannot be looked up now%s%s", domain,
                               why == NULL ? "" : ": ", why == NULL ? "" : why);
    default:
        return "permitted";
    }
}

bool spf_reply_make(struct spf_reply *reply, struct am_arena *arena,
                    const struct spf_reply_facts *facts)
{
    const struct spf_outcome *outcome = facts->finding->outcome;
    bool error = outcome->result == SPF_PERMERROR || outcome->result == SPF_TEMPERROR;
    bool helo = facts->finding->identity == SPF_HELO;
    const char *identity = am_printable_copy(arena, facts->identity, IDENTITY_MAX);
    const char *why = meaning(arena, outcome);
    char client[AM_IP_TEXT_MAX];

    reply->status = error ? "7.24" : "7.23";
    if (identity == NULL || why == NULL)
        return false;

    reply->text =
        am_arena_printf(arena, "SPF %s for %s %s from %s: %s", spf_result_word(outcome->result),
                        helo ? "HELO" : "MAIL FROM", identity[0] == '\0' ? "<>" : identity,
                        am_ip_format(facts->client, client), why);
    if (reply->text != NULL && facts->text[0] != '\0')
        reply->text = am_arena_printf(arena, "%s\n%s", reply->text, facts->text);
    if (reply->text != NULL && facts->explanation && outcome->result == SPF_FAIL &&
        outcome->explanation != NULL && outcome->explanation[0] != '\0')
        reply->text = am_arena_printf(arena, "%s\nThe domain %s explains: %s", reply->text,
                                      outcome->domain, outcome->explanation);
    return reply->text != NULL;
}
