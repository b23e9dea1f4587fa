#include <limits.h>

#include "common/mail/pattern.h"
#include "dkim-milter/dkim_module_state.h"

#define BIT(INDEX) (UINT32_C(1) << (INDEX))

/* --- require_aligned --- */

/* Passes over blanks and comments (RFC 5322 section 3.2.2) at the start of a text. */
static struct am_span skip_comments(struct am_span text)
{
    size_t depth = 0, at = 0;

    for (; at < text.len; at++) {
        char c = text.ptr[at];

        if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (c == '\\' && depth > 0)
            at++;
        else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n')
            break;
    }
    return at < text.len ? am_span_of(text.ptr + at, text.len - at) : am_span_of(NULL, 0);
}

static size_t domain_len(struct am_span text)
{
    size_t len = 0;

    while (len < text.len) {
        unsigned char c = (unsigned char)text.ptr[len];
        if (!am_is_alnum(c) && c != '.' && c != '-' && c != '_' && c < 0x80)
            break;
        len++;
    }
    return len;
}

/* Tells whether a listed domain stands behind any "@" of a text. */
static bool mentions(struct am_ctx *ctx, struct am_span text)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    size_t at;

    while ((at = am_span_find(text, '@')) < text.len) {
        text = skip_comments(am_span_of(text.ptr + at + 1, text.len - at - 1));
        struct am_span domain = am_span_of(text.ptr, domain_len(text));
        if (domain.len > 0 && am_patterns_find_domain(derived->require_aligned, am_ctx_arena(ctx),
                                                      domain) != AM_TABLE_NONE)
            return true;
    }
    return false;
}

/*
 * Tells whether the message needs an aligned pass. When From names several authors, or none that we
 * can read, one listed domain in it is enough: nobody gets around the list by confusing us.
 */
static bool needs_aligned(struct am_ctx *ctx, const struct dkim_msg_state *state)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    struct am_span author = state->verifying.report->author, name = am_span_str("from");
    size_t count;

    if (am_patterns_is_empty(derived->require_aligned))
        return false;
    if (author.len > 0)
        return am_patterns_find_domain(derived->require_aligned, am_ctx_arena(ctx), author) !=
               AM_TABLE_NONE;
    const struct dkim_field *const *from = dkim_fields_find(&state->fields, name, &count);
    for (size_t i = 0; i < count; i++)
        if (mentions(ctx, from[i]->value))
            return true;
    return false;
}

/* Tells whether a signature that may yet satisfy require_aligned could not be judged now. */
static bool may_be_aligned_later(const struct dkim_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->outcomes[i].aligned && report->outcomes[i].result == DKIM_TEMPERROR)
            return true;
    return false;
}

/* --- replies --- */

/* RFC 7372 section 3.1. */
static const char *status_of(const struct dkim_verifying *verifying, unsigned index)
{
    if (index == DKIM_POLICY_UNALIGNED)
        return "7.22"; /* no valid author-matched signature */
    return verifying->result == DKIM_POLICY ? "7.21" : "7.20"; /* no acceptable, no passing one */
}

static const char *text_of(struct am_arena *arena, const struct dkim_verifying *verifying,
                           unsigned index)
{
    const struct dkim_outcome *outcome = verifying->decisive;
    struct am_span author = verifying->report->author;

    if (index == DKIM_POLICY_UNALIGNED)
        return am_arena_printf(arena, "Mail from %.*s needs a valid DKIM signature of that domain",
                               author.len > 0 ? (int)author.len : INT_MAX,
                               author.len > 0 ? author.ptr : "a protected domain");
    if (outcome == NULL)
        return verifying->result == DKIM_NONE ? "No DKIM signature found"
                                              : dkim_reason_text(DKIM_REASON_HEADER_TOO_LARGE);
    return am_arena_printf(
        arena, "DKIM %s for d=%s s=%s: %s", dkim_result_word(outcome->result),
        outcome->parts->ascii_domain == NULL ? "(none)" : outcome->parts->ascii_domain,
        outcome->parts->ascii_selector == NULL ? "(none)" : outcome->parts->ascii_selector,
        dkim_reason_text(outcome->reason));
}

/* Words the reply; left out when memory is short. */
static void add_reply(struct am_ctx *ctx, const struct dkim_verifying *verifying,
                      struct am_ruling *ruling)
{
    const struct dkim_conf *conf = am_ctx_conf(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);

    ruling->status = status_of(verifying, ruling->decision.index);
    ruling->text = text_of(arena, verifying, ruling->decision.index);
    if (ruling->text != NULL && conf->reply_text[0] != '\0')
        ruling->text = am_arena_printf(arena, "%s\n%s", ruling->text, conf->reply_text);
}

/* --- ruling --- */

bool dkim_module_may(const struct dkim_derived *derived, unsigned actions)
{
    return (am_overrides_possible(derived->overrides, derived->options) & actions) != 0;
}

enum am_verdict dkim_module_rule(struct am_ctx *ctx, struct dkim_msg_state *state)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    struct dkim_verifying *verifying = &state->verifying;
    struct am_override_facts facts = {
        .arena = am_ctx_arena(ctx),
        .client = am_ctx_conn(ctx)->client,
        .sender = &am_ctx_msg(ctx)->sender,
    };
    uint32_t asked = 0;

    if (!dkim_module_may(derived, AM_POLICY_DEEDS))
        return AM_CONTINUE;
    if (verifying->result != DKIM_PASS)
        asked |= BIT(verifying->result);
    if (!verifying->report->aligned_pass && needs_aligned(ctx, state))
        asked |= BIT(DKIM_POLICY_UNALIGNED);
    struct am_ruling ruling = {
        .decision =
            am_overrides_decide_all(derived->overrides, &facts, &verifying->recipients, asked),
        .transient = verifying->result == DKIM_TEMPERROR,
    };
    if (ruling.decision.index == DKIM_POLICY_UNALIGNED && may_be_aligned_later(verifying->report)) {
        ruling.transient = true;
        if (ruling.decision.action == AM_POLICY_REJECT)
            ruling.decision.action = AM_POLICY_TEMPFAIL;
    }
    if ((AM_POLICY_BIT(ruling.decision.action) & AM_POLICY_REFUSALS) != 0)
        add_reply(ctx, verifying, &ruling);
    return am_ruling_carry_out(ctx, &verifying->ruled, &ruling);
}
