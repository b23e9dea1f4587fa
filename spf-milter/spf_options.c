#include "spf-milter/spf_options.h"

#include "common/mail/pattern.h"

static const struct am_choice engines[] = {
    {"builtin", SPF_ENGINE_BUILTIN}, {"libspf2", SPF_ENGINE_LIBSPF2}, {NULL, 0}};

static const struct am_choice stages[] = {
    {"mail", SPF_REJECT_AT_MAIL}, {"rcpt", SPF_REJECT_AT_RCPT}, {NULL, 0}};

static const struct am_choice actions[] = {
    {"accept", SPF_ACTION_ACCEPT},     {"reject", SPF_ACTION_REJECT},
    {"tempfail", SPF_ACTION_TEMPFAIL}, {"quarantine", SPF_ACTION_QUARANTINE},
    {"observe", SPF_ACTION_OBSERVE},   {NULL, 0}};

static const struct am_choice override_actions[] = {{"inherit", SPF_ACTION_INHERIT},
                                                    {"accept", SPF_ACTION_ACCEPT},
                                                    {"reject", SPF_ACTION_REJECT},
                                                    {"tempfail", SPF_ACTION_TEMPFAIL},
                                                    {"quarantine", SPF_ACTION_QUARANTINE},
                                                    {"observe", SPF_ACTION_OBSERVE},
                                                    {NULL, 0}};

/* The option of one identity and result, in either section. */
#define POLICY(NAME, STRUCT, IDENTITY, RESULT, CHOICES, FALLBACK, HELP)                            \
    {                                                                                              \
        .name = (NAME), .kind = AM_OPTION_CHOICE,                                                  \
        .offset = offsetof(struct STRUCT, policy.action[IDENTITY][RESULT]), .choices = (CHOICES),  \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }

#define POLICIES(STRUCT, CHOICES, FALLBACK)                                                        \
    POLICY("mailfrom_fail", STRUCT, SPF_MAILFROM, SPF_FAIL, CHOICES, FALLBACK,                     \
           "what to do when MAIL FROM gives fail"),                                                \
        POLICY("mailfrom_softfail", STRUCT, SPF_MAILFROM, SPF_SOFTFAIL, CHOICES, FALLBACK,         \
               "what to do when MAIL FROM gives softfail"),                                        \
        POLICY("mailfrom_neutral", STRUCT, SPF_MAILFROM, SPF_NEUTRAL, CHOICES, FALLBACK,           \
               "what to do when MAIL FROM gives neutral"),                                         \
        POLICY("mailfrom_none", STRUCT, SPF_MAILFROM, SPF_NONE, CHOICES, FALLBACK,                 \
               "what to do when MAIL FROM gives none"),                                            \
        POLICY("mailfrom_permerror", STRUCT, SPF_MAILFROM, SPF_PERMERROR, CHOICES, FALLBACK,       \
               "what to do when MAIL FROM gives permerror"),                                       \
        POLICY("mailfrom_temperror", STRUCT, SPF_MAILFROM, SPF_TEMPERROR, CHOICES, FALLBACK,       \
               "what to do when MAIL FROM gives temperror"),                                       \
        POLICY("helo_fail", STRUCT, SPF_HELO, SPF_FAIL, CHOICES, FALLBACK,                         \
               "what to do when HELO gives fail"),                                                 \
        POLICY("helo_softfail", STRUCT, SPF_HELO, SPF_SOFTFAIL, CHOICES, FALLBACK,                 \
               "what to do when HELO gives softfail"),                                             \
        POLICY("helo_neutral", STRUCT, SPF_HELO, SPF_NEUTRAL, CHOICES, FALLBACK,                   \
               "what to do when HELO gives neutral"),                                              \
        POLICY("helo_none", STRUCT, SPF_HELO, SPF_NONE, CHOICES, FALLBACK,                         \
               "what to do when HELO gives none"),                                                 \
        POLICY("helo_permerror", STRUCT, SPF_HELO, SPF_PERMERROR, CHOICES, FALLBACK,               \
               "what to do when HELO gives permerror"),                                            \
        POLICY("helo_temperror", STRUCT, SPF_HELO, SPF_TEMPERROR, CHOICES, FALLBACK,               \
               "what to do when HELO gives temperror")

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
    POLICIES(spf_conf, actions, "accept"),
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
    {.name = "client",
     .kind = AM_OPTION_NETS,
     .offset = offsetof(struct spf_override_conf, client),
     .fallback = "",
     .help = "client networks it applies to"},
    {.name = "sender",
     .kind = AM_OPTION_LIST,
     .offset = offsetof(struct spf_override_conf, sender),
     .fallback = "",
     .check = am_pattern_check,
     .help = "envelope senders it applies to"},
    {.name = "recipient",
     .kind = AM_OPTION_LIST,
     .offset = offsetof(struct spf_override_conf, recipient),
     .fallback = "",
     .check = am_pattern_check,
     .help = "envelope recipients it applies to"},
    POLICIES(spf_override_conf, override_actions, "inherit"),
    {0}};

static const struct am_section override_section = {
    .name = "override",
    .help = "another policy for some clients, senders or recipients",
    .options = override_options,
    .size = sizeof(struct spf_override_conf),
    .repeated = true,
};

const struct am_section *const spf_extra_sections[] = {&override_section, NULL};

const struct am_option *spf_options_find_policy(struct am_span name)
{
    for (const struct am_option *row = override_options; row->name != NULL; row++)
        if (row->kind == AM_OPTION_CHOICE && am_span_equal(name, am_span_str(row->name)))
            return row;
    return NULL;
}

/* An override must name whom it is for and change something: anything else is a slip of the pen. */
static bool check_override(const struct spf_conf *conf, const struct spf_override_conf *override,
                           struct am_problem *problem)
{
    if (override->client.count == 0 && override->sender.count == 0 &&
        override->recipient.count == 0)
        return am_problem_set(problem,
                              "override \"%s\" names nobody: give it client, sender or recipient",
                              override->title);
    if (spf_policy_actions(&override->policy) == 0)
        return am_problem_set(problem,
                              "override \"%s\" changes nothing: give it an option such as "
                              "mailfrom_fail = accept",
                              override->title);
    if (override->recipient.count > 0 && conf->reject_at == SPF_REJECT_AT_MAIL)
        return am_problem_set(problem,
                              "override \"%s\" has a recipient, but with spf.reject_at = mail no "
                              "recipient is known: set spf.reject_at = rcpt",
                              override->title);
    return true;
}

bool spf_options_check(const void *values, const struct am_config *config,
                       struct am_problem *problem)
{
    const struct spf_conf *conf = values;

    if (!conf->check_helo && !conf->check_mailfrom)
        return am_problem_set(problem, "spf.check_helo and spf.check_mailfrom are both no: nothing "
                                       "would be checked; set one of them to yes");
    if (conf->engine == SPF_ENGINE_LIBSPF2 && spf_engine_find("libspf2") == NULL)
        return am_problem_set(problem, "spf.engine = libspf2, but this program was built without "
                                       "it: set spf.engine = builtin");
    for (size_t i = 0; i < am_config_count(config, "override"); i++)
        if (!check_override(conf, am_config_item(config, "override", i), problem))
            return false;
    return true;
}
