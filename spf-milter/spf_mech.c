#include "spf-milter/spf_mech.h"

#include <string.h>

#include "spf-milter/spf_lookup.h"
#include "spf-milter/spf_macro.h"
#include "spf-milter/spf_ptr.h"
#include "spf-milter/spf_trace.h"

/* One evaluation of one term. */
struct trial {
    struct spf_check *check;
    const struct spf_frame *frame;
    const struct spf_term *term;
    struct spf_name target;
    size_t step;
    enum spf_result error; /* with SPF_MATCH_ERROR */
};

enum am_dns_type spf_address_type(const struct spf_check *check)
{
    return check->request.client.family == 6 ? AM_DNS_AAAA : AM_DNS_A;
}

static bool same_network(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
    unsigned whole = prefix / 8, rest = prefix % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

/* Tells whether an address of the answer lies in the client's network of that size. */
static bool answer_contains(const struct spf_check *check, const struct am_dns_answer *answer,
                            const struct spf_term *term)
{
    const struct am_ip *client = &check->request.client;
    if (answer->outcome != AM_DNS_OK)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        const struct am_dns_record *record = &answer->records[i];
        if (client->family == 6 ? same_network(record->aaaa, client->bytes, term->prefix6)
                                : same_network(record->a, client->bytes, term->prefix4))
            return true;
    }
    return false;
}

bool spf_answer_has_client(const struct spf_check *check, const struct am_dns_answer *answer)
{
    static const struct spf_term whole_address = {.prefix4 = 32, .prefix6 = 128};
    return answer_contains(check, answer, &whole_address);
}

bool spf_term_matches_address(const struct spf_check *check, const struct spf_term *term)
{
    const struct am_ip *client = &check->request.client;
    if (term->kind == SPF_KIND_IP4)
        return client->family == 4 && same_network(term->address, client->bytes, term->prefix4);
    if (term->kind == SPF_KIND_IP6)
        return client->family == 6 && same_network(term->address, client->bytes, term->prefix6);
    return false;
}

bool spf_term_target(struct spf_check *check, const struct spf_term *term,
                     const struct spf_name *domain, struct spf_name *target)
{
    if (term->spec.len == 0) {
        *target = *domain;
        return true;
    }
    if ((term->macros & SPF_MACRO_LOCAL) != 0 && !check->local_is_ascii)
        return false;
    return spf_macro_expand_domain(check, term->spec, term->macros, domain, target);
}

bool spf_term_count(struct spf_check *check, const struct spf_term *term)
{
    if (check->outcome.terms_used < check->request.limits.terms) {
        check->outcome.terms_used++;
        return true;
    }
    spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_TERMS, "more than %u DNS terms at %s",
                  check->request.limits.terms, spf_shown(check->arena, term->text));
    return false;
}

static enum spf_match end_trial(struct trial *trial, enum spf_result error)
{
    trial->error = error;
    if (trial->check->outcome.reason != NULL)
        spf_trace_outcome(trial->check, trial->step, trial->check->outcome.reason);
    return SPF_MATCH_ERROR;
}

/* Section 4.6.4: the third void term ends it all. */
static enum spf_match count_void(struct trial *trial)
{
    struct spf_check *check = trial->check;
    spf_trace_outcome(check, trial->step, "void");
    if (check->outcome.voids_used < check->request.limits.voids) {
        check->outcome.voids_used++;
        return SPF_NO_MATCH;
    }
    return end_trial(trial,
                     spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_VOIDS,
                                   "more than %u void look-ups at %s", check->request.limits.voids,
                                   spf_shown(check->arena, trial->term->text)));
}

/* Asks the first question of a term; NULL when the trial is over, `*verdict` then says how. */
static struct spf_lookup *ask(struct trial *trial, enum am_dns_type type, enum spf_match *verdict)
{
    struct spf_check *check = trial->check;
    struct spf_lookup *lookup = spf_lookup_start(check, &trial->target, type);
    if (lookup == NULL) {
        *verdict = end_trial(trial, spf_check_end_memory(check));
        return NULL;
    }
    const struct am_dns_answer *answer = spf_lookup_wait(check, lookup);
    spf_trace_answer(check, trial->step, lookup);
    if (answer->outcome == AM_DNS_OK)
        return lookup;
    *verdict = spf_answer_is_void(answer) ? count_void(trial)
                                          : end_trial(trial, spf_lookup_failed(check, lookup));
    return NULL;
}

static enum spf_match match_addresses(struct trial *trial)
{
    enum spf_match verdict;
    struct spf_lookup *lookup = ask(trial, spf_address_type(trial->check), &verdict);
    if (lookup == NULL)
        return verdict;
    return answer_contains(trial->check, lookup->answer, trial->term) ? SPF_MATCH : SPF_NO_MATCH;
}

static enum spf_match match_exists(struct trial *trial)
{
    enum spf_match verdict; /* section 5.7: an A record, whatever the client's family */
    return ask(trial, AM_DNS_A, &verdict) == NULL ? verdict : SPF_MATCH;
}

/*
 * Judges the hosts of an mx term as their addresses come. A match wins over
 * the failure of another host, so that neither the order of the records nor
 * that of the answers decides.
 */
static enum spf_match judge_hosts(struct trial *trial, struct spf_lookup **hosts, size_t count)
{
    struct spf_check *check = trial->check;
    const struct spf_lookup *failed = NULL;
    bool any_void = false;
    struct spf_lookup *host;
    while (spf_lookup_next(check, hosts, count, &host) < count) {
        size_t step = spf_trace_add(check, trial->frame, trial->term->text);
        spf_trace_answer(check, step, host);
        if (answer_contains(check, host->answer, trial->term)) {
            spf_trace_outcome(check, step, "match");
            return SPF_MATCH;
        }
        if (spf_answer_is_failure(host->answer))
            failed = host;
        any_void = any_void || spf_answer_is_void(host->answer);
        spf_trace_outcome(check, step, spf_answer_is_void(host->answer) ? "void" : "no match");
    }
    if (failed != NULL)
        return end_trial(trial, spf_lookup_failed(check, failed));
    return any_void ? count_void(trial) : SPF_NO_MATCH;
}

static enum spf_match match_mx(struct trial *trial)
{
    struct spf_check *check = trial->check;
    enum spf_match verdict;
    struct spf_lookup *mx = ask(trial, AM_DNS_MX, &verdict);
    if (mx == NULL)
        return verdict;
    size_t count = mx->answer->count;
    if (count > check->request.limits.mx_names) /* section 4.6.4 */
        return end_trial(trial, spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_MX_NAMES,
                                              "more than %u mail servers at %s",
                                              check->request.limits.mx_names,
                                              spf_shown(check->arena, am_span_str(mx->name))));
    struct spf_lookup **hosts = am_arena_alloc(check->arena, count * sizeof(struct spf_lookup *));
    if (hosts == NULL)
        return end_trial(trial, spf_check_end_memory(check));
    for (size_t i = 0; i < count; i++) {
        struct am_span host = mx->answer->records[i].text;
        if (host.len == 0)
            continue; /* "no mail here" (RFC 7505): nothing to ask */
        const char *name = am_arena_copy(check->arena, host);
        hosts[i] =
            name == NULL ? NULL : spf_lookup_start_text(check, name, spf_address_type(check));
        if (hosts[i] == NULL)
            return end_trial(trial, spf_check_end_memory(check));
    }
    return judge_hosts(trial, hosts, count);
}

static enum spf_match match_ptr(struct trial *trial)
{
    struct spf_lookup *lookup = NULL;
    enum spf_match verdict = spf_ptr_matches(trial->check, &trial->target, &lookup);
    if (lookup != NULL)
        spf_trace_answer(trial->check, trial->step, lookup);
    if (verdict == SPF_MATCH_ERROR)
        return end_trial(trial, spf_check_end_memory(trial->check));
    if (verdict == SPF_NO_MATCH && spf_answer_is_void(lookup->answer))
        return count_void(trial);
    return verdict;
}

static enum spf_match match_with_dns(struct trial *trial)
{
    struct spf_check *check = trial->check;
    if (!spf_term_count(check, trial->term))
        return end_trial(trial, SPF_PERMERROR);
    if (!spf_term_target(check, trial->term, trial->frame->domain, &trial->target))
        return check->memory_short ? end_trial(trial, spf_check_end_memory(check)) : SPF_NO_MATCH;
    switch (trial->term->kind) {
    case SPF_KIND_A:
        return match_addresses(trial);
    case SPF_KIND_MX:
        return match_mx(trial);
    case SPF_KIND_PTR:
        return match_ptr(trial);
    default:
        return match_exists(trial);
    }
}

enum spf_match spf_term_match(struct spf_check *check, const struct spf_frame *frame,
                              const struct spf_term *term, enum spf_result *result)
{
    struct trial trial = {.check = check, .frame = frame, .term = term};
    trial.step = spf_trace_add(check, frame, term->text);
    enum spf_match verdict;
    switch (term->kind) {
    case SPF_KIND_ALL:
        verdict = SPF_MATCH;
        break;
    case SPF_KIND_IP4:
    case SPF_KIND_IP6:
        verdict = spf_term_matches_address(check, term) ? SPF_MATCH : SPF_NO_MATCH;
        break;
    default:
        verdict = match_with_dns(&trial);
    }
    *result = trial.error;
    if (verdict == SPF_MATCH)
        spf_trace_outcome(check, trial.step, "match");
    return verdict;
}
