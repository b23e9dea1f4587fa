#include "spf-milter/spf_prefetch.h"

#include "spf-milter/spf_lookup.h"
#include "spf-milter/spf_macro.h"
#include "spf-milter/spf_mech.h"

static bool budget_left(const struct spf_check *check)
{
    return check->prefetched < SPF_PREFETCH_MAX && !check->memory_short;
}

static void count_start(struct spf_check *check, unsigned queries_before)
{
    check->prefetched += check->outcome.queries - queries_before;
}

/* The question a term will ask first; false when it asks none, or none that can be told yet. */
static bool first_question(const struct spf_check *check, const struct spf_term *term,
                           enum am_dns_type *type)
{
    if ((term->macros & SPF_MACRO_PTR) != 0 ||
        ((term->macros & SPF_MACRO_LOCAL) != 0 && !check->local_is_ascii))
        return false;
    switch (term->kind) {
    case SPF_KIND_INCLUDE:
    case SPF_KIND_REDIRECT:
        *type = AM_DNS_TXT;
        return true;
    case SPF_KIND_A:
        *type = spf_address_type(check);
        return true;
    case SPF_KIND_MX:
        *type = AM_DNS_MX;
        return true;
    case SPF_KIND_EXISTS:
        *type = AM_DNS_A;
        return true;
    default:
        return false;
    }
}

static void prefetch_term(struct spf_check *check, const struct spf_term *term,
                          const struct spf_name *domain)
{
    enum am_dns_type type;
    struct spf_name target;
    if (!first_question(check, term, &type) || !spf_term_target(check, term, domain, &target))
        return;
    unsigned before = check->outcome.queries;
    struct spf_lookup *lookup = spf_lookup_start(check, &target, type);
    count_start(check, before);
    if (lookup != NULL)
        lookup->foreseen = true;
}

/* A mechanism after which nothing of this record is evaluated any more. */
static bool ends_record(const struct spf_check *check, const struct spf_term *term)
{
    return term->kind == SPF_KIND_ALL || spf_term_matches_address(check, term);
}

static void prefetch_record(struct spf_check *check, const struct spf_record *record,
                            const struct spf_name *domain)
{
    for (size_t i = 0; i < record->count && budget_left(check); i++) {
        if (ends_record(check, &record->terms[i]))
            return;
        prefetch_term(check, &record->terms[i], domain);
    }
    if (record->redirect != NULL && budget_left(check))
        prefetch_term(check, record->redirect, domain);
}

/* The hosts of an mx term; an answer with too many names ends the evaluation instead. */
static void prefetch_mx(struct spf_check *check, const struct spf_lookup *mx)
{
    if (mx->answer->count > check->request.limits.mx_names)
        return;
    for (size_t i = 0; i < mx->answer->count && budget_left(check); i++) {
        struct am_span host = mx->answer->records[i].text;
        const char *name = host.len == 0 ? NULL : am_arena_copy(check->arena, host);
        if (name == NULL)
            continue;
        unsigned before = check->outcome.queries;
        struct spf_lookup *lookup = spf_lookup_start_text(check, name, spf_address_type(check));
        count_start(check, before);
        if (lookup != NULL)
            lookup->foreseen = true;
    }
}

/* Follows an answer that has come. */
static void prefetch_from(struct spf_check *check, struct spf_lookup *lookup)
{
    lookup->followed = true;
    if (lookup->answer->outcome != AM_DNS_OK)
        return;
    if (lookup->type == AM_DNS_MX)
        prefetch_mx(check, lookup);
    if (lookup->type != AM_DNS_TXT || spf_lookup_select(check, lookup) != SPF_SELECT_RECORD)
        return;
    struct spf_name domain;
    if (spf_name_set(check, &domain, am_span_str(lookup->name)))
        prefetch_record(check, &lookup->record, &domain);
}

void spf_prefetch(struct spf_check *check)
{
    for (struct spf_frame *frame = check->frame; frame != NULL; frame = frame->outer)
        if (frame->record != NULL && !frame->prefetched && budget_left(check)) {
            frame->prefetched = true;
            prefetch_record(check, frame->record, frame->domain);
        }
    for (bool again = true; again && budget_left(check);) {
        again = false;
        for (struct spf_lookup *lookup = check->lookups; lookup != NULL; lookup = lookup->next) {
            if (!lookup->foreseen || lookup->followed)
                continue;
            if (lookup->answer == NULL)
                lookup->answer = am_dns_answer_of(lookup->query);
            if (lookup->answer == NULL)
                continue;
            prefetch_from(check, lookup);
            again = true;
        }
    }
}
