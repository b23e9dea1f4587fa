#include "authmilter/check_dmarc.h"

#include <string.h>

#include "common/base/clock.h"
#include "dkim-milter/dkim_tag.h"

/* Most names that are asked for one domain (RFC 9989 section 4.10). */
#define WALK_MAX 8

/* What was found at a name. */
struct found {
    const char *name; /* _dmarc.DOMAIN */
    enum am_dns_outcome dns;
    const char *text; /* of the record; NULL without exactly one */
    size_t count;     /* records that begin with v=DMARC1 */
};

/* RFC 9989 section 4.7: the record begins with v=DMARC1, blanks around "=" allowed. */
static bool is_dmarc(struct am_span text)
{
    size_t at = 0;
    static const char version[] = "DMARC1";

    if (text.len == 0 || text.ptr[at++] != 'v')
        return false;
    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
        at++;
    if (at == text.len || text.ptr[at++] != '=')
        return false;
    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
        at++;
    if (text.len - at < strlen(version) || memcmp(text.ptr + at, version, strlen(version)) != 0)
        return false;
    at += strlen(version);
    return at == text.len || strchr("; \t", text.ptr[at]) != NULL;
}

static bool look_up(const char *domain, struct am_resolver *resolver, struct am_arena *arena,
                    struct found *found)
{
    *found = (struct found){.name = am_arena_printf(arena, "_dmarc.%s", domain)};
    if (found->name == NULL)
        return false;
    struct am_dns_query *query = am_dns_start(resolver, found->name, AM_DNS_TXT,
                                              am_deadline_in_ms(am_clock_system(), 20000));
    const struct am_dns_answer *answer = am_dns_wait(query);

    found->dns = answer->outcome;
    for (size_t i = 0; i < answer->count; i++)
        if (is_dmarc(answer->records[i].text)) {
            found->count++;
            found->text = am_arena_copy(arena, answer->records[i].text);
        }
    am_dns_release(query);
    if (found->count != 1)
        found->text = NULL;
    return true;
}

/* Walks up the tree until a record is found. Of a long name the middle is passed over. */
static bool walk(const char *domain, struct am_resolver *resolver, struct am_arena *arena,
                 struct found *found)
{
    const char *at = domain;

    for (size_t asked = 0; asked < WALK_MAX; asked++) {
        if (!look_up(at, resolver, arena, found))
            return false;
        const char *dot = strchr(at, '.');
        if (found->count > 0 ||
            (found->dns != AM_DNS_OK && found->dns != AM_DNS_NODATA &&
             found->dns != AM_DNS_NXDOMAIN) ||
            dot == NULL)
            return true;
        at = dot + 1;
        size_t labels = 1;
        for (const char *p = at; *p != '\0'; p++)
            labels += *p == '.';
        for (; asked == 0 && labels > WALK_MAX - 1; labels--)
            at = strchr(at, '.') + 1;
    }
    return true;
}

static bool is_value(const struct dkim_tag *tag, const char *word)
{
    return tag != NULL && am_span_equal_nocase(tag->value, am_span_str(word));
}

static bool is_one_of(const struct dkim_tag *tag, const char *const *words)
{
    for (; *words != NULL; words++)
        if (is_value(tag, *words))
            return true;
    return false;
}

/* Reports tags whose values nobody understands. Returns whether all are good. */
static bool judge_values(const struct found *found, const struct dkim_tag_list *list,
                         struct check_findings *findings)
{
    static const char *const policies[] = {"none", "quarantine", "reject", NULL};
    static const char *const modes[] = {"r", "s", NULL};
    static const char *const flags[] = {"y", "n", NULL};
    static const char *const trees[] = {"y", "n", "u", NULL};
    static const struct {
        const char *tag;
        const char *const *words;
        const char *mend;
    } rules[] = {
        {"p", policies, "write p=none, p=quarantine or p=reject"},
        {"sp", policies, "write sp=none, sp=quarantine or sp=reject, or leave it out"},
        {"np", policies, "write np=none, np=quarantine or np=reject, or leave it out"},
        {"adkim", modes, "write adkim=r or adkim=s, or leave it out"},
        {"aspf", modes, "write aspf=r or aspf=s, or leave it out"},
        {"t", flags, "write t=y or t=n, or leave it out"},
        {"psd", trees, "leave psd out"},
    };
    bool good = true;

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct dkim_tag *tag = dkim_tag_find(list, rules[i].tag);

        if (tag == NULL || is_one_of(tag, rules[i].words))
            continue;
        check_found(findings, CHECK_DMARC_BROKEN, found->name, "%s=%.*s is no value of that tag",
                    rules[i].tag, (int)tag->value.len, tag->value.ptr);
        check_mend(findings, "%s", rules[i].mend);
        good = false;
    }
    return good;
}

static void judge_ignored(const struct found *found, const struct dkim_tag_list *list,
                          struct check_findings *findings)
{
    static const char *const ignored[] = {"pct", "rf", "ri"};

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        if (dkim_tag_find(list, ignored[i]) != NULL) {
            check_found(findings, CHECK_DMARC_TAG_IGNORED, found->name,
                        "%s= is no tag any more (RFC 9989): receivers pass it over", ignored[i]);
            check_mend(findings, "take %s= out", ignored[i]);
        }
}

static void judge_reports(const struct found *found, const struct dkim_tag_list *list,
                          struct check_findings *findings)
{
    const struct dkim_tag *rua = dkim_tag_find(list, "rua");

    if (rua == NULL) {
        check_found(findings, CHECK_DMARC_NO_REPORTS, found->name,
                    "without rua= nobody tells you who sends in your name");
        check_mend(findings, "add rua=mailto:ADDRESS");
    } else if (!am_span_starts_nocase(rua->value, am_span_str("mailto:"))) {
        check_found(findings, CHECK_DMARC_BROKEN, found->name, "rua=%.*s is no mailto: address",
                    (int)rua->value.len, rua->value.ptr);
        check_mend(findings, "write rua=mailto:ADDRESS");
    }
}

static void judge_text(const char *domain, const struct found *found,
                       struct check_findings *findings)
{
    struct am_arena *arena = findings->arena;
    struct dkim_tag_list *list = am_arena_alloc(arena, sizeof(*list));

    if (list == NULL) {
        findings->failed = true;
        return;
    }
    if (dkim_tag_list_parse(list, am_span_str(found->text)) != DKIM_TAG_OK) {
        check_found(findings, CHECK_DMARC_BROKEN, found->name,
                    "cannot be read behind its octet %zu: \"%s\"", list->bad, found->text);
        check_mend(findings, "write it as tag=value; tag=value");
        return;
    }
    bool good = judge_values(found, list, findings);
    judge_ignored(found, list, findings);
    judge_reports(found, list, findings);
    const struct dkim_tag *policy = dkim_tag_find(list, "p");
    const struct dkim_tag *below = dkim_tag_find(list, "sp");
    bool inherited = strcmp(found->name + strlen("_dmarc."), domain) != 0;
    if (inherited && below != NULL)
        policy = below;
    if (policy == NULL || is_value(policy, "none") || is_value(dkim_tag_find(list, "t"), "y")) {
        check_found(findings, CHECK_DMARC_MONITORS, found->name, "nothing is enforced for %s: %s",
                    domain,
                    policy == NULL || is_value(policy, "none") ? "the policy is none"
                                                               : "t=y says that it is a test");
        check_mend(findings, "when the reports show no mail of yours that fails: p=reject");
    }
    if (good)
        check_found(findings, CHECK_DMARC_OK, domain, "%s: \"%s\"", found->name, found->text);
}

void check_dmarc(const char *domain, struct am_resolver *resolver, struct check_findings *findings)
{
    struct found found;

    if (!walk(domain, resolver, findings->arena, &found)) {
        findings->failed = true;
    } else if (found.count > 1) {
        check_found(findings, CHECK_DMARC_SEVERAL, found.name,
                    "%zu DMARC records: receivers take none of them", found.count);
        check_mend(findings, "leave one TXT record at %s", found.name);
    } else if (found.text != NULL) {
        judge_text(domain, &found, findings);
    } else if (found.dns == AM_DNS_OK || found.dns == AM_DNS_NODATA ||
               found.dns == AM_DNS_NXDOMAIN) {
        check_found(findings, CHECK_DMARC_MISSING, domain,
                    "no DMARC record, here or above: receivers decide as they like");
        check_mend(findings,
                   "publish the TXT record _dmarc.%s. \"v=DMARC1; p=none; "
                   "rua=mailto:postmaster@%s\"",
                   domain, domain);
    } else {
        check_found(findings, CHECK_DMARC_UNKNOWN, found.name, "the look-up gave \"%s\"",
                    am_dns_outcome_word(found.dns));
        check_mend(findings, "see to it that the name servers answer, then check again");
    }
}
