#include "spf-milter/spf_eval.h"
#include "spf-milter/spf_lookup.h"
#include "spf-milter/spf_macro.h"
#include "spf-milter/spf_mech.h"
#include "spf-milter/spf_trace.h"

#define EXPLANATION_MAX 512

const char *spf_explain(struct spf_check *check, const struct spf_frame *frame)
{
    const struct spf_term *exp = frame->record->exp;
    struct spf_name target;
    if (exp == NULL || !spf_term_target(check, exp, frame->domain, &target))
        return NULL;
    /* Section 4.6.4: this look-up counts against no limit. */
    struct spf_lookup *lookup = spf_lookup_start(check, &target, AM_DNS_TXT);
    if (lookup == NULL)
        return NULL;
    size_t step = spf_trace_add(check, frame, am_span_str("exp"));
    const struct am_dns_answer *answer = spf_lookup_wait(check, lookup);
    spf_trace_answer(check, step, lookup);
    const char *text = NULL;
    if (answer->outcome == AM_DNS_OK && answer->count == 1)
        text = spf_macro_expand_explanation(check, answer->records[0].text, EXPLANATION_MAX,
                                            frame->domain);
    spf_trace_outcome(check, step, text == NULL ? "no usable explanation" : "used");
    return text;
}
