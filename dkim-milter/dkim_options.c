#include "dkim-milter/dkim_options.h"

#include "common/mail/pattern.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_signature.h"

_Static_assert(DKIM_POLICY_UNALIGNED < AM_POLICY_MAX, "the policy is too small");

static const struct am_choice partial_bodies[] = {{"policy", 0}, {"pass", 1}, {NULL, 0}};

/* The options of each result, in either section. */
#define POLICIES(ROW)                                                                              \
    ROW(DKIM_FAIL, "result_fail",                                                                  \
        "what to do when the body hash or the signature does not match"),                          \
        ROW(DKIM_NEUTRAL, "result_neutral", "what to do when the result is neutral"),              \
        ROW(DKIM_POLICY, "result_policy", "what to do when no signature is acceptable to us"),     \
        ROW(DKIM_PERMERROR, "result_permerror",                                                    \
            "what to do when signature or key can never be verified"),                             \
        ROW(DKIM_TEMPERROR, "result_temperror", "what to do when a key cannot be looked up now"),  \
        ROW(DKIM_NONE, "result_none", "what to do when there is no signature")

#define POLICY_OF_SECTION(INDEX, NAME, HELP)                                                       \
    AM_POLICY_OPTION(struct dkim_conf, policy, INDEX, NAME, "accept", HELP)

#define UNALIGNED_NAME "require_aligned_action"
#define UNALIGNED_HELP "what to do when require_aligned asks for a signature that is not there"

#define AT(MEMBER) .offset = offsetof(struct dkim_conf, MEMBER)
#define NUMBER(NAME, MEMBER, MIN, MAX, FALLBACK, HELP)                                             \
    {                                                                                              \
        .name = (NAME), .kind = AM_OPTION_INT, AT(MEMBER), .min = (MIN), .max = (MAX),             \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }

const struct am_option dkim_options[] = {
    POLICIES(POLICY_OF_SECTION),
    {.name = "require_aligned",
     .kind = AM_OPTION_LIST,
     AT(require_aligned),
     .fallback = "",
     .check = am_pattern_check,
     .help = "From domains whose mail needs a passing signature of that domain"},
    AM_POLICY_OPTION(struct dkim_conf, policy, DKIM_POLICY_UNALIGNED, UNALIGNED_NAME, "reject",
                     UNALIGNED_HELP),
    {.name = "reply_text",
     .kind = AM_OPTION_TEXT,
     AT(reply_text),
     .fallback = "",
     .help = "own text added to replies, such as how to reach you"},
    {.name = "partial_body",
     .kind = AM_OPTION_CHOICE,
     AT(partial_body_passes),
     .choices = partial_bodies,
     .fallback = "policy",
     .help = "result of a good signature whose l= leaves content unsigned"},
    NUMBER("max_signatures", max_signatures, 1, DKIM_OUTCOMES_MAX, "10",
           "signatures of one message that are evaluated"),
    NUMBER("max_keys", max_keys, 1, DKIM_OUTCOMES_MAX, "10",
           "different keys that one message has us look up"),
    NUMBER("max_signed_names", max_signed_names, 1, DKIM_SIGNATURE_NAMES_MAX, "5000",
           "names in the h= of one signature"),
    NUMBER("min_key_bits", min_key_bits, DKIM_RSA_BITS_MIN, DKIM_RSA_BITS_MAX, "1024",
           "shortest RSA key that can pass"),
    {.name = "clock_skew",
     .kind = AM_OPTION_DURATION,
     AT(clock_skew_ms),
     .min = 0,
     .max = INT64_C(86400000),
     .fallback = "5m",
     .help = "how far in the future a signature may be dated"},
    {.name = "time_limit",
     .kind = AM_OPTION_DURATION,
     AT(time_limit_ms),
     .min = 100,
     .max = 60000,
     .fallback = "20s",
     .help = "longest time the look-ups of one message's keys take"},
    {.name = "exempt_networks",
     .kind = AM_OPTION_NETS,
     AT(exempt_networks),
     .fallback = "",
     .help = "clients whose mail is not verified"},
    {.name = "exempt_authenticated",
     .kind = AM_OPTION_BOOL,
     AT(exempt_authenticated),
     .fallback = "yes",
     .help = "do not verify mail of authenticated clients"},
    {.name = "exempt_local",
     .kind = AM_OPTION_BOOL,
     AT(exempt_local),
     .fallback = "yes",
     .help = "do not verify mail submitted on this machine"},
    {.name = "override_map",
     .kind = AM_OPTION_TEXT,
     AT(override_map),
     .fallback = "",
     .help = "file of overrides by client, sender and recipient"},
    {0}};

static const struct am_option override_options[] = {
    AM_OVERRIDE_CONDITIONS,
    POLICIES(AM_OVERRIDE_OPTION),
    AM_OVERRIDE_OPTION(DKIM_POLICY_UNALIGNED, UNALIGNED_NAME, UNALIGNED_HELP),
    {0}};

static const struct am_section override_section =
    AM_OVERRIDE_SECTION("dkim_override", override_options);

const struct am_section *const dkim_extra_sections[] = {&override_section, NULL};

struct am_override_source dkim_options_source(const struct dkim_conf *conf)
{
    return (struct am_override_source){
        .policy = &conf->policy,
        .section = &override_section,
        .map_option = "dkim.override_map",
        .map_path = conf->override_map,
    };
}

bool dkim_options_check(const void *values, const struct am_config *config,
                        struct am_problem *problem)
{
    struct am_override_source source = dkim_options_source(values);

    return am_overrides_check(&source, config, problem);
}
