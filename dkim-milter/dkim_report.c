#include "common/mail/domain.h"
#include "dkim-milter/dkim_verify.h"

enum dkim_result dkim_report_best_of(unsigned seen)
{
    static const enum dkim_result order[] = {DKIM_PASS,   DKIM_TEMPERROR, DKIM_FAIL,
                                             DKIM_POLICY, DKIM_PERMERROR, DKIM_NEUTRAL};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if ((seen & 1U << order[i]) != 0)
            return order[i];
    return DKIM_NONE;
}

enum dkim_result dkim_report_best(const struct dkim_outcome *outcomes, size_t count)
{
    unsigned seen = 0;

    for (size_t i = 0; i < count; i++)
        seen |= 1U << outcomes[i].result;
    return dkim_report_best_of(seen);
}

bool dkim_is_aligned(struct am_span signing, struct am_span author)
{
    struct am_span upper = signing.len < author.len ? signing : author;

    if (am_span_equal(signing, author))
        return signing.len > 0;
    return am_domain_is_multi_label(upper) &&
           (am_domain_is_within(author, signing) || am_domain_is_within(signing, author));
}
