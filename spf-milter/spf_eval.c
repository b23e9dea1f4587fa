#include "spf-milter/spf_eval.h"

#include "spf-milter/spf_lookup.h"
#include "spf-milter/spf_macro.h"
#include "spf-milter/spf_mech.h"
#include "spf-milter/spf_trace.h"

static enum spf_result eval_domain(struct spf_check *check, const struct spf_name *domain,
                                   struct spf_lookup *lookup, struct spf_frame *outer,
                                   bool outermost);

/* Notes that `term` decided at this depth; deeper entries of the path are forgotten. */
static void decide(struct spf_check *check, const struct spf_frame *frame,
                   const struct spf_term *term)
{
    check->path[frame->depth] = term->text;
    check->path_count = frame->depth + 1;
}

/* The record another term names; the evaluation of it is check_host() again. */
static enum spf_result eval_other(struct spf_check *check, struct spf_frame *frame,
                                  const struct spf_term *term, size_t step)
{
    struct spf_name target;
    if (!spf_term_target(check, term, frame->domain, &target)) {
        if (check->memory_short)
            return spf_check_end_memory(check);
        return SPF_NONE; /* RFC 8616 section 4: such a name cannot be asked */
    }
    if (!spf_name_is_usable(&target))
        return SPF_NONE;
    struct spf_lookup *lookup = spf_lookup_start(check, &target, AM_DNS_TXT);
    if (lookup == NULL)
        return spf_check_end_memory(check);
    spf_trace_outcome(check, step, "evaluated below");
    decide(check, frame, term);
    return eval_domain(check, &target, lookup, frame,
                       frame->outermost && term->kind == SPF_KIND_REDIRECT);
}

/* Section 5.2: what the result of the included record means for the including one. */
static enum spf_match match_include(struct spf_check *check, struct spf_frame *frame,
                                    const struct spf_term *term, enum spf_result *error)
{
    size_t step = spf_trace_add(check, frame, term->text);
    *error = SPF_PERMERROR;
    if (!spf_term_count(check, term)) {
        spf_trace_outcome(check, step, check->outcome.reason);
        return SPF_MATCH_ERROR;
    }
    bool skipped = (term->macros & SPF_MACRO_LOCAL) != 0 && !check->local_is_ascii;
    enum spf_result inner = skipped ? SPF_FAIL : eval_other(check, frame, term, step);
    switch (inner) {
    case SPF_PASS:
        spf_trace_outcome(check, step, "match");
        return SPF_MATCH;
    case SPF_FAIL:
    case SPF_SOFTFAIL:
    case SPF_NEUTRAL:
        spf_trace_outcome(check, step, "no match");
        return SPF_NO_MATCH;
    case SPF_NONE:
        spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_NONE, "no SPF record for %s",
                      spf_shown(check->arena, term->text));
        break;
    case SPF_TEMPERROR:
        *error = SPF_TEMPERROR;
        break;
    case SPF_PERMERROR:
        break;
    }
    spf_trace_outcome(check, step, spf_result_word(inner));
    return SPF_MATCH_ERROR;
}

/* Section 6.1. */
static enum spf_result follow_redirect(struct spf_check *check, struct spf_frame *frame)
{
    const struct spf_term *term = frame->record->redirect;
    size_t step = spf_trace_add(check, frame, term->text);
    if (!spf_term_count(check, term)) {
        spf_trace_outcome(check, step, check->outcome.reason);
        return SPF_PERMERROR;
    }
    enum spf_result result = eval_other(check, frame, term, step);
    if (result == SPF_NONE)
        result = spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_NONE, "no SPF record for %s",
                               spf_shown(check->arena, term->text));
    spf_trace_outcome(check, step, spf_result_word(result));
    return result;
}

static enum spf_result eval_record(struct spf_check *check, struct spf_frame *frame)
{
    const struct spf_record *record = frame->record;
    for (size_t i = 0; i < record->count; i++) {
        const struct spf_term *term = &record->terms[i];
        enum spf_result error;
        enum spf_match verdict = term->kind == SPF_KIND_INCLUDE
                                     ? match_include(check, frame, term, &error)
                                     : spf_term_match(check, frame, term, &error);
        if (verdict == SPF_MATCH_ERROR)
            return error;
        if (verdict == SPF_NO_MATCH)
            continue;
        if (term->kind != SPF_KIND_INCLUDE)
            decide(check, frame, term);
        if (term->result == SPF_FAIL && frame->outermost && check->request.want_explanation)
            check->outcome.explanation = spf_explain(check, frame);
        return term->result;
    }
    check->path_count = frame->depth;
    return record->redirect == NULL ? SPF_NEUTRAL : follow_redirect(check, frame);
}

/* A record that was found but cannot be used, as an error; SPF_PASS when it can. */
static enum spf_result judge_selection(struct spf_check *check, const struct spf_name *domain,
                                       enum spf_selection selection, struct am_span bad)
{
    if (selection == SPF_SELECT_RECORD)
        return SPF_PASS;
    const char *name = spf_shown(check->arena, spf_name_span(domain));
    switch (selection) {
    case SPF_SELECT_SEVERAL:
        return spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_NONE, "more than one SPF record at %s",
                             name);
    case SPF_SELECT_TOO_LONG:
        return spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_RECORD,
                             "SPF record of more than %u octets at %s",
                             check->request.limits.record_bytes, name);
    case SPF_SELECT_SYNTAX:
        return spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_NONE,
                             "syntax error in term '%s' at %s", spf_shown(check->arena, bad), name);
    case SPF_SELECT_DUPLICATE:
        return spf_check_end(check, SPF_PERMERROR, SPF_LIMIT_NONE, "second modifier '%s' at %s",
                             spf_shown(check->arena, bad), name);
    default:
        return spf_check_end_memory(check);
    }
}

static enum spf_result none_at(struct spf_check *check, struct spf_frame *frame, size_t step,
                               const char *outcome)
{
    spf_trace_outcome(check, step, outcome);
    if (frame->depth > 0)
        return SPF_NONE; /* the including or redirecting term makes it an error */
    return spf_check_end(check, SPF_NONE, SPF_LIMIT_NONE, "%s: %s", outcome,
                         spf_shown(check->arena, spf_name_span(frame->domain)));
}

/* Evaluates a record with its frame on top, where prefetching looks for terms to come. */
static enum spf_result eval_frame(struct spf_check *check, struct spf_frame *frame)
{
    if (frame->depth == 0)
        check->outcome.record = am_arena_copy(check->arena, frame->record->text);
    struct spf_frame *below = check->frame;
    check->frame = frame;
    enum spf_result result = eval_record(check, frame);
    check->frame = below;
    return result;
}

static enum spf_result eval_domain(struct spf_check *check, const struct spf_name *domain,
                                   struct spf_lookup *lookup, struct spf_frame *outer,
                                   bool outermost)
{
    struct spf_frame frame = {.outer = outer,
                              .domain = domain,
                              .shown = lookup->name,
                              .depth = outer == NULL ? 0 : outer->depth + 1,
                              .outermost = outermost};
    size_t step = spf_trace_add(check, &frame, am_span_str("record"));
    const struct am_dns_answer *answer = spf_lookup_wait(check, lookup);
    spf_trace_answer(check, step, lookup);
    if (spf_answer_is_failure(answer)) {
        spf_trace_outcome(check, step, am_dns_outcome_word(answer->outcome));
        return spf_lookup_failed(check, lookup);
    }
    if (answer->outcome == AM_DNS_NXDOMAIN)
        return none_at(check, &frame, step, "no such domain");
    enum spf_selection selection =
        answer->outcome == AM_DNS_OK ? spf_lookup_select(check, lookup) : SPF_SELECT_NONE;
    if (selection == SPF_SELECT_NONE)
        return none_at(check, &frame, step, "no SPF record");
    enum spf_result judged = judge_selection(check, domain, selection, lookup->bad);
    if (judged != SPF_PASS) {
        spf_trace_outcome(check, step, check->outcome.reason);
        return judged;
    }
    spf_trace_outcome(check, step, "found");
    frame.record = &lookup->record;
    return eval_frame(check, &frame);
}

enum spf_result spf_eval(struct spf_check *check)
{
    return eval_domain(check, &check->sender_domain, check->first, NULL, true);
}
