#include "dkim-milter/dkim_module_managed.h"

#include "common/milter/runtime.h"

/* Managed keys as the configuration has them. */

static void count(void *user, const char *name, const char *label)
{
    am_counters_module(user, "dkim", name, label, 1);
}

static bool fill(struct dkim_rotor_options *options, const struct dkim_conf *conf,
                 const struct am_conf_env *env, struct am_problem *problem)
{
    const struct am_milter_options *milter = am_config_section(env->config, "milter");
    const struct am_dns_options *dns = am_config_section(env->config, "dns");
    bool has_own = conf->managed_nameservers.count > 0;

    *options = (struct dkim_rotor_options){
        .directory = conf->managed_keys,
        .zone = dns == NULL || has_own ? "" : dns->zone,
        .servers =
            has_own || dns == NULL ? conf->managed_nameservers.items : dns->nameservers.items,
        .server_count =
            has_own || dns == NULL ? conf->managed_nameservers.count : dns->nameservers.count,
        .timeout_ms = dns == NULL ? 2000 : dns->timeout_ms,
        .check_ms = conf->managed_check_ms,
        .keep_ms = conf->managed_keep_ms,
        .grace_ms = conf->unpublished_grace_ms,
        .sign_unpublished = conf->unpublished_key == DKIM_UNPUBLISHED_SIGN,
        .clock = env->clock,
        .count = env->counters == NULL ? NULL : count,
        .user = env->counters,
    };
    return dkim_key_reader_find(&options->reader, milter == NULL ? "" : milter->user,
                                milter == NULL ? "" : milter->group, problem);
}

static void tell(struct dkim_rotor *rotor)
{
    size_t signing, domains = dkim_rotor_domains(rotor, &signing);

    am_log(AM_LOG_NOTICE, "dkim: domains with managed keys: %zu; with one that signs: %zu", domains,
           signing);
}

struct dkim_rotor *dkim_managed_open(const struct dkim_conf *conf, const struct am_conf_env *env,
                                     struct dkim_rotor *former, struct am_problem *problem)
{
    struct dkim_rotor_options options;
    struct am_problem inner;

    if (!fill(&options, conf, env, problem))
        return NULL;
    if (former != NULL && dkim_rotor_is_from(former, &options))
        return dkim_rotor_ref(former);
    struct dkim_rotor *rotor = dkim_rotor_new(&options, &inner);
    if (rotor == NULL)
        am_problem_set(problem, "dkim.managed_keys: %s", inner.text);
    else if (!env->check_only) {
        tell(rotor);
        dkim_rotor_start(rotor);
    }
    return rotor;
}
