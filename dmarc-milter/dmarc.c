#include "dmarc-milter/dmarc.h"

#include <string.h>

#include "common/mail/domain.h"

/* One evaluation under way. */
struct work {
    struct dmarc_outcome *outcome;
    struct dmarc_names *names;
    const struct dmarc_request *request;
    struct dmarc_walk walk; /* from the author domain; whole once `walked` is set */
    bool walked;
    const struct dmarc_name *open; /* a name whose answer might have made an identifier aligned */
    const char *unproved;          /* an aligned identifier that may be proved another time */
};

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static const char *say(struct work *work, const char *text)
{
    if (text == NULL)
        work->names->no_memory = true;
    return text;
}

static void end_open(struct work *work, const struct dmarc_name *name)
{
    work->outcome->result = DMARC_TEMPERROR;
    work->outcome->reason =
        say(work, am_arena_printf(work->names->arena, "_dmarc.%s: %s", name->domain,
                                  am_dns_outcome_word(name->dns)));
}

/* --- the policy record --- */

/*
 * Section 4.10.1. The author's own record, which most have, needs no walk. Returns whether there is
 * something to go on with.
 */
static bool discover(struct work *work)
{
    struct dmarc_outcome *outcome = work->outcome;
    const struct dmarc_name *own = dmarc_names_ask(work->names, work->request->author);

    if (own == NULL)
        return false;
    outcome->found = own;
    if (!own->has_record) {
        if (!dmarc_walk(&work->walk, work->names, work->request->author))
            return false;
        work->walked = true;
        outcome->found = work->walk.failed != NULL ? NULL : dmarc_walk_policy(&work->walk);
        if (work->walk.failed != NULL) {
            end_open(work, work->walk.failed);
            return false;
        }
    }
    if (outcome->found == NULL) {
        outcome->reason = own->records > 1 ? "several DMARC records" : NULL;
        return false;
    }
    outcome->standing = dmarc_record_standing(&outcome->found->record);
    if (outcome->standing != DMARC_STANDING_BROKEN)
        return true;
    outcome->result = DMARC_PERMERROR;
    outcome->reason =
        say(work, am_arena_printf(work->names->arena,
                                  "record at _dmarc.%s: no usable policy and no usable "
                                  "rua",
                                  outcome->found->domain));
    return false;
}

/* --- alignment --- */

static struct am_span last_label(const char *domain)
{
    const char *dot = strrchr(domain, '.');

    return am_span_str(dot == NULL ? domain : dot + 1);
}

/* Walks from the author once. Returns its organisational domain, or NULL when it cannot be told. */
static const char *author_organisation(struct work *work)
{
    if (!work->walked && !dmarc_walk(&work->walk, work->names, work->request->author))
        return NULL;
    work->walked = true;
    if (work->walk.failed != NULL)
        work->open = work->walk.failed;
    return work->walk.failed == NULL ? dmarc_walk_organisation(&work->walk) : NULL;
}

/*
 * Section 4.10.2. An organisational domain stands at or above both names, so that most strangers
 * are told apart without a walk of their own.
 */
static bool is_aligned(struct work *work, const char *domain, bool strict)
{
    const char *author = work->request->author;
    struct dmarc_walk walk;

    if (same(domain, author))
        return true;
    if (strict || !am_span_equal(last_label(domain), last_label(author)))
        return false;
    const char *organisation = author_organisation(work);
    if (organisation == NULL ||
        !am_domain_is_within(am_span_str(domain), am_span_str(organisation)) ||
        !dmarc_walk(&walk, work->names, domain))
        return false;
    if (walk.failed != NULL)
        work->open = walk.failed;
    return walk.failed == NULL && same(dmarc_walk_organisation(&walk), organisation);
}

/* Tells whether an identifier makes the message pass; one that may do so another time is noted. */
static bool proves(struct work *work, const struct dmarc_identifier *identifier, bool strict)
{
    if (identifier->domain == NULL || identifier->domain[0] == '\0' ||
        identifier->proof == DMARC_PROOF_NONE || !is_aligned(work, identifier->domain, strict))
        return false;
    if (identifier->proof == DMARC_PROOF_UNKNOWN)
        work->unproved = identifier->domain;
    return identifier->proof == DMARC_PROOF_PASS;
}

/* The author's own name comes first: it needs no walk. */
static const char *find_dkim(struct work *work, bool strict)
{
    const struct dmarc_request *request = work->request;

    for (size_t i = 0; i < request->dkim_count; i++)
        if (request->dkim[i].proof == DMARC_PROOF_PASS && request->dkim[i].domain != NULL &&
            same(request->dkim[i].domain, request->author))
            return request->dkim[i].domain;
    for (size_t i = 0; i < request->dkim_count; i++)
        if (proves(work, &request->dkim[i], strict))
            return request->dkim[i].domain;
    return NULL;
}

/* Section 5.3.5; without an answer that was needed it is neither pass nor fail (section 5.3.6). */
static void judge(struct work *work)
{
    struct dmarc_outcome *outcome = work->outcome;
    const struct dmarc_record *record = &outcome->found->record;

    outcome->dkim_aligned = find_dkim(work, record->strict_dkim);
    if (proves(work, &work->request->spf, record->strict_spf))
        outcome->spf_aligned = work->request->spf.domain;
    outcome->result = DMARC_FAIL;
    if (outcome->dkim_aligned != NULL || outcome->spf_aligned != NULL) {
        outcome->result = DMARC_PASS;
    } else if (work->open != NULL) {
        end_open(work, work->open);
    } else if (work->unproved != NULL) {
        outcome->result = DMARC_TEMPERROR;
        outcome->reason =
            say(work, am_arena_printf(work->names->arena, "SPF or DKIM could not be checked for %s",
                                      work->unproved));
    }
}

/* --- the policy --- */

static enum dmarc_policy first_of(enum dmarc_policy a, enum dmarc_policy b)
{
    return a != DMARC_POLICY_ABSENT ? a : b;
}

/*
 * Tells which tag speaks of an author domain below the one with the record. Whether it exists is
 * asked only where it makes a difference (section 3.2.13: NXDOMAIN). Returns false when the DNS
 * does not tell.
 */
static bool choose_below(struct work *work)
{
    struct dmarc_outcome *outcome = work->outcome;
    const struct dmarc_record *record = &outcome->found->record;
    enum am_dns_outcome dns;

    outcome->rule = record->sp != DMARC_POLICY_ABSENT ? DMARC_RULE_SP : DMARC_RULE_P;
    if (record->np == DMARC_POLICY_ABSENT || record->np == first_of(record->sp, record->p))
        return true;
    struct am_dns_query *query = am_dns_start(work->names->resolver, work->request->author,
                                              AM_DNS_A, work->names->deadline_us);
    dns = am_dns_wait(query)->outcome;
    am_dns_release(query);
    work->names->queries++;
    if (dns == AM_DNS_NXDOMAIN)
        outcome->rule = DMARC_RULE_NP;
    if (dns == AM_DNS_OK || dns == AM_DNS_NODATA || dns == AM_DNS_NXDOMAIN)
        return true;
    if (outcome->result != DMARC_PASS) {
        outcome->result = DMARC_TEMPERROR;
        outcome->reason =
            say(work, am_arena_printf(work->names->arena, "%s: %s", work->request->author,
                                      am_dns_outcome_word(dns)));
    }
    return false;
}

/* Section 4.7, tag t: one level below. */
static enum dmarc_policy lowered(enum dmarc_policy policy)
{
    return policy == DMARC_POLICY_REJECT ? DMARC_POLICY_QUARANTINE : DMARC_POLICY_NONE;
}

static void choose_policy(struct work *work)
{
    struct dmarc_outcome *outcome = work->outcome;
    const struct dmarc_record *record = &outcome->found->record;

    outcome->rule = DMARC_RULE_P;
    outcome->published = outcome->policy = DMARC_POLICY_NONE;
    if (outcome->standing == DMARC_STANDING_NONE)
        return;
    if (!same(outcome->found->domain, work->request->author) && !choose_below(work)) {
        outcome->published = outcome->policy = DMARC_POLICY_ABSENT;
        return;
    }
    outcome->published = outcome->rule == DMARC_RULE_NP   ? record->np
                         : outcome->rule == DMARC_RULE_SP ? record->sp
                                                          : record->p;
    outcome->policy = record->testing ? lowered(outcome->published) : outcome->published;
}

bool dmarc_evaluate(struct dmarc_outcome *outcome, struct dmarc_names *names,
                    const struct dmarc_request *request)
{
    struct work work = {.outcome = outcome, .names = names, .request = request};

    *outcome = (struct dmarc_outcome){.result = DMARC_NONE};
    if (discover(&work)) {
        judge(&work);
        if (outcome->result == DMARC_PASS || outcome->result == DMARC_FAIL)
            choose_policy(&work);
    }
    return !names->no_memory;
}

const char *dmarc_result_word(enum dmarc_result result)
{
    static const char *const words[DMARC_RESULT_COUNT] = {"none", "pass", "fail", "temperror",
                                                          "permerror"};

    return words[result];
}
