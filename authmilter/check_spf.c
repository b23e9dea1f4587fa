#include "authmilter/check_spf.h"

#include <string.h>

#include "common/mail/domain.h"
#include "spf-milter/spf.h"

/* Of the ten, RFC 7208 section 4.6.4; a provider's include may grow by two any day. */
#define TERMS_MANY 8

/* Nobody's address (RFC 1112 section 4): every term is evaluated, and `all` decides. */
#define STRANGER "240.0.0.1"

static const struct spf_outcome *evaluate(const char *domain, const struct am_ip *client,
                                          struct am_resolver *resolver,
                                          struct check_findings *findings)
{
    const struct am_clock *clock = am_clock_system();
    char *sender = am_arena_printf(findings->arena, "postmaster@%s", domain);
    struct spf_request request = {
        .identity = SPF_MAILFROM,
        .client = *client,
        .helo = am_span_str(domain),
        .resolver = resolver,
        .clock = clock,
        .deadline_us = am_deadline_in_ms(clock, 20000),
    };

    if (sender == NULL) {
        findings->failed = true;
        return NULL;
    }
    am_address_parse(&request.sender, am_span_str(sender));
    return spf_evaluate(findings->arena, &request);
}

/* "ip4:192.0.2.1 ip6:2001:db8::1 " of our addresses. */
static const char *mechanisms(const struct check_senders *senders, struct am_arena *arena)
{
    const char *text = "";
    char ip[AM_IP_TEXT_MAX];

    for (size_t i = 0; text != NULL && i < senders->address_count; i++)
        text = am_arena_printf(arena, "%sip%d:%s ", text, senders->addresses[i].family,
                               am_ip_format(&senders->addresses[i], ip));
    return text == NULL || *text == '\0' ? "mx " : text;
}

static bool uses_ptr(const struct spf_outcome *outcome)
{
    for (size_t i = 0; i < outcome->step_count; i++) {
        struct am_span term = outcome->steps[i].term;

        if (term.len > 0 && strchr("+-~?", term.ptr[0]) != NULL)
            term = am_span_of(term.ptr + 1, term.len - 1);
        if (am_span_equal_nocase(term, am_span_str("ptr")) ||
            am_span_starts_nocase(term, am_span_str("ptr:")))
            return true;
    }
    return false;
}

static const char *reason_of(const struct spf_outcome *outcome)
{
    return outcome->reason == NULL ? spf_result_word(outcome->result) : outcome->reason;
}

/* What the record says of everybody, and what it costs. Returns false when there is none to go on
 * with. */
static bool judge_record(const char *domain, const struct spf_outcome *stranger,
                         const struct check_senders *senders, struct check_findings *findings)
{
    switch (stranger->result) {
    case SPF_NONE:
        check_found(findings, CHECK_SPF_MISSING, domain, "%s", reason_of(stranger));
        check_mend(findings, "publish the TXT record %s. \"v=spf1 %s-all\"", domain,
                   mechanisms(senders, findings->arena));
        return false;
    case SPF_PERMERROR:
        check_found(findings, CHECK_SPF_BROKEN, domain, "%s", reason_of(stranger));
        check_mend(findings,
                   "mend the term that this shows: authmilter spf --ip %s --from "
                   "postmaster@%s",
                   STRANGER, domain);
        return false;
    case SPF_TEMPERROR:
        check_found(findings, CHECK_SPF_UNKNOWN, domain, "%s", reason_of(stranger));
        check_mend(findings, "see to it that the name servers answer, then check again");
        return false;
    case SPF_PASS:
        check_found(findings, CHECK_SPF_OPEN, domain,
                    "whoever sends from any address passes, such as %s (%s)", STRANGER,
                    stranger->term == NULL ? "" : stranger->term);
        check_mend(findings, "end the record in -all");
        break;
    case SPF_NEUTRAL:
        check_found(findings, CHECK_SPF_NO_END, domain,
                    "mail from everybody else is neutral: the record says nothing against it");
        check_mend(findings, "end the record in ~all or -all");
        break;
    default:
        break;
    }
    return true;
}

static void judge_costs(const char *domain, const struct spf_outcome *stranger,
                        struct check_findings *findings)
{
    if (stranger->terms_used >= TERMS_MANY) {
        check_found(findings, CHECK_SPF_LOOKUPS, domain,
                    "the record needs %u of the 10 terms that may ask the DNS: one more include "
                    "of a provider breaks it",
                    stranger->terms_used);
        check_mend(findings, "write ip4: and ip6: in place of an include, a or mx");
    }
    if (uses_ptr(stranger)) {
        check_found(findings, CHECK_SPF_PTR, domain,
                    "ptr is slow and unreliable, and some receivers do not evaluate it (RFC 7208 "
                    "section 5.5)");
        check_mend(findings, "write ip4: and ip6: in place of ptr");
    }
}

static void judge_ours(const char *domain, const struct am_ip *ip,
                       const struct spf_outcome *outcome, const struct spf_outcome *stranger,
                       struct check_findings *findings)
{
    char text[AM_IP_TEXT_MAX];

    am_ip_format(ip, text);
    if (outcome->result == SPF_PASS) {
        check_found(findings, CHECK_SPF_OK, domain,
                    "mail from %s passes by %s; the record needs %u of 10 terms that ask the DNS, "
                    "and %u of 2 void ones",
                    text, outcome->term == NULL ? "" : outcome->term, stranger->terms_used,
                    outcome->voids_used);
    } else if (outcome->result == SPF_TEMPERROR) {
        check_found(findings, CHECK_SPF_UNKNOWN, domain, "%s", reason_of(outcome));
        check_mend(findings, "see to it that the name servers answer, then check again");
    } else if (outcome->result == SPF_PERMERROR) {
        check_found(findings, CHECK_SPF_BROKEN, domain, "%s", reason_of(outcome));
        check_mend(findings,
                   "mend the term that this shows: authmilter spf --ip %s --from "
                   "postmaster@%s",
                   text, domain);
    } else {
        check_found(findings, outcome->result == SPF_FAIL ? CHECK_SPF_FAIL : CHECK_SPF_NOT_PASS,
                    domain, "mail from our own address %s is %s (%s)", text,
                    spf_result_word(outcome->result),
                    outcome->term == NULL ? "no term matches" : outcome->term);
        check_mend(findings, "add ip%d:%s to the record", ip->family, text);
    }
}

void check_spf(const char *domain, const struct check_senders *senders,
               struct am_resolver *resolver, struct check_findings *findings)
{
    struct am_ip nobody;

    (void)am_ip_parse(&nobody, am_span_str(STRANGER));
    const struct spf_outcome *stranger = evaluate(domain, &nobody, resolver, findings);
    if (stranger == NULL || !judge_record(domain, stranger, senders, findings))
        return;
    judge_costs(domain, stranger, findings);
    for (size_t i = 0; i < senders->address_count; i++) {
        const struct spf_outcome *outcome =
            evaluate(domain, &senders->addresses[i], resolver, findings);

        if (outcome != NULL)
            judge_ours(domain, &senders->addresses[i], outcome, stranger, findings);
    }
}
