#include "dkim-milter/dkim_options.h"

#include "common/dns/dns_live.h"
#include "common/mail/pattern.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_login.h"
#include "dkim-milter/dkim_role.h"
#include "dkim-milter/dkim_sign.h"
#include "dkim-milter/dkim_signature.h"

_Static_assert(DKIM_POLICY_UNALIGNED < AM_POLICY_MAX, "the policy is too small");

static const struct am_choice partial_bodies[] = {{"policy", 0}, {"pass", 1}, {NULL, 0}};

static const struct am_choice engines[] = {
    {"builtin", DKIM_ENGINE_BUILTIN}, {"libopendkim", DKIM_ENGINE_LIBOPENDKIM}, {NULL, 0}};

static const struct am_choice modes[] = {
    {"auto", DKIM_MODE_AUTO}, {"verify", DKIM_MODE_VERIFY}, {"sign", DKIM_MODE_SIGN}, {NULL, 0}};

static const struct am_choice signers[] = {
    {"from", DKIM_SIGN_BY_FROM}, {"envelope", DKIM_SIGN_BY_ENVELOPE}, {NULL, 0}};

static const struct am_choice canonicalizations[] = {
    {"relaxed/relaxed", DKIM_CANON_PAIR(DKIM_CANON_RELAXED, DKIM_CANON_RELAXED)},
    {"relaxed/simple", DKIM_CANON_PAIR(DKIM_CANON_RELAXED, DKIM_CANON_SIMPLE)},
    {"simple/relaxed", DKIM_CANON_PAIR(DKIM_CANON_SIMPLE, DKIM_CANON_RELAXED)},
    {"simple/simple", DKIM_CANON_PAIR(DKIM_CANON_SIMPLE, DKIM_CANON_SIMPLE)},
    {NULL, 0}};

static const struct am_choice bindings[] = {
    {"auto", DKIM_LOGIN_AUTO}, {"map", DKIM_LOGIN_MAP}, {"off", DKIM_LOGIN_OFF}, {NULL, 0}};

static const struct am_choice unsigned_actions[] = {
    {"unsigned", DKIM_UNSIGNED_PASS_ON}, {"reject", DKIM_UNSIGNED_REJECT}, {NULL, 0}};

static const struct am_choice unpublished_actions[] = {
    {"defer", DKIM_UNPUBLISHED_DEFER}, {"sign", DKIM_UNPUBLISHED_SIGN}, {NULL, 0}};

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

#define BOOL(NAME, MEMBER, FALLBACK, HELP)                                                         \
    {                                                                                              \
        .name = (NAME), .kind = AM_OPTION_BOOL, AT(MEMBER), .fallback = (FALLBACK), .help = (HELP) \
    }
#define TEXT(NAME, MEMBER, HELP)                                                                   \
    {                                                                                              \
        .name = (NAME), .kind = AM_OPTION_TEXT, AT(MEMBER), .fallback = "", .help = (HELP)         \
    }
#define CHOICE(NAME, MEMBER, CHOICES, FALLBACK, HELP)                                              \
    {                                                                                              \
        .name = (NAME), .kind = AM_OPTION_CHOICE, AT(MEMBER), .choices = (CHOICES),                \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }

const struct am_option dkim_options[] = {
    CHOICE("engine", engine, engines, "builtin",
           "who verifies; libopendkim only where it was built in"),
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
    CHOICE("mode", mode, modes, "auto",
           "sign what is ours and verify the rest, only verify, or only sign"),
    BOOL("sign_authenticated", sign_authenticated, "yes", "sign mail of authenticated clients"),
    BOOL("sign_local", sign_local, "yes", "sign mail submitted on this machine"),
    {.name = "sign_networks",
     .kind = AM_OPTION_NETS,
     AT(sign_networks),
     .fallback = "",
     .help = "clients whose mail is signed"},
    {.name = "sign_daemons",
     .kind = AM_OPTION_LIST,
     AT(sign_daemons),
     .fallback = "",
     .help = "names of MTA listeners ({daemon_name}) whose mail is signed"},
    TEXT("key_directory", key_directory,
         "directory with the keys of each domain: DOMAIN/SELECTOR.pem"),
    TEXT("key_table", key_table, "table of keys: file, or sqlite:DATABASE"),
    TEXT("signing_table", signing_table,
         "table of who signs with which keys: file, or sqlite:DATABASE"),
    TEXT("managed_keys", managed_keys,
         "directory of keys that come into use by themselves once they are published"),
    {.name = "managed_check",
     .kind = AM_OPTION_DURATION,
     AT(managed_check_ms),
     .min = 100,
     .max = INT64_C(86400000),
     .fallback = "1m",
     .help = "how often the records of managed keys are looked up"},
    {.name = "managed_keep",
     .kind = AM_OPTION_DURATION,
     AT(managed_keep_ms),
     .min = 0,
     .max = INT64_C(366) * 86400000,
     .fallback = "7d",
     .help = "how long the record of a retired key stays in the DNS"},
    {.name = "managed_nameservers",
     .kind = AM_OPTION_LIST,
     AT(managed_nameservers),
     .fallback = "",
     .check = am_dns_live_check_nameserver,
     .help = "name servers that must all show a managed key; none: those of dns.nameservers"},
    CHOICE("unpublished_key", unpublished_key, unpublished_actions, "defer",
           "what to do with mail whose managed keys are no longer published"),
    {.name = "unpublished_grace",
     .kind = AM_OPTION_DURATION,
     AT(unpublished_grace_ms),
     .min = 0,
     .max = INT64_C(7) * 86400000,
     .fallback = "5m",
     .help = "how long the last key signs on when its record is gone"},
    CHOICE("sign_by", sign_by, signers, "from",
           "whose keys sign: of From or of the envelope sender"),
    {.name = "sign_headers",
     .kind = AM_OPTION_LIST,
     AT(sign_headers),
     .fallback = "",
     .check = dkim_sign_delta_check,
     .help = "changes of the list of signed fields: +Name, -Name"},
    {.name = "oversign_headers",
     .kind = AM_OPTION_LIST,
     AT(oversign_headers),
     .fallback = "",
     .check = dkim_sign_delta_check,
     .help = "changes of the list of fields that nobody may add: +Name, -Name"},
    CHOICE("sign_canonicalization", sign_canonicalization, canonicalizations, "relaxed/relaxed",
           "canonicalization of header and body (c=)"),
    {.name = "sign_expire",
     .kind = AM_OPTION_DURATION,
     AT(sign_expire_ms),
     .min = 0,
     .max = INT64_C(366) * 86400000,
     .fallback = "0",
     .help = "how long a signature is good (x=); 0: for ever"},
    BOOL("sign_timestamp", sign_timestamp, "yes", "say when a signature was made (t=)"),
    BOOL("sign_copied_headers", sign_copied_headers, "no",
         "put a copy of the signed fields into the signature (z=)"),
    CHOICE("login_binding", login_binding, bindings, "auto",
           "what authenticated users may sign for: the domain of their login, what login_map says, "
           "or all"),
    TEXT("login_map", login_map, "file of what each login may write as"),
    CHOICE("login_mismatch", login_mismatch, unsigned_actions, "unsigned",
           "what to do with mail that its login may not sign"),
    CHOICE("unusable_from", unusable_from, unsigned_actions, "unsigned",
           "what to do with mail of ours without exactly one usable From"),
    BOOL("sign_again", sign_again, "no", "sign mail that has a valid signature of the same key"),
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

/* Options of the signing side that make no sense together. */
static bool check_signing(const struct dkim_conf *conf, struct am_problem *problem)
{
    bool has_directory = conf->key_directory[0] != '\0', has_keys = conf->key_table[0] != '\0',
         has_signing = conf->signing_table[0] != '\0', has_map = conf->login_map[0] != '\0';

    if (has_keys && !has_signing)
        return am_problem_set(problem,
                              "dkim.key_table names keys, but nothing says who signs with them: "
                              "set dkim.signing_table");
    if (has_signing && !has_keys && !has_directory)
        return am_problem_set(problem, "dkim.signing_table says who signs, but there are no keys: "
                                       "set dkim.key_table or dkim.key_directory");
    if (conf->managed_keys[0] != '\0' && conf->managed_keys[0] != '/')
        return am_problem_set(problem,
                              "dkim.managed_keys: \"%s\" is no full path: let it begin "
                              "with a slash",
                              conf->managed_keys);
    if (conf->mode == DKIM_MODE_SIGN && !has_directory && !has_signing &&
        conf->managed_keys[0] == '\0')
        return am_problem_set(problem,
                              "dkim.mode = sign, but there are no keys: set dkim.key_directory, "
                              "dkim.managed_keys, or dkim.key_table and dkim.signing_table");
    if (conf->login_binding == DKIM_LOGIN_MAP && !has_map)
        return am_problem_set(problem, "dkim.login_binding = map, but there is no map: set "
                                       "dkim.login_map");
    if (conf->login_binding != DKIM_LOGIN_MAP && has_map)
        return am_problem_set(problem, "dkim.login_map is read with dkim.login_binding = map only: "
                                       "set that, or leave the map out");
    if (conf->sign_expire_ms > 0 && conf->sign_expire_ms < 60000)
        return am_problem_set(problem, "dkim.sign_expire is shorter than a minute: the signature "
                                       "would expire on the way");
    return true;
}

const struct dkim_engine *dkim_options_engine(const struct dkim_conf *conf)
{
    return conf->engine == DKIM_ENGINE_BUILTIN ? &dkim_engine_builtin
                                               : dkim_engine_find("libopendkim");
}

bool dkim_options_check(const void *values, const struct am_config *config,
                        struct am_problem *problem)
{
    struct am_override_source source = dkim_options_source(values);

    if (dkim_options_engine(values) == NULL)
        return am_problem_set(problem, "dkim.engine = libopendkim, but this program was built "
                                       "without it: set dkim.engine = builtin");
    return check_signing(values, problem) && am_overrides_check(&source, config, problem);
}

struct dkim_limits dkim_options_limits(const struct dkim_conf *conf)
{
    return (struct dkim_limits){
        .max_signatures = (size_t)conf->max_signatures,
        .max_keys = (size_t)conf->max_keys,
        .max_signed_names = (size_t)conf->max_signed_names,
        .min_key_bits = (unsigned)conf->min_key_bits,
        .clock_skew_s = conf->clock_skew_ms / 1000,
    };
}
