#include "authmilter/check_dmarc.h"

#include <string.h>

#include "common/base/clock.h"
#include "dmarc-milter/dmarc_walk.h"

/* The record that applies to a domain. */
struct found {
    const char *domain; /* that is judged */
    const struct dmarc_name *at;
    const char *name; /* _dmarc.DOMAIN of the record */
};

static void judge_values(const struct found *found, struct check_findings *findings)
{
    static const struct {
        enum dmarc_tag tag;
        const char *name, *mend;
    } rules[] = {
        {DMARC_TAG_P, "p", "write p=none, p=quarantine or p=reject"},
        {DMARC_TAG_SP, "sp", "write sp=none, sp=quarantine or sp=reject, or leave it out"},
        {DMARC_TAG_NP, "np", "write np=none, np=quarantine or np=reject, or leave it out"},
        {DMARC_TAG_ADKIM, "adkim", "write adkim=r or adkim=s, or leave it out"},
        {DMARC_TAG_ASPF, "aspf", "write aspf=r or aspf=s, or leave it out"},
        {DMARC_TAG_T, "t", "write t=y or t=n, or leave it out"},
        {DMARC_TAG_PSD, "psd", "leave psd out"},
        {DMARC_TAG_FO, "fo", "write 0 or 1, d and s, joined by colons, or leave it out"},
        {DMARC_TAG_RUF, "ruf", "write ruf=mailto:ADDRESS, or leave it out"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if ((found->at->record.bad & rules[i].tag) != 0) {
            check_found(findings, CHECK_DMARC_BROKEN, found->name,
                        "%s= has a value that receivers do not know: \"%s\"", rules[i].name,
                        found->at->text);
            check_mend(findings, "%s", rules[i].mend);
        }
    if ((found->at->record.present & DMARC_TAG_P) == 0 &&
        dmarc_record_standing(&found->at->record) == DMARC_STANDING_BROKEN) {
        check_found(findings, CHECK_DMARC_BROKEN, found->name,
                    "no p=, and no rua= to report to: receivers pass it over: \"%s\"",
                    found->at->text);
        check_mend(findings, "write p=none, p=quarantine or p=reject");
    }
}

static void judge_ignored(const struct found *found, struct check_findings *findings)
{
    static const struct {
        enum dmarc_tag tag;
        const char *name;
    } ignored[] = {{DMARC_TAG_PCT, "pct"}, {DMARC_TAG_RF, "rf"}, {DMARC_TAG_RI, "ri"}};

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        if ((found->at->record.present & ignored[i].tag) != 0) {
            check_found(findings, CHECK_DMARC_TAG_IGNORED, found->name,
                        "%s= is no tag any more (RFC 9989): receivers pass it over",
                        ignored[i].name);
            check_mend(findings, "take %s= out", ignored[i].name);
        }
}

static void judge_reports(const struct found *found, struct check_findings *findings)
{
    const struct dmarc_record *record = &found->at->record;

    if ((record->present & DMARC_TAG_RUA) == 0) {
        check_found(findings, CHECK_DMARC_NO_REPORTS, found->name,
                    "without rua= nobody tells you who sends in your name");
        check_mend(findings, "add rua=mailto:ADDRESS");
    } else if ((record->bad & DMARC_TAG_RUA) != 0 ||
               !am_span_starts_nocase(record->rua, am_span_str("mailto:"))) {
        check_found(findings, CHECK_DMARC_BROKEN, found->name, "rua=%.*s is no mailto: address",
                    (int)record->rua.len, record->rua.ptr);
        check_mend(findings, "write rua=mailto:ADDRESS");
    }
}

/* Returns the policy for mail that fails and comes from the domain, which exists. */
static enum dmarc_policy policy_of(const struct found *found)
{
    const struct dmarc_record *record = &found->at->record;

    if (dmarc_record_standing(record) != DMARC_STANDING_GOOD)
        return DMARC_POLICY_NONE;
    return strcmp(found->at->domain, found->domain) != 0 && record->sp != DMARC_POLICY_ABSENT
               ? record->sp
               : record->p;
}

static void judge_policy(const struct found *found, struct check_findings *findings)
{
    bool none = policy_of(found) == DMARC_POLICY_NONE;

    if (!none && !found->at->record.testing)
        return;
    check_found(findings, CHECK_DMARC_MONITORS, found->name, "nothing is enforced for %s: %s",
                found->domain, none ? "the policy is none" : "t=y says that it is a test");
    check_mend(findings, "when the reports show no mail of yours that fails: p=reject");
}

static void judge_record(const struct found *found, struct check_findings *findings)
{
    const struct dmarc_record *record = &found->at->record;

    judge_values(found, findings);
    judge_ignored(found, findings);
    judge_reports(found, findings);
    judge_policy(found, findings);
    if ((record->bad & ~(unsigned)DMARC_TAG_RUA) == 0 &&
        dmarc_record_standing(record) != DMARC_STANDING_BROKEN)
        check_found(findings, CHECK_DMARC_OK, found->domain, "%s: \"%s\"", found->name,
                    found->at->text);
}

/* Of several records at a name none counts: receivers walk on, as if there were none. */
static bool judge_several(const struct dmarc_walk *walk, struct check_findings *findings)
{
    bool any = false;

    for (size_t i = 0; i < walk->count; i++) {
        const struct dmarc_name *at = walk->names[i];
        const char *name = am_arena_printf(findings->arena, "_dmarc.%s", at->domain);

        if (name == NULL)
            findings->failed = true;
        else if (at->records > 1) {
            any = true;
            check_found(findings, CHECK_DMARC_SEVERAL, name,
                        "%zu DMARC records: receivers take none of them", at->records);
            check_mend(findings, "leave one TXT record at %s", name);
        }
    }
    return any;
}

static void judge_missing(const char *domain, struct check_findings *findings)
{
    check_found(findings, CHECK_DMARC_MISSING, domain,
                "no DMARC record, here or above: receivers decide as they like");
    check_mend(findings,
               "publish the TXT record _dmarc.%s. \"v=DMARC1; p=none; rua=mailto:postmaster@%s\"",
               domain, domain);
}

static void judge_walk(const struct dmarc_walk *walk, struct check_findings *findings)
{
    struct found found = {.domain = walk->domain};

    if (judge_several(walk, findings))
        return;
    /* The domain's own record serves though what is above it cannot be looked up. */
    if (walk->failed == NULL || walk->names[0]->has_record)
        found.at = dmarc_walk_policy(walk);
    const struct dmarc_name *named = found.at != NULL ? found.at : walk->failed;
    if (named == NULL) {
        judge_missing(walk->domain, findings);
        return;
    }
    found.name = am_arena_printf(findings->arena, "_dmarc.%s", named->domain);
    if (found.name == NULL) {
        findings->failed = true;
    } else if (found.at != NULL) {
        judge_record(&found, findings);
    } else {
        check_found(findings, CHECK_DMARC_UNKNOWN, found.name, "the look-up gave \"%s\"",
                    am_dns_outcome_word(named->dns));
        check_mend(findings, "see to it that the name servers answer, then check again");
    }
}

void check_dmarc(const char *domain, struct am_resolver *resolver, struct check_findings *findings)
{
    struct dmarc_names names = {
        .resolver = resolver,
        .arena = findings->arena,
        .deadline_us = am_deadline_in_ms(am_clock_system(), 20000),
    };
    struct dmarc_walk walk;

    if (dmarc_walk(&walk, &names, domain))
        judge_walk(&walk, findings);
    else
        findings->failed = true;
}
