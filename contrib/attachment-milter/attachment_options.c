#include "contrib/attachment-milter/attachment_options.h"

#define AT(MEMBER) .offset = offsetof(struct attachment_conf, MEMBER)
#define NUMBER(NAME, KIND, MIN, MAX, FALLBACK, HELP)                                               \
    {                                                                                              \
        .name = #NAME, .kind = (KIND), AT(NAME), .min = (MIN), .max = (MAX),                       \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }
#define WORD(NAME, CHOICES, FALLBACK, HELP)                                                        \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_CHOICE, AT(NAME), .choices = (CHOICES),                   \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }
#define SWITCH(NAME, FALLBACK, HELP)                                                               \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_BOOL, AT(NAME), .fallback = (FALLBACK), .help = (HELP)    \
    }
#define EXTENSIONS(NAME, FALLBACK, HELP)                                                           \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_LIST, AT(NAME), .fallback = (FALLBACK),                   \
        .check = check_extension, .help = (HELP)                                                   \
    }

static const struct am_choice actions[] = {{"replace", ATTACHMENT_REPLACE},
                                           {"accept", AM_POLICY_ACCEPT},
                                           {"reject", AM_POLICY_REJECT},
                                           {"tempfail", AM_POLICY_TEMPFAIL},
                                           {"quarantine", AM_POLICY_QUARANTINE},
                                           {"observe", AM_POLICY_OBSERVE},
                                           {NULL, 0}};
static const struct am_choice nested_words[] = {
    {"look", ATTACHMENT_LOOK}, {"remove", ATTACHMENT_REMOVE}, {"keep", ATTACHMENT_KEEP}, {NULL, 0}};
static const struct am_choice unknown_words[] = {
    {"remove", ATTACHMENT_REMOVE}, {"keep", ATTACHMENT_KEEP}, {NULL, 0}};

static bool check_extension(const char *value, struct am_problem *problem)
{
    size_t len = strlen(value);
    return (len > 0 && len <= 32 && strchr(value + 1, '.') == NULL &&
            strpbrk(value, " /\\:*?\"") == NULL) ||
           am_problem_set(problem, "\"%s\" is no extension of a file name: write exe, or .exe",
                          value);
}

const struct am_option attachment_options[] = {
    WORD(action, actions, "replace", "what to do with dangerous attachments"),
    EXTENSIONS(extensions, "usual",
               "kinds of files that are dangerous; usual: those of the manual"),
    EXTENSIONS(allowed_extensions, "", "kinds that are not, whatever the list says"),
    SWITCH(contents, "yes", "know programs by their first octets, too"),
    SWITCH(archives, "yes", "look at the names in archives"),
    WORD(nested, nested_words, "look", "what to do with archives within archives"),
    WORD(unreadable, unknown_words, "remove", "what to do with archives that cannot be read"),
    WORD(encrypted, unknown_words, "keep", "what to do with archives whose names are encrypted"),
    AM_POLICY_OPTION(struct attachment_conf, policy, ATTACHMENT_HIDDEN, "hidden", "quarantine",
                     "what to do with dangerous names in malformed messages, outside of all parts"),
    AM_POLICY_OPTION(struct attachment_conf, policy, ATTACHMENT_MALFORMED, "malformed", "accept",
                     "what to do with messages that are no proper MIME"),
    AM_POLICY_OPTION(struct attachment_conf, policy, ATTACHMENT_UNSEEN, "unseen", "accept",
                     "what to do with messages of which not all could be looked at"),
    NUMBER(max_size, AM_OPTION_SIZE, 65536, 64 << 20, "20M", "largest body that is looked at"),
    NUMBER(max_header, AM_OPTION_SIZE, 4096, 16 << 20, "1M",
           "most octets of the headers of its parts, together"),
    NUMBER(max_parts, AM_OPTION_INT, 1, 10000, "500", "most parts of a message"),
    NUMBER(max_depth, AM_OPTION_INT, 1, 100, "20", "most levels of parts within parts"),
    NUMBER(max_entries, AM_OPTION_INT, 1, 100000, "2000", "most files in a message's archives"),
    NUMBER(max_unpacked, AM_OPTION_SIZE, 65536, 1 << 30, "100M",
           "most octets that a message's archives unpack to"),
    NUMBER(max_ratio, AM_OPTION_INT, 0, 100000, "200",
           "octets that one octet of an archive unpacks to; 0: any number"),
    {.name = "notice",
     .kind = AM_OPTION_TEXT,
     AT(notice),
     .fallback = "",
     .help = "text of the site behind what was removed and why"},
    {.name = "exempt_networks",
     .kind = AM_OPTION_NETS,
     AT(exempt_networks),
     .fallback = "",
     .help = "clients whose mail is not looked at"},
    {0}};

bool attachment_check(const void *values, const struct am_config *config,
                      struct am_problem *problem)
{
    const struct attachment_conf *conf = values;
    (void)config;
    if (conf->extensions.count == 0 && !conf->contents)
        return am_problem_set(problem, "attachment.extensions and attachment.contents: nothing is "
                                       "dangerous; name a kind, or write usual");
    return true;
}

static const char *bare(const char *extension)
{
    return extension + (extension[0] == '.');
}

static bool allows(const struct attachment_conf *conf, const char *extension)
{
    for (size_t i = 0; i < conf->allowed_extensions.count; i++) {
        if (am_span_equal_nocase(am_span_str(bare(conf->allowed_extensions.items[i])),
                                 am_span_str(bare(extension))))
            return true;
    }
    return false;
}

static void add(const struct attachment_conf *conf, struct am_strlist *all, const char *extension)
{
    if (!allows(conf, extension))
        all->items[all->count++] = extension;
}

/* "usual" stands for the list that the manual has. */
static const struct am_danger *danger_of(const struct attachment_conf *conf, struct am_arena *arena)
{
    enum { USUAL_MAX = 300 };
    struct am_strlist all = {
        am_arena_alloc(arena, (conf->extensions.count + USUAL_MAX) * sizeof(*all.items)), 0};
    char *usual = am_arena_copy(arena, am_span_str(am_danger_defaults)), *rest = NULL;
    if (all.items == NULL || usual == NULL)
        return NULL;
    for (size_t i = 0; i < conf->extensions.count; i++) {
        if (strcmp(conf->extensions.items[i], "usual") != 0) {
            add(conf, &all, conf->extensions.items[i]);
            continue;
        }
        /* A second time there is nothing left of it. */
        for (char *kind = strtok_r(usual, ",", &rest); kind != NULL;
             kind = strtok_r(NULL, ",", &rest))
            add(conf, &all, kind);
        usual += strlen(usual);
    }
    return am_danger_new(arena, &all);
}

bool attachment_open(const void *values, const struct am_conf_env *env, void **result,
                     struct am_problem *problem)
{
    const struct attachment_conf *conf = values;
    struct attachment_derived *derived = am_arena_alloc(env->arena, sizeof(*derived));
    if (derived == NULL)
        return am_problem_set(problem, "out of memory");
    derived->exempt = am_netset_of(env->arena, &conf->exempt_networks);
    derived->rules =
        (struct attachment_rules){.danger = danger_of(conf, env->arena),
                                  .contents = conf->contents,
                                  .archives = conf->archives,
                                  .nested = (enum attachment_archives)conf->nested,
                                  .unreadable = (enum attachment_archives)conf->unreadable,
                                  .encrypted = (enum attachment_archives)conf->encrypted,
                                  .limits = {.max_bytes = (size_t)conf->max_size,
                                             .max_header = (size_t)conf->max_header,
                                             .max_parts = (size_t)conf->max_parts,
                                             .max_depth = (unsigned)conf->max_depth},
                                  .budget = {.entries = (size_t)conf->max_entries,
                                             .bytes = (size_t)conf->max_unpacked,
                                             .ratio = (size_t)conf->max_ratio}};
    if (derived->exempt == NULL || derived->rules.danger == NULL)
        return am_problem_set(problem, "out of memory");
    *result = derived;
    return true;
}
