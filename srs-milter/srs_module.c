#include "srs-milter/srs_module.h"

#include "common/milter/recipients.h"
#include "common/milter/ruling.h"
#include "srs-milter/srs_options.h"

/*
 * The glue. At RCPT it is found out what each recipient is: one that was rewritten here and is
 * turned back, one whose mail is forwarded, or one that stays. The envelope is changed at the end.
 */

/* A recipient that is turned back. */
struct turned {
    struct turned *next;
    const char *came, *becomes; /* with brackets */
};

enum sender_kind {
    SENDER_STAYS,  /* the null sender, one of ours, or of a client that is exempt */
    SENDER_OTHERS, /* of another site: rewritten when the mail is forwarded */
    SENDER_SIGNED, /* one of ours that is signed on its way out */
};

struct srs_msg_state {
    enum sender_kind kind;
    const char *why_stays; /* for the log */
    bool is_bounce;
    size_t forwarded, others; /* recipients taken */
    struct turned *turned;
    size_t turned_count;
    struct am_ruling_state ruled;
};

/* --- MAIL --- */

static bool is_sent_from_here(const struct srs_derived *derived, const struct am_conn_info *conn)
{
    if (conn->role == AM_ROLE_INBOUND)
        return false;
    return conn->auth_user[0] != '\0' || conn->is_local ||
           am_netset_find(derived->sign_clients, &conn->client) != AM_TABLE_NONE;
}

static bool is_own(const struct srs_derived *derived, struct am_arena *arena,
                   const struct am_address *sender)
{
    return am_span_equal_nocase(sender->domain, am_span_str(derived->scheme.domain)) ||
           am_patterns_find(derived->own_senders, arena, sender) != AM_TABLE_NONE;
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    const struct srs_derived *derived = am_ctx_derived(ctx);
    const struct am_conn_info *conn = am_ctx_conn(ctx);
    const struct am_address *sender = &am_ctx_msg(ctx)->sender;
    struct srs_msg_state *state = am_ctx_msg_state(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);

    if (state == NULL)
        return AM_FAIL;
    state->is_bounce = sender->is_null;
    if (sender->is_null)
        state->why_stays = "null sender";
    else if (sender->domain.len == 0)
        state->why_stays = "sender without a domain";
    else if (is_sent_from_here(derived, conn) &&
             am_patterns_find(derived->sign_senders, arena, sender) != AM_TABLE_NONE &&
             !srs_looks_rewritten(sender))
        state->kind = SENDER_SIGNED;
    else if (is_own(derived, arena, sender) ||
             am_patterns_find(derived->sign_senders, arena, sender) != AM_TABLE_NONE)
        state->why_stays = "own sender";
    else if (am_netset_find(derived->exempt_clients, &conn->client) != AM_TABLE_NONE)
        state->why_stays = "exempt client";
    else if (!am_netset_is_empty(derived->forward_clients) &&
             am_netset_find(derived->forward_clients, &conn->client) == AM_TABLE_NONE)
        state->why_stays = "not a forwarding client";
    else
        state->kind = SENDER_OTHERS;
    return AM_CONTINUE;
}

/* --- RCPT --- */

/* RFC 3463: 1.1 bad mailbox, 7.7 integrity failure, 5.0 mail system or routing. */
static const struct {
    const char *option, *status, *text;
} policies[] = {
    [SRS_POLICY_FORGED] = {"forged", "7.7", "this address was not made here"},
    [SRS_POLICY_EXPIRED] = {"expired", "1.6", "this address is no longer valid"},
    [SRS_POLICY_MALFORMED] = {"malformed", "1.3", "this address is not of a valid form"},
    [SRS_POLICY_UNSENT] = {"unsent", "7.7", "no mail was sent from this address"},
};

static enum am_verdict rule(struct am_ctx *ctx, enum srs_policy index)
{
    const struct srs_conf *conf = am_ctx_conf(ctx);
    struct srs_msg_state *state = am_ctx_msg_state(ctx);
    const struct am_ruling ruling = {
        .decision = {.action = (enum am_policy_action)conf->policy.action[index],
                     .index = index,
                     .option = policies[index].option},
        .status = policies[index].status,
        .text = policies[index].text,
    };

    am_ctx_count(ctx, "refusable", policies[index].option, 1);
    return am_ruling_carry_out(ctx, &state->ruled, &ruling);
}

static bool remember(struct am_ctx *ctx, const struct am_address *recipient, const char *former)
{
    struct srs_msg_state *state = am_ctx_msg_state(ctx);
    struct turned *turned = am_arena_alloc(am_ctx_arena(ctx), sizeof(*turned));

    if (turned == NULL)
        return false;
    turned->came =
        am_arena_printf(am_ctx_arena(ctx), "<%.*s>", (int)recipient->full.len, recipient->full.ptr);
    turned->becomes = am_arena_printf(am_ctx_arena(ctx), "<%s>", former);
    turned->next = state->turned;
    state->turned = turned;
    state->turned_count++;
    return turned->came != NULL && turned->becomes != NULL;
}

/* RFC 5321 section 4.5.3.1.10: 452 makes a client send the rest in another transaction. */
static enum am_verdict ask_to_split(struct am_ctx *ctx)
{
    am_ctx_count(ctx, "split", "recipients", 1);
    am_ctx_note(ctx, "split", "yes");
    am_ctx_set_reply(ctx, 452, "4.5.3", "forwarded and local recipients come in separate messages");
    return AM_TEMPFAIL;
}

static enum am_verdict sort(struct am_ctx *ctx, bool forwarded)
{
    const struct srs_conf *conf = am_ctx_conf(ctx);
    struct srs_msg_state *state = am_ctx_msg_state(ctx);

    if (state->kind == SENDER_OTHERS && conf->mixed == SRS_MIXED_SPLIT &&
        (forwarded ? state->others : state->forwarded) > 0)
        return ask_to_split(ctx);
    if (forwarded)
        state->forwarded++;
    else
        state->others++;
    return AM_CONTINUE;
}

/* What is taken although it was not made here is a recipient like any other that stays. */
static enum am_verdict rule_or_sort(struct am_ctx *ctx, enum srs_policy index)
{
    enum am_verdict verdict = rule(ctx, index);

    return verdict == AM_CONTINUE ? sort(ctx, false) : verdict;
}

/* A recipient that looks rewritten, in a domain of ours. */
static enum am_verdict turn_back(struct am_ctx *ctx, const struct am_address *recipient)
{
    const struct srs_derived *derived = am_ctx_derived(ctx);
    const struct srs_outcome outcome = srs_reverse(&derived->scheme, am_ctx_arena(ctx), recipient,
                                                   am_ctx_clock(ctx)->wall_s(am_ctx_clock(ctx)));

    am_ctx_count(ctx, "reversed", srs_status_word(outcome.status), 1);
    switch (outcome.status) {
    case SRS_OK:
        break;
    case SRS_FORGED:
        return rule_or_sort(ctx, SRS_POLICY_FORGED);
    case SRS_EXPIRED:
        return rule_or_sort(ctx, SRS_POLICY_EXPIRED);
    case SRS_FAILED:
        return AM_FAIL;
    default:
        return rule_or_sort(ctx, SRS_POLICY_MALFORMED);
    }
    if (outcome.smashed)
        am_ctx_log(ctx, AM_LOG_NOTICE,
                   "the hash of a rewritten address came back in other letter case");
    if (outcome.secret > 0)
        am_ctx_count(ctx, "old_secret", "used", 1);
    /* It leaves this site again. */
    enum am_verdict verdict = sort(ctx, true);
    if (verdict == AM_CONTINUE && !remember(ctx, recipient, outcome.address))
        return AM_FAIL;
    return verdict;
}

static bool is_unsent(struct am_ctx *ctx, const struct am_address *recipient)
{
    const struct srs_derived *derived = am_ctx_derived(ctx);
    const struct srs_msg_state *state = am_ctx_msg_state(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);

    return state->is_bounce &&
           am_patterns_find(derived->sign_senders, arena, recipient) != AM_TABLE_NONE &&
           am_patterns_find(derived->unsent_exempt, arena, recipient) == AM_TABLE_NONE;
}

static enum am_verdict on_envrcpt(struct am_ctx *ctx, const struct am_address *recipient,
                                  const struct am_esmtp_params *params, bool rejected)
{
    const struct srs_conf *conf = am_ctx_conf(ctx);
    const struct srs_derived *derived = am_ctx_derived(ctx);

    (void)params;
    if (rejected)
        return AM_CONTINUE;
    if (conf->reverse && srs_looks_rewritten(recipient) &&
        srs_conf_domain_is_ours(derived, am_ctx_arena(ctx), recipient))
        return turn_back(ctx, recipient);
    if (is_unsent(ctx, recipient)) {
        enum am_verdict verdict = rule(ctx, SRS_POLICY_UNSENT);
        if (verdict != AM_CONTINUE)
            return verdict;
    }
    return sort(ctx, am_patterns_find(derived->forward_recipients, am_ctx_arena(ctx), recipient) !=
                         AM_TABLE_NONE);
}

/* --- the end --- */

/* Tells whether the sender is to be rewritten; why not goes into the line of the message. */
static bool is_to_rewrite(struct am_ctx *ctx)
{
    const struct srs_conf *conf = am_ctx_conf(ctx);
    const struct srs_msg_state *state = am_ctx_msg_state(ctx);
    const char *why = NULL;

    if (state->kind == SENDER_SIGNED)
        return true;
    if (state->forwarded == 0)
        return false;
    if (state->kind == SENDER_STAYS)
        why = state->why_stays;
    else if (state->others > 0 && conf->mixed == SRS_MIXED_KEEP)
        why = "mixed recipients";
    if (why != NULL)
        am_ctx_note(ctx, "kept", "%s", why);
    return why == NULL;
}

static bool rewrite_sender(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct srs_derived *derived = am_ctx_derived(ctx);
    const struct srs_msg_state *state = am_ctx_msg_state(ctx);
    const struct am_address *sender = &am_ctx_msg(ctx)->sender;
    struct am_arena *arena = am_ctx_arena(ctx);
    int64_t now_s = am_ctx_clock(ctx)->wall_s(am_ctx_clock(ctx));
    bool sign = state->kind == SENDER_SIGNED;
    const struct srs_outcome outcome = sign ? srs_sign(&derived->scheme, arena, sender, now_s)
                                            : srs_forward(&derived->scheme, arena, sender, now_s);

    am_ctx_count(ctx, sign ? "signed" : "forwarded", srs_status_word(outcome.status), 1);
    if (outcome.status == SRS_FAILED)
        return false;
    if (outcome.status != SRS_OK) {
        am_ctx_note(ctx, "kept", "%s", srs_status_word(outcome.status));
        am_ctx_log(ctx, AM_LOG_WARNING, "the envelope sender %s; it goes out as it came",
                   srs_status_text(outcome.status));
        return true;
    }
    const char *path = am_arena_printf(arena, "<%s>", outcome.address);
    if (path == NULL || !am_eom_change_sender(eom, path, NULL))
        return false;
    am_ctx_note(ctx, sign ? "signed" : "sender", "%s", outcome.address);
    return true;
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct srs_msg_state *state = am_ctx_msg_state(ctx);

    for (const struct turned *turned = state->turned; turned != NULL; turned = turned->next)
        if (!am_eom_delete_recipient(eom, turned->came) ||
            !am_eom_add_recipient(eom, turned->becomes, NULL))
            return AM_FAIL;
    if (state->turned_count > 0)
        am_ctx_note(ctx, "reversed", "%zu", state->turned_count);
    return !is_to_rewrite(ctx) || rewrite_sender(eom) ? AM_CONTINUE : AM_FAIL;
}

/* --- the table --- */

/* Without a domain there is nothing to do. */
static unsigned stages_wanted(const void *values, const void *derived)
{
    const struct srs_conf *conf = values;

    (void)derived;
    return conf->domain[0] == '\0' ? 0 : AM_STAGE_ENVFROM | AM_STAGE_ENVRCPT | AM_STAGE_EOM;
}

static unsigned stages_answered(const void *values, const void *derived)
{
    const struct srs_conf *conf = values;
    unsigned actions = 0;

    (void)derived;
    for (size_t i = 0; i <= SRS_POLICY_UNSENT; i++)
        actions |= AM_POLICY_BIT(conf->policy.action[i]);
    return (actions & AM_POLICY_REFUSALS) != 0 || conf->mixed == SRS_MIXED_SPLIT ? AM_STAGE_ENVRCPT
                                                                                 : 0;
}

const struct am_module srs_module = {
    .abi = AM_MODULE_ABI,
    .name = "srs",
    .summary = "rewrites the envelope sender of forwarded mail, and turns bounces back (SRS)",
    .method = "",
    .options = srs_options,
    .conf_size = sizeof(struct srs_conf),
    .conf_check = srs_conf_check,
    .conf_open = srs_conf_open,
    .msg_size = sizeof(struct srs_msg_state),
    .actions =
        AM_ACTION_CHANGE_FROM | AM_ACTION_ADD_RCPT | AM_ACTION_DELETE_RCPT | AM_ACTION_QUARANTINE,
    .wants = stages_wanted,
    .answers = stages_answered,
    .envfrom = on_envfrom,
    .envrcpt = on_envrcpt,
    .eom = on_eom,
};
