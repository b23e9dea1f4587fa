#include "author-milter/author_module.h"

#include <strings.h>

#include "author-milter/author_module_state.h"

/*
 * The glue. Fields are gathered as they come and judged at the end of the header, where From is
 * changed if it is to be, so that who signs later signs what goes out. The verdict waits for the
 * end.
 */

/* --- whose mail --- */

static bool is_exempt_login(const struct author_conf *conf, const char *login)
{
    for (size_t i = 0; i < conf->exempt_logins.count; i++)
        if (strcasecmp(conf->exempt_logins.items[i], login) == 0)
            return true;
    return false;
}

static enum author_origin origin_of(const struct author_conf *conf,
                                    const struct author_derived *derived,
                                    const struct am_conn_info *conn, const char **why)
{
    bool has_login = conn->auth_user[0] != '\0' && conn->role != AM_ROLE_INBOUND;

    *why = NULL;
    if (am_netset_find(derived->exempt_networks, &conn->client) != AM_TABLE_NONE)
        *why = "network";
    else if (has_login && is_exempt_login(conf, conn->auth_user))
        *why = "login";
    else if (!has_login && conn->is_local && conf->exempt_local)
        *why = "local";
    if (*why != NULL)
        return AUTHOR_ORIGIN_EXEMPT;
    if (has_login || conn->role == AM_ROLE_SUBMISSION)
        return AUTHOR_ORIGIN_OURS;
    if (conn->role == AM_ROLE_INBOUND)
        return AUTHOR_ORIGIN_OTHERS;
    return conn->is_local || am_netset_find(derived->networks, &conn->client) != AM_TABLE_NONE
               ? AUTHOR_ORIGIN_OURS
               : AUTHOR_ORIGIN_OTHERS;
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    const struct author_conf *conf = am_ctx_conf(ctx);
    struct author_msg_state *state = am_ctx_msg_state(ctx);
    const char *why;

    if (state == NULL)
        return AM_FAIL;
    state->origin = origin_of(conf, am_ctx_derived(ctx), am_ctx_conn(ctx), &why);
    if (why != NULL)
        am_ctx_note(ctx, "exempt", "%s", why);
    bool idle = state->origin == AUTHOR_ORIGIN_EXEMPT ||
                (state->origin == AUTHOR_ORIGIN_OTHERS &&
                 conf->policy.action[AUTHOR_POLICY_SPOOFED] == AM_POLICY_ACCEPT);
    return idle ? AM_DONE : AM_CONTINUE;
}

/* --- the header --- */

/* Some readers pass over blanks before the colon (RFC 5322 section 4.5), so that they hide nothing.
 */
static bool is_named(const struct am_header *field, const char *name)
{
    return am_span_equal_nocase(am_span_trim(field->name), am_span_str(name));
}

/* Where fields are numbered by their names, such a one cannot be told from others. */
static bool is_odd(const struct am_header *field)
{
    return am_span_trim(field->name).len < field->name.len;
}

/* Of several From fields the first is read: they are refused, or the others go. */
static bool keep_from(struct am_ctx *ctx, struct author_msg_state *state,
                      const struct am_header *field)
{
    const char *text;

    if (++state->from_count > 1)
        return true;
    text = am_arena_copy(am_ctx_arena(ctx), field->value);
    if (text == NULL)
        return false;
    state->from_text = am_span_of(text, field->value.len);
    am_authors_read(&state->from, am_ctx_arena(ctx), state->from_text);
    return !state->from.no_memory;
}

static bool keep_sender(struct am_ctx *ctx, struct author_msg_state *state,
                        const struct am_header *field)
{
    if (++state->sender_count > 1)
        return true;
    am_authors_read(&state->sender, am_ctx_arena(ctx), field->value);
    return !state->sender.no_memory;
}

static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    struct author_msg_state *state = am_ctx_msg_state(ctx);
    bool good = true;

    state->has_odd |= is_odd(field) && (is_named(field, "From") || is_named(field, "Sender"));
    if (is_named(field, "From"))
        good = keep_from(ctx, state, field);
    else if (is_named(field, "Sender"))
        good = keep_sender(ctx, state, field);
    else if (is_named(field, "Reply-To"))
        state->has_reply_to = true;
    else if (is_named(field, "DKIM-Signature"))
        state->signature_count++;
    else if (is_named(field, "DomainKey-Signature"))
        state->domainkey_count++;
    return good ? AM_CONTINUE : AM_FAIL;
}

/* --- the judgement --- */

static struct author_outcome judge(struct am_ctx *ctx, const struct author_msg_state *state,
                                   const struct author_rules *rules,
                                   const struct author_facts *facts)
{
    const struct author_conf *conf = am_ctx_conf(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);
    bool by_sender = conf->fields == AUTHOR_FIELDS_SENDER && state->sender_count > 0;
    struct author_outcome outcome = {.finding = AUTHOR_FITS};

    if (state->from_count > 1)
        return (struct author_outcome){.finding = AUTHOR_SEVERAL};
    if (!by_sender)
        outcome = author_judge(rules, facts, &state->from, arena);
    if (state->sender_count > 0 && conf->fields != AUTHOR_FIELDS_FROM) {
        struct author_outcome second = author_judge(rules, facts, &state->sender, arena);
        if (state->sender_count > 1)
            second.finding = AUTHOR_MISSING;
        if (second.finding > outcome.finding || by_sender)
            outcome = second;
    }
    return outcome;
}

/* Mail of others: does an author belong to anybody here? */
static void judge_others(struct am_ctx *ctx, struct author_msg_state *state,
                         struct author_asking *asking)
{
    for (size_t i = 0; i < state->from.count && !state->is_spoofed; i++) {
        const struct am_author *author = &state->from.items[i];
        enum author_owner owner =
            author->domain == NULL ? AUTHOR_OWNER_UNKNOWN : author_module_ask(asking, author);

        if (owner == AUTHOR_OWNER_FAILED)
            state->finding = AUTHOR_UNCHECKED;
        if (owner != AUTHOR_OWNER_LOGIN && owner != AUTHOR_OWNER_OTHER)
            continue;
        state->is_spoofed = true;
        state->about = author;
    }
    am_ctx_count(ctx, "others", state->is_spoofed ? "spoofed" : "good", 1);
}

static bool would_stop(const struct author_conf *conf, enum author_policy policy)
{
    int action = conf->policy.action[policy];

    return action != AM_POLICY_ACCEPT && action != AM_POLICY_OBSERVE;
}

/* The option that rules a finding; false: none does. */
static bool policy_of(const struct author_msg_state *state, enum author_policy *policy)
{
    static const enum author_policy policies[AUTHOR_FINDING_COUNT] = {
        [AUTHOR_UNCHECKED] = AUTHOR_POLICY_UNCHECKED,
        [AUTHOR_MISALIGNED] = AUTHOR_POLICY_MISALIGNED,
        [AUTHOR_FOREIGN] = AUTHOR_POLICY_FOREIGN,
        [AUTHOR_NOT_OWNER] = AUTHOR_POLICY_NOT_OWNER,
        [AUTHOR_MISSING] = AUTHOR_POLICY_MISSING,
        [AUTHOR_SEVERAL] = AUTHOR_POLICY_SEVERAL,
    };

    *policy = state->is_spoofed ? AUTHOR_POLICY_SPOOFED : policies[state->finding];
    return state->is_spoofed || state->finding > AUTHOR_UNBOUND;
}

static void note(struct am_ctx *ctx, const struct author_msg_state *state)
{
    am_ctx_note(ctx, "result", "%s",
                state->is_spoofed ? "spoofed" : author_finding_word(state->finding));
    if (state->about != NULL && (state->is_spoofed || state->finding > AUTHOR_UNBOUND))
        am_ctx_note(ctx, "address", "%.*s", (int)state->about->address.full.len,
                    state->about->address.full.ptr);
    if (state->has_failure)
        am_ctx_log(ctx, AM_LOG_WARNING, "%s", state->failure.text);
}

static void judge_ours(struct am_ctx *ctx, struct author_msg_state *state,
                       struct author_asking *asking)
{
    const struct author_conf *conf = am_ctx_conf(ctx);
    const struct author_derived *derived = am_ctx_derived(ctx);
    const struct author_rules rules = {.login = (enum author_login)conf->login,
                                       .alignment = (enum author_alignment)conf->alignment,
                                       .has_lists = derived->has_lists,
                                       .ask = author_module_ask,
                                       .user = asking};
    const struct author_facts facts = {.login = asking->login, .sender = &am_ctx_msg(ctx)->sender};
    const struct author_outcome outcome = judge(ctx, state, &rules, &facts);
    enum author_policy policy;

    state->finding = outcome.finding;
    state->about = outcome.author;
    note(ctx, state);
    am_ctx_count(ctx, "findings", author_finding_word(outcome.finding), 1);
    if (conf->fix && outcome.finding > AUTHOR_UNCHECKED && policy_of(state, &policy) &&
        would_stop(conf, policy))
        state->is_fixed = author_module_fix(ctx, state, &rules, &facts);
}

static enum am_verdict on_eoh(struct am_ctx *ctx)
{
    struct author_msg_state *state = am_ctx_msg_state(ctx);
    const struct am_conn_info *conn = am_ctx_conn(ctx);
    struct author_asking asking = {.ctx = ctx, .state = state, .login = ""};

    state->cut = am_ctx_msg(ctx)->headers_cut;
    if (state->origin == AUTHOR_ORIGIN_OURS) {
        asking.login = conn->auth_user;
        judge_ours(ctx, state, &asking);
    } else {
        judge_others(ctx, state, &asking);
        /* Of strangers nothing fits; there is only something to say, or not. */
        if (state->is_spoofed || state->finding != AUTHOR_FITS)
            note(ctx, state);
    }
    return AM_CONTINUE;
}

/* --- the end --- */

/* RFC 3463: 7.1 not authorized, 6.0 content; 3.0 the mail system, which another time may do better.
 */
static const struct {
    const char *option, *status, *text;
} policies[AUTHOR_POLICY_COUNT] = {
    [AUTHOR_POLICY_NOT_OWNER] = {"not_owner", "7.1", "this address belongs to another user"},
    [AUTHOR_POLICY_FOREIGN] = {"foreign", "7.1", "this address is none of yours"},
    [AUTHOR_POLICY_MISALIGNED] = {"misaligned", "7.1",
                                  "this address does not agree with the envelope sender"},
    [AUTHOR_POLICY_MISSING] = {"missing", "6.0",
                               "the message needs one From field with a usable address"},
    [AUTHOR_POLICY_SEVERAL] = {"several", "6.0", "the message has several From fields"},
    [AUTHOR_POLICY_UNCHECKED] = {"unchecked", "3.0",
                                 "it cannot be found out whose this address is"},
    [AUTHOR_POLICY_SPOOFED] = {"spoofed", "7.1",
                               "this address is one of ours: log in to write as it"},
};

/* Most octets of an address in a reply; the rest is cut, to be seen. */
#define SHOWN_MAX 200

static const char *text_of(struct am_ctx *ctx, const struct author_msg_state *state,
                           enum author_policy policy)
{
    if (state->about == NULL)
        return policies[policy].text;
    const struct am_span address = state->about->address.full;
    bool cut = address.len > SHOWN_MAX;

    return am_arena_printf(am_ctx_arena(ctx), "From %.*s%s: %s",
                           (int)(cut ? SHOWN_MAX : address.len), address.ptr, cut ? "[...]" : "",
                           policies[policy].text);
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct author_conf *conf = am_ctx_conf(ctx);
    struct author_msg_state *state = am_ctx_msg_state(ctx);
    enum author_policy policy;

    if (state->is_fixed || !policy_of(state, &policy))
        return AM_CONTINUE;
    const struct am_ruling ruling = {
        .decision = {.action = (enum am_policy_action)conf->policy.action[policy],
                     .index = policy,
                     .option = policies[policy].option},
        .transient = policy == AUTHOR_POLICY_UNCHECKED,
        .status = policies[policy].status,
        .text = text_of(ctx, state, policy),
    };
    return am_ruling_carry_out(ctx, &state->ruled, &ruling);
}

/* --- the table --- */

/* Without lists and policies there is nothing to find out. */
static unsigned stages_wanted(const void *values, const void *object)
{
    const struct author_conf *conf = values;
    const struct author_derived *derived = object;
    unsigned actions = 0;

    for (size_t i = 0; i < AUTHOR_POLICY_COUNT; i++)
        actions |= AM_POLICY_BIT(conf->policy.action[i]);
    return derived->has_lists || (actions & AM_POLICY_DEEDS) != 0
               ? AM_STAGE_ENVFROM | AM_STAGE_HEADER | AM_STAGE_EOH | AM_STAGE_EOM
               : 0;
}

static unsigned stages_answered(const void *conf, const void *derived)
{
    (void)conf;
    (void)derived;
    return 0;
}

const struct am_module author_module = {
    .abi = AM_MODULE_ABI,
    .name = "author",
    .summary = "holds users to the addresses that are theirs",
    .method = "",
    .options = author_options,
    .conf_size = sizeof(struct author_conf),
    .extra_sections = author_extra_sections,
    .conf_check = author_conf_check,
    .conf_open = author_conf_open,
    .conf_close = author_conf_close,
    .msg_size = sizeof(struct author_msg_state),
    .actions = AM_ACTION_CHANGE_HEADER | AM_ACTION_ADD_HEADER | AM_ACTION_QUARANTINE,
    .wants = stages_wanted,
    .answers = stages_answered,
    .envfrom = on_envfrom,
    .header = on_header,
    .eoh = on_eoh,
    .eom = on_eom,
};
