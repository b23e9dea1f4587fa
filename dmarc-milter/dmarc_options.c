#include "dmarc-milter/dmarc_options.h"

#include "common/milter/counters.h"
#include "dmarc-milter/dmarc_place.h"

#define REJECT_HELP "what to do with mail that fails where the policy is reject"
#define QUARANTINE_HELP "what to do with mail that fails where the policy is quarantine"
#define TEMPERROR_HELP "what to do when the DNS does not tell"
#define MALFORMED_HELP "what to do when From is missing, repeated, or cannot be read"

#define AT(MEMBER) .offset = offsetof(struct dmarc_conf, MEMBER)
#define NETWORKS(NAME, HELP)                                                                       \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_NETS, AT(NAME), .fallback = "", .help = (HELP)            \
    }
#define BOOL(NAME, FALLBACK, HELP)                                                                 \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_BOOL, AT(NAME), .fallback = (FALLBACK), .help = (HELP)    \
    }

const struct am_option dmarc_options[] = {
    AM_POLICY_OPTION(struct dmarc_conf, policy, DMARC_CASE_REJECT, "fail_reject", "observe",
                     REJECT_HELP),
    AM_POLICY_OPTION(struct dmarc_conf, policy, DMARC_CASE_QUARANTINE, "fail_quarantine", "observe",
                     QUARANTINE_HELP),
    AM_POLICY_OPTION(struct dmarc_conf, policy, DMARC_CASE_TEMPERROR, "temperror", "accept",
                     TEMPERROR_HELP),
    AM_POLICY_OPTION(struct dmarc_conf, policy, DMARC_CASE_MALFORMED, "malformed_from", "accept",
                     MALFORMED_HELP),
    {.name = "reply_text",
     .kind = AM_OPTION_TEXT,
     AT(reply_text),
     .fallback = "",
     .help = "own text added to replies, such as how to reach you"},
    {.name = "trusted_authserv_ids",
     .kind = AM_OPTION_LIST,
     AT(trusted_authserv_ids),
     .fallback = "",
     .help = "whose Authentication-Results count where SPF or DKIM is not checked here"},
    {.name = "trusted_hops",
     .kind = AM_OPTION_INT,
     AT(trusted_hops),
     .min = 0,
     .max = 20,
     .fallback = "0",
     .help = "Received fields that may stand above such a field"},
    NETWORKS(forwarders, "clients that forward mail: policies are not applied"),
    NETWORKS(list_clients, "clients that send mail of mailing lists: policies are not applied"),
    {.name = "lists",
     .kind = AM_OPTION_LIST,
     AT(lists),
     .fallback = "",
     .check = am_pattern_check,
     .help = "mailing lists, by List-Id, whose mail is proved by SPF or DKIM of their domain"},
    NETWORKS(exempt_networks, "clients that are not evaluated"),
    BOOL(exempt_authenticated, "yes", "do not evaluate clients that authenticated"),
    BOOL(exempt_local, "yes", "do not evaluate mail submitted on this machine"),
    {.name = "time_limit",
     .kind = AM_OPTION_DURATION,
     AT(time_limit_ms),
     .min = 100,
     .max = 20000,
     .fallback = "10s",
     .help = "longest time the look-ups of a message take"},
    {.name = "override_map",
     .kind = AM_OPTION_TEXT,
     AT(override_map),
     .fallback = "",
     .help = "file of overrides by client, sender and recipient"},
    {.name = "report_store",
     .kind = AM_OPTION_TEXT,
     AT(report_store),
     .fallback = "",
     .check = dmarc_place_check,
     .help = "where results are kept for aggregate reports: a file, or a stream of Redis"},
    {.name = "report_group",
     .kind = AM_OPTION_TEXT,
     AT(report_group),
     .fallback = "",
     .help = "group that may read and write that file"},
    {.name = "report_keep",
     .kind = AM_OPTION_DURATION,
     AT(report_keep_ms),
     .min = INT64_C(86400000),
     .max = INT64_C(86400000) * 365,
     .fallback = "14d",
     .help = "how long they are kept"},
    {0},
};

static const struct am_option override_options[] = {
    AM_OVERRIDE_CONDITIONS,
    AM_OVERRIDE_OPTION(DMARC_CASE_REJECT, "fail_reject", REJECT_HELP),
    AM_OVERRIDE_OPTION(DMARC_CASE_QUARANTINE, "fail_quarantine", QUARANTINE_HELP),
    AM_OVERRIDE_OPTION(DMARC_CASE_TEMPERROR, "temperror", TEMPERROR_HELP),
    AM_OVERRIDE_OPTION(DMARC_CASE_MALFORMED, "malformed_from", MALFORMED_HELP),
    {0},
};

static const struct am_section override_section =
    AM_OVERRIDE_SECTION("dmarc_override", override_options);

const struct am_section *const dmarc_extra_sections[] = {&override_section, NULL};

static struct am_override_source source_of(const struct dmarc_conf *conf)
{
    return (struct am_override_source){
        .policy = &conf->policy,
        .section = &override_section,
        .map_option = "dmarc.override_map",
        .map_path = conf->override_map,
    };
}

bool dmarc_conf_check(const void *values, const struct am_config *config,
                      struct am_problem *problem)
{
    const struct dmarc_conf *conf = values;
    struct am_override_source source = source_of(conf);
    enum am_policy_action temperror =
        (enum am_policy_action)conf->policy.action[DMARC_CASE_TEMPERROR];

    if (temperror == AM_POLICY_REJECT || temperror == AM_POLICY_QUARANTINE)
        return am_problem_set(problem,
                              "dmarc.temperror = %s: what the DNS does not tell now it may tell "
                              "later; set it to tempfail, accept or observe",
                              am_policy_word(temperror));
    return am_overrides_check(&source, config, problem);
}

static void count(void *counters, const char *name, const char *label, uint64_t amount)
{
    am_counters_module(counters, "dmarc", name, label, amount);
}

/* A store lives over reloads as long as its options stay the same. */
static bool open_store(struct dmarc_derived *derived, const struct dmarc_conf *conf,
                       const struct am_conf_env *env, struct am_problem *problem)
{
    const struct dmarc_derived *former = env->former;
    const struct dmarc_store_options options = {
        .where = conf->report_store,
        .group = conf->report_group,
        .keep_ms = conf->report_keep_ms,
        .count = env->counters == NULL ? NULL : count,
        .user = env->counters,
    };

    if (conf->report_store[0] == '\0' || env->check_only)
        return true;
    if (former != NULL && former->store != NULL && dmarc_store_is_from(former->store, &options))
        derived->store = dmarc_store_ref(former->store);
    else
        derived->store = dmarc_store_open(&options, problem);
    return derived->store != NULL;
}

bool dmarc_conf_open(const void *values, const struct am_conf_env *env, void **result,
                     struct am_problem *problem)
{
    const struct dmarc_conf *conf = values;
    struct am_override_source source = source_of(conf);
    struct dmarc_derived *derived = am_arena_alloc(env->arena, sizeof(*derived));

    if (derived == NULL)
        return am_problem_set(problem, "out of memory");
    derived->forwarders = am_netset_of(env->arena, &conf->forwarders);
    derived->list_clients = am_netset_of(env->arena, &conf->list_clients);
    derived->exempt_networks = am_netset_of(env->arena, &conf->exempt_networks);
    if (derived->forwarders == NULL || derived->list_clients == NULL ||
        derived->exempt_networks == NULL)
        return am_problem_set(problem, "out of memory");
    derived->lists = am_patterns_of(env->arena, &conf->lists, problem);
    if (derived->lists == NULL)
        return false;
    derived->overrides = am_overrides_open(env, &source, problem);
    /* The store is last: it starts what dmarc_conf_close() has to end. */
    if (derived->overrides == NULL || !open_store(derived, conf, env, problem))
        return false;
    *result = derived;
    return true;
}

void dmarc_conf_close(void *object)
{
    struct dmarc_derived *derived = object;

    dmarc_store_drop(derived->store);
}

const char *dmarc_case_word(enum dmarc_case index)
{
    static const char *const words[DMARC_CASE_COUNT] = {"fail_reject", "fail_quarantine",
                                                        "temperror", "malformed_from"};

    return words[index];
}
