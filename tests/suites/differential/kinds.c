#include "tests/suites/differential/kinds.h"

#include <string.h>

#include "spf-milter/spf_record.h"
#include "tests/suites/differential/abnf.h"
#include "tests/suites/differential/naive_macro.h"

static bool reason_has(const struct spf_outcome *outcome, const char *text)
{
    return outcome->reason != NULL && strstr(outcome->reason, text) != NULL;
}

/* Calls `judge` for every SPF record that our evaluation read; true when one of them is so. */
static bool any_record(const struct difference *d, bool (*judge)(struct am_span record))
{
    for (size_t i = 0; i < d->ours->step_count; i++) {
        const struct spf_step *step = &d->ours->steps[i];
        if (step->answer == NULL || step->type != AM_DNS_TXT)
            continue;
        for (size_t k = 0; k < step->answer->count; k++)
            if (spf_record_is_spf(step->answer->records[k].text) &&
                judge(step->answer->records[k].text))
                return true;
    }
    return false;
}

static bool breaks_grammar(struct am_span record)
{
    return !abnf_accepts(record);
}

static bool has_text(const struct difference *d, const char *text)
{
    for (size_t i = 0; i < d->ours->step_count; i++) {
        const struct spf_step *step = &d->ours->steps[i];
        for (size_t k = 0;
             step->answer != NULL && step->type == AM_DNS_TXT && k < step->answer->count; k++)
            if (memmem(step->answer->records[k].text.ptr, step->answer->records[k].text.len, text,
                       strlen(text)) != NULL)
                return true;
    }
    return false;
}

static bool too_many_terms(const struct difference *d)
{
    return d->ours->limit == SPF_LIMIT_TERMS && d->ours->terms_used == 10;
}

static bool too_many_voids(const struct difference *d)
{
    return d->ours->limit == SPF_LIMIT_VOIDS && d->ours->voids_used == 2;
}

static bool too_many_mail_servers(const struct difference *d)
{
    return d->ours->limit == SPF_LIMIT_MX_NAMES;
}

static bool wrong_grammar(const struct difference *d)
{
    return reason_has(d->ours, "syntax error") && any_record(d, breaks_grammar);
}

static bool second_modifier(const struct difference *d)
{
    return reason_has(d->ours, "second modifier") && any_record(d, abnf_has_second_modifier);
}

/* libspf2 calls the record wrong; the independent grammar and we do not. */
static bool refused(const struct difference *d, const char *why)
{
    return d->theirs->result == SPF_PERMERROR && reason_has(d->theirs, why) &&
           !reason_has(d->ours, "syntax error") && !any_record(d, breaks_grammar);
}

static bool refused_cidr(const struct difference *d)
{
    return refused(d, "Invalid CIDR length");
}

static bool refused_delimiter(const struct difference *d)
{
    return refused(d, "Invalid delimiter character");
}

static bool refused_character(const struct difference *d)
{
    return refused(d, "Invalid character found");
}

static bool refused_recursion(const struct difference *d)
{
    return refused(d, "unlimited recursion");
}

/* The same inside an include or redirect, where libspf2 only says that there is no record. */
static bool refused_inside(const struct difference *d)
{
    return refused(d, "Could not find a valid SPF record") &&
           any_record(d, abnf_has_refused_feature);
}

static bool upper_case_version(const struct difference *d)
{
    return has_text(d, "V=SPF1") && reason_has(d->theirs, "Could not find a valid SPF record");
}

static bool server_failed(const struct difference *d)
{
    for (size_t i = 0; i < d->ours->step_count; i++)
        if (d->ours->steps[i].answer != NULL &&
            d->ours->steps[i].answer->outcome == AM_DNS_SERVFAIL)
            return d->ours->result == SPF_TEMPERROR;
    return false;
}

static bool ptr_with_final_dot(const struct difference *d)
{
    const struct spf_step *last = &d->ours->steps[d->ours->step_count - 1];
    return memmem(last->term.ptr, last->term.len, "ptr:", 4) != NULL &&
           last->term.ptr[last->term.len - 1] == '.' && strcmp(last->outcome, "match") == 0;
}

/* "\\064" back to "@" */
static void unescape(const char *name, struct am_buf *out)
{
    for (; *name != '\0'; name++)
        if (*name == '\\') {
            am_buf_add_char(out,
                            (char)((name[1] - '0') * 100 + (name[2] - '0') * 10 + name[3] - '0'));
            name += 3;
        } else {
            am_buf_add_char(out, *name);
        }
}

/* Takes "/24", "//64" or both off the end. */
static struct am_span without_cidr(struct am_span spec)
{
    size_t end = spec.len;
    while (end > 0 && am_is_digit((unsigned char)spec.ptr[end - 1]))
        end--;
    if (end == spec.len || end == 0 || spec.ptr[end - 1] != '/')
        return spec;
    while (end > 0 && spec.ptr[end - 1] == '/')
        end--;
    return without_cidr(am_span_of(spec.ptr, end));
}

/* Whether a name that we asked is what the plain reading of the RFC makes of the term. */
static bool agrees_with_naive(const struct spf_request *request, const struct spf_step *step)
{
    struct am_buf expected, asked;
    size_t colon = am_span_find(step->term, ':');
    struct am_span spec =
        without_cidr(am_span_of(step->term.ptr + colon + 1, step->term.len - colon - 1));
    am_buf_init(&expected, 0);
    am_buf_init(&asked, 0);
    bool agrees = naive_macro_expand(request, step->domain, spec, &expected);
    unescape(step->target, &asked);
    agrees = agrees && am_span_equal_nocase(am_buf_span(&expected), am_buf_span(&asked));
    am_buf_fini(&expected);
    am_buf_fini(&asked);
    return agrees;
}

/* The name of the mechanism, without its qualifier, begins so. */
static bool is_mechanism(const struct spf_step *step, const char *name)
{
    struct am_span term = step->term;
    if (term.len > 0 && strchr("+-~?", term.ptr[0]) != NULL)
        term = am_span_of(term.ptr + 1, term.len - 1);
    return am_span_starts_nocase(term, am_span_str(name));
}

/*
 * Terms with macros were evaluated, and every name we asked for them is the
 * plain expansion. What a ptr term expands to is not asked; it goes along.
 */
static bool expanded_otherwise(const struct difference *d)
{
    bool any = false;
    for (size_t i = 0; i < d->ours->step_count; i++) {
        struct spf_step step = d->ours->steps[i];
        bool is_host = is_mechanism(&step, "mx") && step.type != AM_DNS_MX;
        if (memmem(step.term.ptr, step.term.len, "%{", 2) == NULL || is_host)
            continue;
        any = true;
        if (is_mechanism(&step, "ptr"))
            continue;
        if (step.target == NULL && i + 1 < d->ours->step_count)
            step.target = d->ours->steps[i + 1].target; /* of an include: the record's step */
        if (step.target == NULL || !agrees_with_naive(d->request, &step))
            return false;
    }
    return any;
}

static bool has_redirect_before_all(struct am_span record)
{
    const char *redirect = memmem(record.ptr, record.len, " redirect=", 10);
    if (redirect == NULL)
        return false;
    size_t left = record.len - (size_t)(redirect - record.ptr);
    static const char *const ends[] = {"all", "ALL"};
    for (size_t i = 0; i < 2; i++)
        if (memmem(redirect, left, ends[i], 3) != NULL)
            return true;
    return false;
}

static bool is_all(struct am_span term)
{
    return am_span_equal_nocase(term, am_span_str("all")) ||
           (term.len == 4 && am_span_ends_nocase(term, am_span_str("all")));
}

/* The text of the record that a "record" step found. */
static struct am_span found_record(const struct spf_step *step)
{
    for (size_t i = 0; step->answer != NULL && i < step->answer->count; i++)
        if (spf_record_is_spf(step->answer->records[i].text))
            return step->answer->records[i].text;
    return am_span_of("", 0);
}

/* Our evaluation came to the "all" of a record that has a redirect in front of it. */
static bool redirected_too_early(const struct difference *d)
{
    for (size_t i = 0; i < d->ours->step_count; i++) {
        const struct spf_step *start = &d->ours->steps[i];
        if (strcmp(start->outcome, "found") != 0 || !has_redirect_before_all(found_record(start)))
            continue;
        for (size_t k = i + 1; k < d->ours->step_count; k++)
            if (d->ours->steps[k].depth == start->depth && is_all(d->ours->steps[k].term) &&
                strcmp(d->ours->steps[k].domain, start->domain) == 0)
                return true;
    }
    return false;
}

/* RFC 7208 section 7.3 leaves the choice among several validated names open. */
static bool chose_another_name(const struct difference *d)
{
    const struct spf_step *last = &d->ours->steps[d->ours->step_count - 1];
    for (const struct spf_step *step = d->ours->steps; step <= last; step++)
        if (memmem(step->term.ptr, step->term.len, "%{p", 3) != NULL ||
            memmem(step->term.ptr, step->term.len, "%{P", 3) != NULL)
            return true;
    return false;
}

const struct difference_kind difference_kinds[] = {
    {"terms",
     "RFC 7208 4.6.4: 10 terms in the whole evaluation; libspf2 counts anew in each include",
     too_many_terms},
    {"voids", "RFC 7208 4.6.4: two void look-ups; libspf2 has no such limit", too_many_voids},
    {"mx-names", "RFC 7208 4.6.4: more than 10 mail servers are a permerror",
     too_many_mail_servers},
    {"grammar", "RFC 7208 12: the record breaks the grammar, and the regular expression agrees",
     wrong_grammar},
    {"second-modifier", "RFC 7208 6: redirect and exp come once", second_modifier},
    {"cidr-refused", "RFC 7208 5.6: /0 is a valid length; libspf2 refuses it", refused_cidr},
    {"delimiter-refused",
     "RFC 7208 7.1: '/' and ',' are delimiters and R is r; libspf2 refuses the three",
     refused_delimiter},
    {"character-refused", "RFC 7208 12: a modifier's name may hold a dot; libspf2 refuses it",
     refused_character},
    {"refused-inside", "the same three, in a record that is included or redirected to",
     refused_inside},
    {"recursion-refused", "RFC 7208 4.6.4: only the number of terms bounds recursion",
     refused_recursion},
    {"version-case", "RFC 7208 4.5: the version is compared without regard to case",
     upper_case_version},
    {"early-redirect", "RFC 7208 6.1: redirect is ignored when there is an all, wherever it stands",
     redirected_too_early},
    {"servfail", "RFC 7208 5: a failure of the DNS while a term is evaluated is a temperror",
     server_failed},
    {"ptr-final-dot", "RFC 7208 7.1: the final dot of a domain-spec means nothing",
     ptr_with_final_dot},
    {"macro", "RFC 7208 7.3: our expansion equals that of a third, word-for-word one",
     expanded_otherwise},
    {"p-choice", "RFC 7208 7.3: which of several validated names %{p} takes is open",
     chose_another_name},
    {NULL, NULL, NULL},
};

int difference_kind(const struct difference *difference)
{
    for (int i = 0; difference_kinds[i].name != NULL; i++)
        if (difference_kinds[i].applies(difference))
            return i;
    return -1;
}
