#include "spf-milter/spf_options.h"

#include "common/mail/pattern.h"

static const struct am_choice engines[] = {
    {"builtin", SPF_ENGINE_BUILTIN}, {"libspf2", SPF_ENGINE_LIBSPF2}, {NULL, 0}};

static const struct am_choice stages[] = {
    {"mail", SPF_REJECT_AT_MAIL}, {"rcpt", SPF_REJECT_AT_RCPT}, {NULL, 0}};

/* The options of each identity and result, in either section. */
#define POLICIES(ROW)                                                                              \
    ROW(SPF_POLICY(SPF_MAILFROM, SPF_FAIL), "mailfrom_fail",                                       \
        "what to do when MAIL FROM gives fail"),                                                   \
        ROW(SPF_POLICY(SPF_MAILFROM, SPF_SOFTFAIL), "mailfrom_softfail",                           \
            "what to do when MAIL FROM gives softfail"),                                           \
        ROW(SPF_POLICY(SPF_MAILFROM, SPF_NEUTRAL), "mailfrom_neutral",                             \
            "what to do when MAIL FROM gives neutral"),                                            \
        ROW(SPF_POLICY(SPF_MAILFROM, SPF_NONE), "mailfrom_none",                                   \
            "what to do when MAIL FROM gives none"),                                               \
        ROW(SPF_POLICY(SPF_MAILFROM, SPF_PERMERROR), "mailfrom_permerror",                         \
            "what to do when MAIL FROM gives permerror"),                                          \
        ROW(SPF_POLICY(SPF_MAILFROM, SPF_TEMPERROR), "mailfrom_temperror",                         \
            "what to do when MAIL FROM gives temperror"),                                          \
        ROW(SPF_POLICY(SPF_HELO, SPF_FAIL), "helo_fail", "what to do when HELO gives fail"),       \
        ROW(SPF_POLICY(SPF_HELO, SPF_SOFTFAIL), "helo_softfail",                                   \
            "what to do when HELO gives softfail"),                                                \
        ROW(SPF_POLICY(SPF_HELO, SPF_NEUTRAL), "helo_neutral",                                     \
            "what to do when HELO gives neutral"),                                                 \
        ROW(SPF_POLICY(SPF_HELO, SPF_NONE), "helo_none", "what to do when HELO gives none"),       \
        ROW(SPF_POLICY(SPF_HELO, SPF_PERMERROR), "helo_permerror",                                 \
            "what to do when HELO gives permerror"),                                               \
        ROW(SPF_POLICY(SPF_HELO, SPF_TEMPERROR), "helo_temperror",                                 \
            "what to do when HELO gives temperror")

#define OWN_POLICY(INDEX, NAME, HELP)                                                              \
    AM_POLICY_OPTION(struct spf_conf, policy, INDEX, NAME, "accept", HELP)

#define AT(MEMBER) .offset = offsetof(struct spf_conf, MEMBER)

const struct am_option spf_options[] = {
    {.name = "engine",
     .kind = AM_OPTION_CHOICE,
     AT(engine),
     .choices = engines,
     .fallback = "builtin",
     .help = "who evaluates; libspf2 only where it was built in"},
    {.name = "check_helo",
     .kind = AM_OPTION_BOOL,
     AT(check_helo),
     .fallback = "yes",
     .help = "evaluate the HELO identity"},
    {.name = "check_mailfrom",
     .kind = AM_OPTION_BOOL,
     AT(check_mailfrom),
     .fallback = "yes",
     .help = "evaluate the MAIL FROM identity"},
    POLICIES(OWN_POLICY),
    {.name = "reject_at",
     .kind = AM_OPTION_CHOICE,
     AT(reject_at),
     .choices = stages,
     .fallback = "rcpt",
     .help = "answer MAIL, or each RCPT so that recipients can be exempt"},
    {.name = "reply_text",
     .kind = AM_OPTION_TEXT,
     AT(reply_text),
     .fallback = "",
     .help = "own text added to replies, such as how to reach you"},
    {.name = "explanation",
     .kind = AM_OPTION_BOOL,
     AT(explanation),
     .fallback = "no",
     .help = "quote the sender domain's explanation (exp=) in replies to fail"},
    {.name = "received_spf",
     .kind = AM_OPTION_BOOL,
     AT(received_spf),
     .fallback = "no",
     .help = "add Received-SPF fields (RFC 7208 section 9.1) too"},
    {.name = "max_terms",
     .kind = AM_OPTION_INT,
     AT(max_terms),
     .min = 1,
     .max = 50,
     .fallback = "10",
     .help = "terms with DNS look-ups in one evaluation"},
    {.name = "max_voids",
     .kind = AM_OPTION_INT,
     AT(max_voids),
     .min = 1,
     .max = 50,
     .fallback = "2",
     .help = "look-ups without an answer record in one evaluation"},
    {.name = "time_limit",
     .kind = AM_OPTION_DURATION,
     AT(time_limit_ms),
     .min = 100,
     .max = 20000,
     .fallback = "20s",
     .help = "longest time one message's evaluation takes"},
    {.name = "prefetch",
     .kind = AM_OPTION_BOOL,
     AT(prefetch),
     .fallback = "no",
     .help = "start look-ups of later terms early: fewer waits, more queries"},
    {.name = "exempt_networks",
     .kind = AM_OPTION_NETS,
     AT(exempt_networks),
     .fallback = "",
     .help = "clients that are not evaluated"},
    {.name = "exempt_authenticated",
     .kind = AM_OPTION_BOOL,
     AT(exempt_authenticated),
     .fallback = "yes",
     .help = "do not evaluate authenticated clients"},
    {.name = "exempt_local",
     .kind = AM_OPTION_BOOL,
     AT(exempt_local),
     .fallback = "yes",
     .help = "do not evaluate mail submitted on this machine"},
    {.name = "exempt_helo",
     .kind = AM_OPTION_LIST,
     AT(exempt_helo),
     .fallback = "",
     .check = am_pattern_check,
     .help = "HELO names whose mail is never refused"},
    {.name = "exempt_ptr",
     .kind = AM_OPTION_LIST,
     AT(exempt_ptr),
     .fallback = "",
     .check = am_pattern_check,
     .help = "clients not evaluated, by forward-confirmed PTR name"},
    {.name = "exempt_senders",
     .kind = AM_OPTION_LIST,
     AT(exempt_senders),
     .fallback = "",
     .check = am_pattern_check,
     .help = "envelope senders whose mail is never refused"},
    {.name = "exempt_recipients",
     .kind = AM_OPTION_LIST,
     AT(exempt_recipients),
     .fallback = "postmaster, abuse",
     .check = am_pattern_check,
     .help = "recipients for whom mail is never refused"},
    {.name = "trusted_relays",
     .kind = AM_OPTION_NETS,
     AT(trusted_relays),
     .fallback = "",
     .help = "relays whose Received field names the client to evaluate"},
    {.name = "relay_max_received",
     .kind = AM_OPTION_INT,
     AT(relay_max_received),
     .min = 1,
     .max = 200,
     .fallback = "30",
     .help = "Received fields looked at behind trusted relays"},
    {.name = "own_networks",
     .kind = AM_OPTION_NETS,
     AT(own_networks),
     .fallback = "",
     .help = "public addresses of this site, treated like private ones"},
    {.name = "evaluate_private",
     .kind = AM_OPTION_BOOL,
     AT(evaluate_private),
     .fallback = "no",
     .help = "evaluate private and own client addresses too; they are never refused"},
    {.name = "override_map",
     .kind = AM_OPTION_TEXT,
     AT(override_map),
     .fallback = "",
     .help = "file of overrides by client, sender and recipient"},
    {0}};

static const struct am_option override_options[] = {
    AM_OVERRIDE_CONDITIONS, POLICIES(AM_OVERRIDE_OPTION), {0}};

static const struct am_section override_section = AM_OVERRIDE_SECTION("override", override_options);

const struct am_section *const spf_extra_sections[] = {&override_section, NULL};

struct am_override_source spf_options_source(const struct spf_conf *conf)
{
    return (struct am_override_source){
        .policy = &conf->policy,
        .section = &override_section,
        .map_option = "spf.override_map",
        .map_path = conf->override_map,
        .no_recipients = conf->reject_at == SPF_REJECT_AT_MAIL
                             ? "with spf.reject_at = mail no recipient is known: set "
                               "spf.reject_at = rcpt"
                             : NULL,
    };
}

bool spf_options_check(const void *values, const struct am_config *config,
                       struct am_problem *problem)
{
    const struct spf_conf *conf = values;
    struct am_override_source source = spf_options_source(conf);

    if (!conf->check_helo && !conf->check_mailfrom)
        return am_problem_set(problem, "spf.check_helo and spf.check_mailfrom are both no: nothing "
                                       "would be checked; set one of them to yes");
    if (conf->engine == SPF_ENGINE_LIBSPF2 && spf_engine_find("libspf2") == NULL)
        return am_problem_set(problem, "spf.engine = libspf2, but this program was built without "
                                       "it: set spf.engine = builtin");
    return am_overrides_check(&source, config, problem);
}
