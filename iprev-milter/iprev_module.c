#include "iprev-milter/iprev_module.h"

#include "common/base/netset.h"
#include "common/milter/policy.h"
#include "common/milter/ruling.h"
#include "iprev-milter/iprev.h"

/*
 * The glue, and the module to read first: options, what is made of them, what is kept of a
 * connection and a message, one callback, and the table at the end that names all of it.
 */

/* --- configuration --- */

struct iprev_conf {
    struct am_policy policy; /* at enum iprev_result; pass has no option and is accepted */
    int64_t max_names;
    int64_t time_limit_ms;
    bool exempt_authenticated, exempt_local;
    struct am_netlist exempt_networks;
    bool evaluate_private;
};

#define AT(MEMBER) .offset = offsetof(struct iprev_conf, MEMBER)
#define POLICY(RESULT, NAME, HELP)                                                                 \
    AM_POLICY_OPTION(struct iprev_conf, policy, RESULT, NAME, "accept", HELP)

static const struct am_option options[] = {
    POLICY(IPREV_FAIL, "result_fail", "what to do when no name leads back to the address"),
    POLICY(IPREV_PERMERROR, "result_permerror", "what to do when the address has no name"),
    POLICY(IPREV_TEMPERROR, "result_temperror", "what to do when the DNS does not tell"),
    {.name = "max_names",
     .kind = AM_OPTION_INT,
     AT(max_names),
     .min = 1,
     .max = AM_DNS_CONFIRM_NAMES_MAX,
     .fallback = "10",
     .help = "PTR names of a client that are looked up"},
    {.name = "time_limit",
     .kind = AM_OPTION_DURATION,
     AT(time_limit_ms),
     .min = 100,
     .max = 20000,
     .fallback = "10s",
     .help = "longest time the look-ups of a connection take"},
    {.name = "exempt_authenticated",
     .kind = AM_OPTION_BOOL,
     AT(exempt_authenticated),
     .fallback = "yes",
     .help = "do not evaluate clients that authenticated"},
    {.name = "exempt_local",
     .kind = AM_OPTION_BOOL,
     AT(exempt_local),
     .fallback = "yes",
     .help = "do not evaluate mail submitted on this machine"},
    {.name = "exempt_networks",
     .kind = AM_OPTION_NETS,
     AT(exempt_networks),
     .fallback = "",
     .help = "clients that are not evaluated"},
    {.name = "evaluate_private",
     .kind = AM_OPTION_BOOL,
     AT(evaluate_private),
     .fallback = "no",
     .help = "evaluate private client addresses too; they are never refused"},
    {0}};

/* Made from the options once, then read by all connections. */
struct iprev_derived {
    struct am_netset *exempt;
};

static bool open_conf(const void *values, const struct am_conf_env *env, void **result,
                      struct am_problem *problem)
{
    const struct iprev_conf *conf = values;
    struct iprev_derived *derived = am_arena_alloc(env->arena, sizeof(*derived));

    if (derived == NULL)
        return am_problem_set(problem, "out of memory");
    derived->exempt = am_netset_of(env->arena, &conf->exempt_networks);
    if (derived->exempt == NULL)
        return am_problem_set(problem, "out of memory");
    *result = derived;
    return true;
}

/* The MTA waits for an answer to MAIL only when it may be a refusal. */
static unsigned stages_answered(const void *values, const void *derived)
{
    const struct iprev_conf *conf = values;
    unsigned actions = 0;

    (void)derived;
    for (size_t i = 0; i < IPREV_RESULT_COUNT; i++)
        actions |= AM_POLICY_BIT(conf->policy.action[i]);
    return (actions & AM_POLICY_REFUSALS) != 0 ? AM_STAGE_ENVFROM : 0;
}

/* --- a connection and its messages --- */

struct iprev_conn_state {
    bool done; /* the outcome is known: one evaluation serves all messages */
    bool warned;
    struct iprev_outcome outcome;
};

struct iprev_msg_state {
    struct am_ruling_state ruled;
};

/* Returns why the client is not evaluated, or NULL. */
static const char *exemption(struct am_ctx *ctx)
{
    const struct iprev_conf *conf = am_ctx_conf(ctx);
    const struct iprev_derived *derived = am_ctx_derived(ctx);
    const struct am_conn_info *info = am_ctx_conn(ctx);

    if (info->role == AM_ROLE_SUBMISSION)
        return "submission";
    if (conf->exempt_authenticated && info->auth_user[0] != '\0')
        return "authenticated";
    if (conf->exempt_local && info->is_local)
        return "local";
    if (am_netset_find(derived->exempt, &info->client) != AM_TABLE_NONE)
        return "network";
    return NULL;
}

/* Returns why nothing can be said about the client, or NULL; warns once for a connection. */
static const char *obstacle(struct am_ctx *ctx, struct iprev_conn_state *conn)
{
    const struct iprev_conf *conf = am_ctx_conf(ctx);
    const struct am_conn_info *info = am_ctx_conn(ctx);

    if (info->client.family == 0)
        return "client address is not known";
    if (!am_ip_is_private(&info->client))
        return NULL;
    if (!conn->warned)
        am_ctx_log(
            ctx, AM_LOG_WARNING,
            "client address %s is a private one, so its name tells nothing: if mail from "
            "outside arrives like this, NAT or a container proxy hides its clients; hand the "
            "true address on with the PROXY protocol (Postfix: "
            "smtpd_upstream_proxy_protocol) or with XCLIENT; if the client is one of your "
            "own machines, name it in iprev.exempt_networks",
            info->client_text);
    conn->warned = true;
    return conf->evaluate_private ? NULL : "client address is private";
}

static const struct iprev_outcome *evaluate(struct am_ctx *ctx, struct iprev_conn_state *conn)
{
    const struct iprev_conf *conf = am_ctx_conf(ctx);
    const struct iprev_request request = {
        .client = am_ctx_conn(ctx)->client,
        .max_names = (size_t)conf->max_names,
        .deadline_us = am_deadline_earlier(
            am_ctx_deadline_us(ctx), am_deadline_in_ms(am_ctx_clock(ctx), conf->time_limit_ms)),
    };

    if (!conn->done)
        conn->outcome = iprev_check(am_ctx_conn_resolver(ctx), am_ctx_conn_arena(ctx), &request);
    conn->done = true;
    return &conn->outcome;
}

/* Tells everybody: the Authentication-Results field, the decision line and the counters. */
static void report(struct am_ctx *ctx, const struct iprev_outcome *outcome)
{
    const char *word = iprev_result_word(outcome->result);
    struct am_result result = {.method = "iprev", .result = word, .reason = outcome->reason};

    am_result_add_property(&result, "policy", "iprev", am_span_str(am_ctx_conn(ctx)->client_text));
    am_ctx_publish(ctx, &result);
    am_ctx_count(ctx, "results", word, 1);
    if (outcome->name != NULL)
        am_ctx_note(ctx, "name", "%s", outcome->name);
    if (outcome->reason != NULL)
        am_ctx_note(ctx, "reason", "%s", outcome->reason);
}

/* Does what the options say. RFC 7372 section 3.3: 5.7.25 when reverse DNS is why. */
static enum am_verdict rule(struct am_ctx *ctx, const struct iprev_outcome *outcome)
{
    const struct iprev_conf *conf = am_ctx_conf(ctx);
    struct iprev_msg_state *state = am_ctx_msg_state(ctx);
    const struct am_ruling ruling = {
        .decision = {.action = (enum am_policy_action)conf->policy.action[outcome->result],
                     .index = outcome->result,
                     .option = am_arena_printf(am_ctx_arena(ctx), "result_%s",
                                               iprev_result_word(outcome->result))},
        .transient = outcome->result == IPREV_TEMPERROR,
        .status = "7.25",
        .text = am_arena_printf(am_ctx_arena(ctx), "reverse DNS of %s: %s",
                                am_ctx_conn(ctx)->client_text, outcome->reason),
    };

    if (ruling.decision.action == AM_POLICY_ACCEPT)
        return AM_CONTINUE;
    if (ruling.decision.option == NULL)
        return AM_FAIL;
    return am_ruling_carry_out(ctx, &state->ruled, &ruling);
}

static void note_skipped(struct am_ctx *ctx, const char *key, const char *why)
{
    am_ctx_note(ctx, key, "%s", why);
    am_ctx_count(ctx, key, why, 1);
}

/* Everything happens at MAIL: only there it is known whether the client authenticated. */
static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    struct iprev_conn_state *conn = am_ctx_conn_state(ctx);
    const char *why = exemption(ctx);

    if (conn == NULL || am_ctx_msg_state(ctx) == NULL)
        return AM_FAIL;
    if (why != NULL) {
        note_skipped(ctx, "exempt", why);
        return AM_DONE;
    }
    why = obstacle(ctx, conn);
    if (why != NULL) {
        note_skipped(ctx, "not_evaluated", why);
        return AM_DONE;
    }
    const struct iprev_outcome *outcome = evaluate(ctx, conn);
    report(ctx, outcome);
    if (am_ip_is_private(&am_ctx_conn(ctx)->client) || outcome->result == IPREV_PASS)
        return AM_DONE;
    enum am_verdict verdict = rule(ctx, outcome);
    return verdict == AM_CONTINUE ? AM_DONE : verdict;
}

const struct am_module iprev_module = {
    .abi = AM_MODULE_ABI,
    .name = "iprev",
    .summary = "checks that the client's address has a name that leads back to it (RFC 8601)",
    .options = options,
    .conf_size = sizeof(struct iprev_conf),
    .conf_open = open_conf,
    .conn_size = sizeof(struct iprev_conn_state),
    .msg_size = sizeof(struct iprev_msg_state),
    .actions = AM_ACTION_QUARANTINE,
    .answers = stages_answered,
    .envfrom = on_envfrom,
};
