#include "dkim-milter/dkim_identity.h"
#include "dkim-milter/dkim_tag.h"
#include "dkim-milter/dkim_verify_state.h"

/*
 * Signatures aligned with the author come first: whoever adds junk above the one that
 * counts must not use up its place. Finding out costs a look at d= of each; only
 * those that are listed are read in full.
 */

/* Longest d= looked at: U-labels of a name of 253 octets, with white space. */
#define DOMAIN_TEXT_MAX 1024

/* Tells whether what every signature must have is there; what it holds is read later. */
static bool looks_complete(const struct dkim_tag_list *list)
{
    static const char *const needed[] = {"v", "a", "b", "bh", "h", "s"};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        const struct dkim_tag *tag = dkim_tag_find(list, needed[i]);
        if (tag == NULL || tag->value.len == 0)
            return false;
    }
    return true;
}

/* Tells whether a signature's d= is aligned and the rest worth reading. */
static bool looks_aligned(const struct dkim_verifier *verifier, const struct dkim_field *field)
{
    struct dkim_tag_list list;
    const char *ascii;

    if (dkim_tag_list_parse(&list, field->value) != DKIM_TAG_OK || !looks_complete(&list))
        return false;
    const struct dkim_tag *domain = dkim_tag_find(&list, "d");
    if (domain == NULL || domain->value.len > DOMAIN_TEXT_MAX)
        return false;
    return dkim_domain_to_ascii(&ascii, verifier->env->arena, domain->value) == DKIM_IDENTITY_OK &&
           dkim_is_aligned(am_span_str(ascii), am_span_str(verifier->author.domain));
}

/* Says before any work what keeps a readable signature from being evaluated. */
static enum dkim_reason refuse_early(const struct dkim_verifier *verifier,
                                     const struct dkim_signature *signature)
{
    const struct dkim_verify_env *env = verifier->env;
    int64_t now_s = env->clock->wall_s(env->clock);

    if (signature->has_expiry && signature->expiry < now_s)
        return DKIM_REASON_EXPIRED;
    if (signature->has_timestamp && signature->timestamp > now_s &&
        signature->timestamp - now_s > env->limits->clock_skew_s)
        return DKIM_REASON_FUTURE;
    if (verifier->report.several_from)
        return DKIM_REASON_SEVERAL_FROM;
    if (env->headers_cut)
        return DKIM_REASON_HEADER_TOO_LARGE;
    if (verifier->author.kind == DKIM_AUTHOR_NONE)
        return DKIM_REASON_NO_FROM;
    if (signature->name_count > env->limits->max_signed_names)
        return DKIM_REASON_TOO_MANY_NAMES;
    return DKIM_REASON_NONE;
}

/* Reads a listed signature. */
static void read_signature(struct dkim_verifier *verifier, struct dkim_task *task)
{
    struct dkim_signature *signature = &task->signature;
    enum dkim_reason reason =
        dkim_signature_parse(signature, verifier->env->arena, task->field->value);

    if (reason == DKIM_REASON_NONE)
        reason = refuse_early(verifier, signature);
    task->outcome = (struct dkim_outcome){
        .reason = reason,
        .parts = signature,
        .field = task->field->position,
        .aligned = signature->ascii_domain != NULL &&
                   dkim_is_aligned(am_span_str(signature->ascii_domain),
                                   am_span_str(verifier->author.domain)),
    };
}

/* Spends the budget on those that can still pass, in one of two rounds. */
static void spend(struct dkim_verifier *verifier, bool aligned, size_t *left)
{
    for (size_t i = 0; i < verifier->count; i++) {
        struct dkim_outcome *outcome = &verifier->tasks[i].outcome;

        if (outcome->reason != DKIM_REASON_NONE || outcome->aligned != aligned)
            continue;
        if (*left == 0) {
            outcome->reason = DKIM_REASON_TOO_MANY_SIGNATURES;
            continue;
        }
        outcome->evaluated = true;
        verifier->pending++;
        --*left;
    }
}

bool dkim_verify_choose(struct dkim_verifier *verifier)
{
    struct am_arena *arena = verifier->env->arena;
    size_t found;
    const struct dkim_field *const *fields =
        dkim_fields_find(verifier->fields, am_span_str("dkim-signature"), &found);
    size_t listed = found < DKIM_OUTCOMES_MAX ? found : DKIM_OUTCOMES_MAX, aligned = 0;

    if (found == 0)
        return true;
    verifier->tasks = am_arena_alloc(arena, listed * sizeof(*verifier->tasks));
    verifier->outcomes = am_arena_alloc(arena, listed * sizeof(*verifier->outcomes));
    bool *take = am_arena_alloc(arena, found * sizeof(*take));
    if (verifier->tasks == NULL || verifier->outcomes == NULL || take == NULL)
        return false;
    for (size_t i = 0; found > listed && i < found && aligned < listed; i++) {
        take[i] = looks_aligned(verifier, fields[i]);
        aligned += take[i];
    }
    for (size_t i = 0; i < found && aligned < listed; i++) {
        aligned += !take[i];
        take[i] = true;
    }
    for (size_t i = 0; i < found; i++) {
        if (!take[i])
            continue;
        verifier->tasks[verifier->count].field = fields[i];
        read_signature(verifier, &verifier->tasks[verifier->count++]);
    }
    verifier->report.more = found - verifier->count;

    size_t left = verifier->env->limits->max_signatures;
    spend(verifier, true, &left);
    spend(verifier, false, &left);
    return true;
}
