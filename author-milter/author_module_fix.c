#include "author-milter/author_field.h"
#include "author-milter/author_module_state.h"

/* From is changed: the fields of it, and what goes with it. */

#define ACTIONS (AM_ACTION_CHANGE_HEADER | AM_ACTION_ADD_HEADER)

static bool cannot(struct am_ctx *ctx, const char *why)
{
    am_ctx_note(ctx, "unfixed", "%s", why);
    am_ctx_count(ctx, "fixes", "impossible", 1);
    return false;
}

/* Deletes the fields of a name, but for those before `first`. */
static bool delete_all(struct am_ctx *ctx, const char *name, size_t first, size_t count)
{
    bool good = true;

    for (size_t i = first; i <= count && good; i++)
        good = am_ctx_change_field(ctx, (unsigned)i, name, NULL);
    return good;
}

/* A Sender that does not fit goes: who sends is in From now. */
static bool mend_sender(struct am_ctx *ctx, const struct author_msg_state *state,
                        const struct author_rules *rules, const struct author_facts *facts)
{
    if (state->sender_count == 0 ||
        (state->sender_count == 1 &&
         author_judge(rules, facts, &state->sender, am_ctx_arena(ctx)).finding == AUTHOR_FITS))
        return true;
    return delete_all(ctx, "Sender", 1, state->sender_count);
}

static bool change(struct am_ctx *ctx, const struct author_msg_state *state, const char *from,
                   const char *reply_to)
{
    /* What could be refused for its text comes first. */
    return (state->has_reply_to || reply_to[0] == '\0' ||
            am_ctx_change_field(ctx, 0, "Reply-To", reply_to)) &&
           am_ctx_change_field(ctx, state->from_count == 0 ? 0 : 1, "From", from) &&
           delete_all(ctx, "From", 2, state->from_count) &&
           delete_all(ctx, "DKIM-Signature", 1, state->signature_count) &&
           delete_all(ctx, "DomainKey-Signature", 1, state->domainkey_count);
}

bool author_module_fix(struct am_ctx *ctx, struct author_msg_state *state,
                       const struct author_rules *rules, const struct author_facts *facts)
{
    struct am_arena *arena = am_ctx_arena(ctx);
    struct am_author own;

    if ((am_ctx_actions(ctx) & ACTIONS) != ACTIONS)
        return cannot(ctx, "the mail server does not let fields be changed");
    if (state->has_odd)
        return cannot(ctx, "a name has blanks before its colon");
    if (state->cut)
        return cannot(ctx, "the header is too long to be seen whole");
    if (state->from_count > AUTHOR_FROM_MAX || state->sender_count > AUTHOR_FROM_MAX ||
        state->signature_count > AUTHOR_SIGNATURES_MAX ||
        state->domainkey_count > AUTHOR_SIGNATURES_MAX)
        return cannot(ctx, "too many fields would have to go");
    if (!author_find_own(rules, facts, arena, &own))
        return cannot(ctx, "neither the envelope sender nor the login is an address to put there");
    const char *from = author_field_write(arena, state->from_text, &own);
    const char *reply_to = author_field_reply_to(arena, state->from_text, &state->from);
    if (from == NULL || reply_to == NULL || !change(ctx, state, from, reply_to) ||
        !mend_sender(ctx, state, rules, facts))
        return cannot(ctx, "a field is not taken");
    am_ctx_note(ctx, "fixed", "%.*s@%s", (int)own.address.local.len, own.address.local.ptr,
                own.domain);
    am_ctx_count(ctx, "fixes", "made", 1);
    return true;
}
