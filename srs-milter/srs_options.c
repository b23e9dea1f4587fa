#include "srs-milter/srs_options.h"

#include "common/mail/domain.h"

static const struct am_choice separators[] = {
    {"equals", '='}, {"plus", '+'}, {"minus", '-'}, {NULL, 0}};
static const struct am_choice digests[] = {{"sha1", SRS_SHA1}, {"sha256", SRS_SHA256}, {NULL, 0}};
static const struct am_choice mixed_words[] = {{"rewrite", SRS_MIXED_REWRITE},
                                               {"keep", SRS_MIXED_KEEP},
                                               {"split", SRS_MIXED_SPLIT},
                                               {NULL, 0}};

#define AT(MEMBER) .offset = offsetof(struct srs_conf, MEMBER)
#define POLICY(INDEX, NAME, FALLBACK, HELP)                                                        \
    AM_POLICY_OPTION(struct srs_conf, policy, INDEX, NAME, FALLBACK, HELP)
#define PATTERNS(NAME, FALLBACK, HELP)                                                             \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_LIST, AT(NAME), .fallback = (FALLBACK),                   \
        .check = am_pattern_check, .help = (HELP)                                                  \
    }
#define NETWORKS(NAME, FALLBACK, HELP)                                                             \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_NETS, AT(NAME), .fallback = (FALLBACK), .help = (HELP)    \
    }

static bool check_domain(const char *value, struct am_problem *problem)
{
    bool ascii = true;

    for (const char *p = value; *p != '\0'; p++)
        ascii = ascii && (unsigned char)*p < 0x80;
    /* U-labels are judged when they are converted. */
    return value[0] == '\0' || !ascii || am_domain_is_valid(am_span_str(value)) ||
           am_problem_set(problem, "\"%s\" is no domain name", value);
}

/* Returns the domain of a pattern that has one: "user@example.org", ".example.org". */
static struct am_span domain_of(const char *pattern)
{
    const char *at = strrchr(pattern, '@');

    if (at != NULL)
        return am_span_str(at + 1);
    return am_span_str(strchr(pattern, '.') == NULL ? "" : pattern);
}

static bool check_sign_sender(const char *value, struct am_problem *problem)
{
    return am_pattern_check(value, problem) &&
           (domain_of(value).len > 0 ||
            am_problem_set(problem, "\"%s\" names no domain: bounces come to one", value));
}

static bool check_path(const char *value, struct am_problem *problem)
{
    return value[0] == '/' || am_problem_set(problem, "\"%s\" is no absolute path", value);
}

const struct am_option srs_options[] = {
    {.name = "domain",
     .kind = AM_OPTION_TEXT,
     AT(domain),
     .fallback = "",
     .check = check_domain,
     .help = "domain of rewritten senders, whose mail comes to this site; empty: nothing is done"},
    {.name = "secrets",
     .kind = AM_OPTION_TEXT,
     AT(secrets),
     .fallback = "/etc/authmilter/srs.secrets",
     .check = check_path,
     .help = "file of secrets, one a line: the first signs, all verify"},
    {.name = "separator",
     .kind = AM_OPTION_CHOICE,
     AT(separator),
     .choices = separators,
     .fallback = "equals",
     .help = "character behind SRS0 and SRS1"},
    {.name = "digest",
     .kind = AM_OPTION_CHOICE,
     AT(digest),
     .choices = digests,
     .fallback = "sha1",
     .help = "digest of the keyed hash; others that share the secret have sha1"},
    {.name = "hash_length",
     .kind = AM_OPTION_INT,
     AT(hash_length),
     .min = SRS_HASH_LENGTH_MIN,
     .max = SRS_HASH_LENGTH_MAX,
     .fallback = "4",
     .help = "characters of the hash that are written"},
    {.name = "hash_minimum",
     .kind = AM_OPTION_INT,
     AT(hash_minimum),
     .min = SRS_HASH_LENGTH_MIN,
     .max = SRS_HASH_LENGTH_MAX,
     .fallback = "4",
     .help = "characters of the hash that must come back"},
    {.name = "max_age",
     .kind = AM_OPTION_DURATION,
     AT(max_age_ms),
     .min = INT64_C(86400000),
     .max = INT64_C(86400000) * SRS_DAYS_MAX,
     .fallback = "21d",
     .help = "how long bounces to a rewritten sender are taken; whole days"},
    PATTERNS(forward_recipients, "", "recipients whose mail is forwarded to other sites"),
    NETWORKS(forward_clients, "", "clients whose mail may be forwarded mail; empty: all"),
    NETWORKS(exempt_clients, "", "clients whose senders are never rewritten"),
    PATTERNS(own_senders, "", "senders this site may use as they are, beside srs.domain"),
    {.name = "mixed",
     .kind = AM_OPTION_CHOICE,
     AT(mixed),
     .choices = mixed_words,
     .fallback = "rewrite",
     .help = "sender of a message with forwarded and other recipients"},
    {.name = "reverse",
     .kind = AM_OPTION_BOOL,
     AT(reverse),
     .fallback = "yes",
     .help = "turn recipients back that were rewritten here"},
    {.name = "sign_senders",
     .kind = AM_OPTION_LIST,
     AT(sign_senders),
     .fallback = "",
     .check = check_sign_sender,
     .help = "senders of this site whose addresses are signed on the way out"},
    NETWORKS(sign_clients, "",
             "clients whose mail is signed beside that of logged in and local ones"),
    PATTERNS(unsent_exempt, "postmaster@,abuse@",
             "recipients that get bounces although they are signed for"),
    POLICY(SRS_POLICY_FORGED, "forged", "reject",
           "what to do with mail to a rewritten address that was not made here"),
    POLICY(SRS_POLICY_EXPIRED, "expired", "reject",
           "what to do with mail to a rewritten address that is too old"),
    POLICY(SRS_POLICY_MALFORMED, "malformed", "reject",
           "what to do with mail to what only looks like a rewritten address"),
    POLICY(SRS_POLICY_UNSENT, "unsent", "accept",
           "what to do with bounces to an unsigned address of sign_senders"),
    {0},
};

bool srs_conf_check(const void *values, const struct am_config *config, struct am_problem *problem)
{
    const struct srs_conf *conf = values;

    (void)config;
    if (conf->hash_minimum > conf->hash_length)
        return am_problem_set(problem,
                              "srs.hash_minimum (%d) is above srs.hash_length (%d): our own "
                              "addresses would not be taken back",
                              (int)conf->hash_minimum, (int)conf->hash_length);
    if (conf->policy.action[SRS_POLICY_UNSENT] != AM_POLICY_ACCEPT && conf->sign_senders.count == 0)
        return am_problem_set(problem, "srs.unsent needs srs.sign_senders: bounces can be told "
                                       "from forged ones only where senders are signed");
    if (conf->domain[0] == '\0' &&
        (conf->forward_recipients.count > 0 || conf->sign_senders.count > 0))
        return am_problem_set(problem, "srs.domain is empty, so that nothing would be rewritten: "
                                       "set it to a domain whose mail comes to this site");
    return true;
}

bool srs_conf_scheme(const struct srs_conf *conf, struct am_arena *arena, struct srs_scheme *scheme,
                     struct am_problem *problem)
{
    *scheme = (struct srs_scheme){
        .secrets = srs_secrets_read(arena, conf->secrets, problem),
        .domain = am_domain_to_ascii(arena, am_span_str(conf->domain)),
        .separator = (char)conf->separator,
        .digest = (enum srs_digest)conf->digest,
        .hash_length = (unsigned)conf->hash_length,
        .hash_minimum = (unsigned)conf->hash_minimum,
        .max_age_days = (unsigned)(conf->max_age_ms / 86400000),
    };
    if (scheme->secrets == NULL)
        return false;
    return (scheme->domain != NULL && am_domain_is_valid(am_span_str(scheme->domain))) ||
           am_problem_set(problem, "srs.domain: \"%s\" is no domain name", conf->domain);
}

static struct am_patterns *domains_of(struct am_arena *arena, const struct am_strlist *list,
                                      struct am_problem *problem)
{
    struct am_patterns *domains = am_patterns_new(arena, list->count);

    for (size_t i = 0; domains != NULL && i < list->count; i++)
        if (am_patterns_add(domains, domain_of(list->items[i]), (uint32_t)i, problem) ==
            AM_TABLE_NONE)
            return NULL;
    if (domains == NULL)
        am_problem_set(problem, "out of memory");
    return domains;
}

static bool compile(struct srs_derived *derived, const struct srs_conf *conf,
                    struct am_arena *arena, struct am_problem *problem)
{
    derived->forward_recipients = am_patterns_of(arena, &conf->forward_recipients, problem);
    derived->own_senders = am_patterns_of(arena, &conf->own_senders, problem);
    derived->sign_senders = am_patterns_of(arena, &conf->sign_senders, problem);
    derived->sign_domains = domains_of(arena, &conf->sign_senders, problem);
    derived->unsent_exempt = am_patterns_of(arena, &conf->unsent_exempt, problem);
    if (derived->forward_recipients == NULL || derived->own_senders == NULL ||
        derived->sign_senders == NULL || derived->sign_domains == NULL ||
        derived->unsent_exempt == NULL)
        return false;
    derived->forward_clients = am_netset_of(arena, &conf->forward_clients);
    derived->exempt_clients = am_netset_of(arena, &conf->exempt_clients);
    derived->sign_clients = am_netset_of(arena, &conf->sign_clients);
    return (derived->forward_clients != NULL && derived->exempt_clients != NULL &&
            derived->sign_clients != NULL) ||
           am_problem_set(problem, "out of memory");
}

bool srs_conf_open(const void *values, const struct am_conf_env *env, void **result,
                   struct am_problem *problem)
{
    const struct srs_conf *conf = values;
    struct srs_derived *derived = am_arena_alloc(env->arena, sizeof(*derived));

    if (derived == NULL)
        return am_problem_set(problem, "out of memory");
    *result = derived;
    if (conf->domain[0] == '\0')
        return true;
    if (!srs_conf_scheme(conf, env->arena, &derived->scheme, problem))
        return false;
    if (!compile(derived, conf, env->arena, problem))
        return false;
    return am_conf_env_watch(env, conf->secrets) || am_problem_set(problem, "out of memory");
}

bool srs_conf_domain_is_ours(const struct srs_derived *derived, struct am_arena *arena,
                             const struct am_address *recipient)
{
    return am_span_equal_nocase(recipient->domain, am_span_str(derived->scheme.domain)) ||
           am_patterns_find_domain(derived->sign_domains, arena, recipient->domain) !=
               AM_TABLE_NONE;
}
