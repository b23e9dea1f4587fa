#include "author-milter/author_options.h"

#include "common/map/rows.h"

static const struct am_choice fields_words[] = {{"both", AUTHOR_FIELDS_BOTH},
                                                {"from", AUTHOR_FIELDS_FROM},
                                                {"sender", AUTHOR_FIELDS_SENDER},
                                                {NULL, 0}};
static const struct am_choice login_words[] = {{"domain", AUTHOR_LOGIN_DOMAIN},
                                               {"address", AUTHOR_LOGIN_ADDRESS},
                                               {"table", AUTHOR_LOGIN_TABLE},
                                               {NULL, 0}};
static const struct am_choice alignment_words[] = {{"no", AUTHOR_ALIGN_NO},
                                                   {"relaxed", AUTHOR_ALIGN_RELAXED},
                                                   {"strict", AUTHOR_ALIGN_STRICT},
                                                   {"address", AUTHOR_ALIGN_ADDRESS},
                                                   {NULL, 0}};

/* Rows of addresses and the logins that may write as them. */
static const struct am_rows_kind author_rows = {
    .table = "author_senders",
    .columns = {{.name = "pattern"}, {.name = "logins"}},
};

#define AT(MEMBER) .offset = offsetof(struct author_conf, MEMBER)
#define POLICY(INDEX, NAME, HELP)                                                                  \
    AM_POLICY_OPTION(struct author_conf, policy, INDEX, NAME, "accept", HELP)
#define MAPS(NAME, HELP)                                                                           \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_LIST, AT(NAME), .fallback = "", .check = am_map_check,    \
        .help = (HELP)                                                                             \
    }
#define NETWORKS(NAME, HELP)                                                                       \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_NETS, AT(NAME), .fallback = "", .help = (HELP)            \
    }
#define CHOICE(NAME, WORDS, FALLBACK, HELP)                                                        \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_CHOICE, AT(NAME), .choices = (WORDS),                     \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }

const struct am_option author_options[] = {
    CHOICE(fields, fields_words, "both", "which fields name the author: From, Sender, or both"),
    CHOICE(login, login_words, "domain",
           "what a login may write as by itself: its domain, its address, or what tables say"),
    MAPS(tables, "maps of addresses to the logins that may write as them, asked in order"),
    {.name = "domains",
     .kind = AM_OPTION_LIST,
     AT(domains),
     .fallback = "",
     .check = am_pattern_check,
     .help = "addresses and domains of this site that any of its users may write as"},
    MAPS(domain_tables, "the same in maps; what belongs to a row does not matter"),
    CHOICE(alignment, alignment_words, "no",
           "how far the author must agree with the envelope sender, where there is one"),
    {.name = "fix",
     .kind = AM_OPTION_BOOL,
     AT(fix),
     .fallback = "no",
     .help = "put the sender's own address into From where a message would be refused or held"},
    NETWORKS(networks, "clients whose mail is ours without a login"),
    NETWORKS(exempt_networks, "clients whose mail is not looked at"),
    {.name = "exempt_logins",
     .kind = AM_OPTION_LIST,
     AT(exempt_logins),
     .fallback = "",
     .help = "logins that may write as anybody"},
    {.name = "exempt_local",
     .kind = AM_OPTION_BOOL,
     AT(exempt_local),
     .fallback = "yes",
     .help = "do not look at mail submitted on this machine without a login"},
    POLICY(AUTHOR_POLICY_NOT_OWNER, "not_owner", "what to do with an author that is another user"),
    POLICY(AUTHOR_POLICY_FOREIGN, "foreign", "what to do with an author that is nobody here"),
    POLICY(AUTHOR_POLICY_MISALIGNED, "misaligned",
           "what to do with an author that does not agree with the envelope sender"),
    POLICY(AUTHOR_POLICY_MISSING, "missing", "what to do with mail without a usable author"),
    POLICY(AUTHOR_POLICY_SEVERAL, "several", "what to do with mail with several From fields"),
    POLICY(AUTHOR_POLICY_UNCHECKED, "unchecked", "what to do when a table cannot be asked"),
    POLICY(AUTHOR_POLICY_SPOOFED, "spoofed",
           "what to do with mail of others whose author is an address of ours"),
    {0},
};

const struct am_section *const author_extra_sections[] = {&am_map_section, NULL};

static bool has_lists(const struct author_conf *conf)
{
    return conf->tables.count > 0 || conf->domains.count > 0 || conf->domain_tables.count > 0;
}

bool author_conf_check(const void *values, const struct am_config *config,
                       struct am_problem *problem)
{
    const struct author_conf *conf = values;

    if (conf->login == AUTHOR_LOGIN_TABLE && !has_lists(conf))
        return am_problem_set(problem, "author.login = table needs author.tables or "
                                       "author.domains: nobody could write as anybody");
    if (conf->policy.action[AUTHOR_POLICY_SPOOFED] != AM_POLICY_ACCEPT && !has_lists(conf))
        return am_problem_set(problem, "author.spoofed needs author.domains or tables: without "
                                       "them no address is known to be ours");
    return am_map_sections_check(config, problem);
}

/* --- opening --- */

static void complain(void *user, const char *sentence)
{
    (void)user;
    am_log(AM_LOG_WARNING, "author: %s", sentence);
}

static bool watch(void *user, const char *path, bool is_database)
{
    const struct am_conf_env *env = user;

    return is_database ? am_conf_env_watch_writes(env, path) : am_conf_env_watch(env, path);
}

static bool open_all(struct author_derived *derived, const struct author_conf *conf,
                     const struct am_conf_env *env, struct am_problem *problem)
{
    struct am_conf_env *user = am_arena_alloc(env->arena, sizeof(*user));
    if (user == NULL)
        return am_problem_set(problem, "out of memory");
    *user = *env;
    const struct am_map_env maps = {.config = env->config,
                                    .rows = &author_rows,
                                    .arena = env->arena,
                                    .complain = complain,
                                    .watch = watch,
                                    .user = user};
    struct am_problem inner;

    if (!am_maps_open(&derived->tables, &conf->tables, &maps, &inner))
        return am_problem_set(problem, "author.tables: %s", inner.text);
    if (!am_maps_open(&derived->domain_tables, &conf->domain_tables, &maps, &inner))
        return am_problem_set(problem, "author.domain_tables: %s", inner.text);
    derived->domains = am_patterns_of(env->arena, &conf->domains, problem);
    if (derived->domains == NULL)
        return false;
    derived->networks = am_netset_of(env->arena, &conf->networks);
    derived->exempt_networks = am_netset_of(env->arena, &conf->exempt_networks);
    derived->has_lists = has_lists(conf);
    return (derived->networks != NULL && derived->exempt_networks != NULL) ||
           am_problem_set(problem, "out of memory");
}

bool author_conf_open(const void *values, const struct am_conf_env *env, void **result,
                      struct am_problem *problem)
{
    struct author_derived *derived = am_arena_alloc(env->arena, sizeof(*derived));

    if (derived == NULL)
        return am_problem_set(problem, "out of memory");
    *result = derived;
    if (open_all(derived, values, env, problem))
        return true;
    author_conf_close(derived);
    return false;
}

void author_conf_close(void *object)
{
    struct author_derived *derived = object;

    am_maps_close(&derived->tables);
    am_maps_close(&derived->domain_tables);
}
