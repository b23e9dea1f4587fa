#include "common/base/config_internal.h"

#include <confuse.h>

/*
 * The only file that knows libConfuse. Every option is declared as a string or
 * a list of strings; the rows judge the text, so that all sentences are ours.
 */

/*
 * libConfuse hands no pointer of ours to its error function. Every array of
 * options therefore ends with a row of this name, which no file can hold, that
 * carries it.
 */
#define STATE_NAME "\001"

struct reader {
    struct am_config *config;
    const char *name;
    struct am_arena *work;    /* of the declarations */
    struct am_arena *scratch; /* of values that are only judged */
    struct am_problem *problem;
    bool reported; /* the first sentence counts */
};

static struct reader *reader_of(const cfg_t *cfg)
{
    for (const cfg_opt_t *opt = cfg->opts; opt != NULL && opt->name != NULL; opt++)
        if (strcmp(opt->name, STATE_NAME) == 0)
            return (struct reader *)opt->simple_value.ptr;
    return NULL;
}

static void report(struct reader *reader, int line, const char *sentence)
{
    if (!reader->reported)
        am_problem_set(reader->problem, "%s:%d: %s", reader->name, line, sentence);
    reader->reported = true;
}

/* Judges one value, or one item of a list, at the moment its line is known. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct reader *reader = reader_of(cfg);
    const struct am_section *section = am_schema_find(reader->config->schema, cfg->name);
    const struct am_option *row = section != NULL ? am_section_find(section, opt->name) : NULL;
    struct am_problem own, full;
    void *values;
    bool good;

    if (row == NULL)
        return -1;
    am_arena_reset(reader->scratch);
    values = am_arena_alloc(reader->scratch, section->size);
    if (values == NULL)
        good = am_problem_set(&own, "%s: memory is short", row->name);
    else if (am_option_is_list(row))
        good = am_option_parse_items(row, &value, 1, values, reader->scratch, &own);
    else
        good = am_option_parse(row, value, values, reader->scratch, &own);
    *(const char **)result = value;
    if (good)
        return 0;
    if (section->repeated)
        am_problem_set(&full, "%s \"%s\": %s", section->name, cfg->title, own.text);
    else
        am_problem_set(&full, "%s.%s", section->name, own.text);
    report(reader, cfg->line, full.text);
    return -1;
}

static const struct am_section *section_with(am_schema schema, const char *option)
{
    for (; *schema != NULL; schema++)
        if (am_section_find(*schema, option) != NULL)
            return *schema;
    return NULL;
}

static void describe_unknown(const struct reader *reader, const cfg_t *cfg, const char *name,
                             struct am_problem *out)
{
    am_schema schema = reader->config->schema;
    const struct am_section *section = am_schema_find(schema, cfg->name);
    const struct am_section *home = section_with(schema, name);
    const char *nearest = am_schema_nearest(schema, section, name);

    if (section == NULL && home != NULL)
        am_problem_set(out, "option \"%s\" stands outside a section; write %s { %s = ... }", name,
                       home->name, name);
    else if (nearest != NULL)
        am_problem_set(out, "unknown %s \"%s\"%s%s; did you mean \"%s\"?",
                       section != NULL ? "option" : "section", name,
                       section != NULL ? " in section " : "", section != NULL ? cfg->name : "",
                       nearest);
    else if (section != NULL && home != NULL)
        am_problem_set(out, "unknown option \"%s\" in section %s; it belongs to section %s", name,
                       cfg->name, home->name);
    else
        am_problem_set(out, "unknown %s \"%s\"%s%s; --list-options shows what there is",
                       section != NULL ? "option" : "section", name,
                       section != NULL ? " in section " : "", section != NULL ? cfg->name : "");
}

/* The option that was given "=" but no value yet: only for it libConfuse's reset mark is still set.
 */
static const char *waiting_option(const cfg_t *cfg)
{
    for (const cfg_opt_t *opt = cfg->opts; opt->name != NULL; opt++)
        if (opt->type == CFGT_STR && (opt->flags & CFGF_RESET) != 0 &&
            (opt->flags & CFGF_LIST) == 0)
            return opt->name;
    return NULL;
}

static void describe_token(const cfg_t *cfg, const char *token, struct am_problem *out)
{
    const char *waiting = waiting_option(cfg);

    if (waiting != NULL && strcmp(token, "{") == 0)
        am_problem_set(out, "option \"%s\" takes one value, not a list; remove the braces",
                       waiting);
    else if (waiting != NULL)
        am_problem_set(out, "option \"%s\" has no value after \"=\"", waiting);
    else if (token[0] != '\0' && token[1] == '\0' && strchr("{}=,", token[0]) != NULL)
        am_problem_set(out,
                       "\"%s\" is not expected here; an option is name = value, a list is "
                       "name = { value, value }",
                       token);
    else
        am_problem_set(out, "\"%.60s\" is not expected here; a comma separates the items of a list",
                       token);
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Turns libConfuse's message, told by its untranslated format, into a sentence that helps. */
static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    struct reader *reader = reader_of(cfg);
    struct am_problem out;
    char own[256];

    if (reader == NULL)
        return;
    if (strncmp(format, "no such option", 14) == 0)
        describe_unknown(reader, cfg, va_arg(args, const char *), &out);
    else if (strncmp(format, "unexpected token", 16) == 0)
        describe_token(cfg, va_arg(args, const char *), &out);
    else if (strncmp(format, "missing equal sign", 18) == 0)
        am_problem_set(&out, "\"=\" and a value are missing after option \"%s\"",
                       va_arg(args, const char *));
    else if (strncmp(format, "missing opening brace", 21) == 0)
        am_problem_set(&out, "\"{\" is missing after section \"%s\"", va_arg(args, const char *));
    else if (strncmp(format, "missing title", 13) == 0)
        am_problem_set(&out,
                       "section \"%s\" needs a name of its own: write it in quotes before "
                       "the \"{\"",
                       va_arg(args, const char *));
    else if (strncmp(format, "found duplicate title", 21) == 0)
        am_problem_set(&out,
                       "\"%s\" is the name of an earlier section of this kind; choose "
                       "another",
                       va_arg(args, const char *));
    else if (strncmp(format, "premature end", 13) == 0)
        am_problem_set(&out, "the file ends in the middle of an option or section");
    else {
        vsnprintf(own, sizeof(own), format, args);
        am_problem_set(&out, "%s", own);
    }
    report(reader, cfg->line, out.text);
}

static void add_state(cfg_opt_t *opt, struct reader *reader)
{
    *opt = (cfg_opt_t){.name = STATE_NAME, .type = CFGT_PTR, .flags = CFGF_NODEFAULT};
    opt->simple_value.ptr = (void **)reader;
}

static cfg_opt_t *declare_rows(struct reader *reader, const struct am_section *section)
{
    size_t count = 0;
    cfg_opt_t *opts;

    while (section->options[count].name != NULL)
        count++;
    opts = am_arena_alloc(reader->work, (count + 2) * sizeof(*opts));
    if (opts == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct am_option *row = &section->options[i];
        opts[i] = (cfg_opt_t){
            .name = row->name, .type = CFGT_STR, .flags = CFGF_NODEFAULT, .parsecb = on_value};
        if (am_option_is_list(row))
            opts[i].flags |= CFGF_LIST;
    }
    add_state(&opts[count], reader);
    return opts;
}

static cfg_opt_t *declare_sections(struct reader *reader)
{
    const struct am_config *config = reader->config;
    cfg_opt_t *opts = am_arena_alloc(reader->work, (config->slot_count + 2) * sizeof(*opts));

    for (size_t i = 0; opts != NULL && i < config->slot_count; i++) {
        const struct am_section *section = config->slots[i].section;
        opts[i] = (cfg_opt_t){.name = section->name, .type = CFGT_SEC};
        if (section->repeated)
            opts[i].flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
        opts[i].subopts = declare_rows(reader, section);
        if (opts[i].subopts == NULL)
            return NULL;
    }
    if (opts != NULL)
        add_state(&opts[config->slot_count], reader);
    return opts;
}

static bool store_list(struct reader *reader, const struct am_option *row, cfg_opt_t *opt,
                       void *values)
{
    unsigned count = cfg_opt_size(opt);
    const char **items;

    am_arena_reset(reader->scratch);
    items = am_arena_alloc(reader->scratch, (count + 1) * sizeof(*items));
    if (items == NULL)
        return am_problem_set(reader->problem, "%s: memory is short", reader->name);
    for (unsigned i = 0; i < count; i++)
        items[i] = cfg_opt_getnstr(opt, i);
    return am_option_parse_items(row, items, count, values, reader->config->arena, reader->problem);
}

/* Puts the values of a section, judged before, over the defaults. */
static bool store_section(struct reader *reader, const struct am_section *section, cfg_t *cfg,
                          void *values)
{
    for (const struct am_option *row = section->options; row->name != NULL; row++) {
        cfg_opt_t *opt = cfg_getopt(cfg, row->name);
        bool good = true;
        if (opt == NULL || (opt->flags & CFGF_MODIFIED) == 0)
            continue;
        if (am_option_is_list(row))
            good = store_list(reader, row, opt, values);
        else if (cfg_opt_size(opt) > 0)
            good = am_option_parse(row, cfg_opt_getnstr(opt, 0), values, reader->config->arena,
                                   reader->problem);
        if (!good)
            return false;
    }
    return true;
}

static bool store_repeated(struct reader *reader, struct am_config_slot *slot, cfg_opt_t *opt)
{
    struct am_arena *arena = reader->config->arena;
    unsigned count = cfg_opt_size(opt);

    if (count == 0)
        return true;
    slot->items = am_arena_alloc(arena, count * sizeof(*slot->items));
    for (unsigned i = 0; slot->items != NULL && i < count; i++) {
        cfg_t *cfg = cfg_opt_getnsec(opt, i);
        void *values = am_section_new(slot->section, arena, reader->problem);
        if (values == NULL)
            return false;
        *(const char **)values = am_arena_copy(arena, am_span_str(cfg_title(cfg)));
        if (*(const char **)values == NULL)
            return am_problem_set(reader->problem, "%s: memory is short", reader->name);
        if (!store_section(reader, slot->section, cfg, values))
            return false;
        slot->items[slot->count++] = values;
    }
    return slot->items != NULL ||
           am_problem_set(reader->problem, "%s: memory is short", reader->name);
}

static bool store_all(struct reader *reader, cfg_t *root)
{
    struct am_config *config = reader->config;

    for (size_t i = 0; i < config->slot_count; i++) {
        struct am_config_slot *slot = &config->slots[i];
        cfg_opt_t *opt = cfg_getopt(root, slot->section->name);
        bool good =
            slot->section->repeated
                ? store_repeated(reader, slot, opt)
                : store_section(reader, slot->section, cfg_opt_getnsec(opt, 0), slot->items[0]);
        if (!good)
            return false;
    }
    return true;
}

static bool parse_with(struct reader *reader, const char *text)
{
    cfg_opt_t *opts = declare_sections(reader);
    cfg_t *root = opts != NULL ? cfg_init(opts, CFGF_NONE) : NULL;
    bool good = false;

    if (root == NULL)
        return am_problem_set(reader->problem, "%s: memory is short", reader->name);
    cfg_set_error_function(root, on_error);
    if (cfg_parse_buf(root, text) == CFG_SUCCESS)
        good = store_all(reader, root);
    else if (!reader->reported)
        am_problem_set(reader->problem, "%s: cannot be parsed", reader->name);
    cfg_free(root);
    return good;
}

bool am_config_read(struct am_config *config, const char *text, const char *name,
                    struct am_problem *problem)
{
    struct reader reader = {.config = config, .name = name, .problem = problem};
    bool good;

    reader.work = am_arena_new(4096, 0);
    reader.scratch = am_arena_new(1024, 0);
    if (reader.work == NULL || reader.scratch == NULL)
        good = am_problem_set(problem, "%s: memory is short", name);
    else
        good = parse_with(&reader, text);
    am_arena_free(reader.work);
    am_arena_free(reader.scratch);
    return good;
}
