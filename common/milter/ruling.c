#include "common/milter/ruling.h"

#include "common/milter/ctx.h"

/* Says which option decided: "mailfrom_fail = reject" or "... (override partners)". */
static const char *describe(struct am_arena *arena, const struct am_policy_decision *decision)
{
    const char *option =
        am_arena_printf(arena, "%s = %s", decision->option, am_policy_word(decision->action));
    const char *name = decision->rule == NULL ? NULL : am_override_rule_name(arena, decision->rule);

    if (option != NULL && name != NULL)
        option = am_arena_printf(arena, "%s (override %s)", option, name);
    return option == NULL ? "policy" : option;
}

/* The reason stands alone in the MTA's log and queue listing: it says who held the message. */
static void set_quarantine(struct am_ctx *ctx, const char *why)
{
    const char *module = ctx->entry->module->name;
    const char *reason = am_arena_printf(am_ctx_arena(ctx), "%s: %s", module, why);

    am_ctx_set_quarantine(ctx, reason == NULL ? module : reason);
}

/* Without a text, or when memory is short, the framework's default reply of that class serves. */
static void set_reply(struct am_ctx *ctx, const struct am_ruling *ruling)
{
    bool later = ruling->decision.action == AM_POLICY_TEMPFAIL;
    const char *xcode = NULL;

    if (ruling->text == NULL)
        return;
    if (ruling->status != NULL)
        xcode = am_arena_printf(am_ctx_arena(ctx), "%c.%s", later ? '4' : '5', ruling->status);
    am_ctx_set_reply(ctx, later ? 451 : 550, xcode, ruling->text);
}

static enum am_verdict verdict_of(enum am_policy_action action)
{
    switch (action) {
    case AM_POLICY_REJECT:
        return AM_REJECT;
    case AM_POLICY_TEMPFAIL:
        return AM_TEMPFAIL;
    case AM_POLICY_QUARANTINE:
        return AM_QUARANTINE;
    default:
        return AM_CONTINUE;
    }
}

enum am_verdict am_ruling_carry_out(struct am_ctx *ctx, struct am_ruling_state *state,
                                    const struct am_ruling *ruling)
{
    enum am_policy_action action = ruling->decision.action;

    if (action == AM_POLICY_ACCEPT)
        return AM_CONTINUE;
    const char *why = describe(am_ctx_arena(ctx), &ruling->decision);
    if (!state->rule_noted)
        am_ctx_note(ctx, "rule", "%s", why);
    state->rule_noted = true;

    if (action == AM_POLICY_OBSERVE)
        am_ctx_observe(ctx, verdict_of(am_policy_observed(ruling->transient)), why);
    else if (action != AM_POLICY_QUARANTINE)
        set_reply(ctx, ruling);
    else if (!state->quarantine_set) {
        set_quarantine(ctx, why);
        state->quarantine_set = true;
    }
    return verdict_of(action);
}
