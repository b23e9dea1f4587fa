#include "common/base/option.h"

#include "common/base/option_number.h"
#include "common/base/utf8.h"

static bool short_of_memory(const struct am_option *row, struct am_problem *problem)
{
    return am_problem_set(problem, "%s: memory is short", row->name);
}

/* How a value is repeated in a sentence: whole when short, cut visibly when long. */
#define SHOWN "\"%.*s%s\""
#define SHOWN_ARGS(text) (int)strnlen((text), 80), (text), strnlen((text), 81) > 80 ? "[...]" : ""

/* "timeout: "20 parsecs" is not a duration; give a number and one of ..., 1ms to 60s" */
static bool wrong(const struct am_option *row, const char *text, const char *what, const char *give,
                  struct am_problem *problem)
{
    struct am_buf range;

    am_buf_init(&range, 512);
    am_option_describe(row, &range);
    am_problem_set(problem, "%s: " SHOWN " is not %s; give %s%s", row->name, SHOWN_ARGS(text), what,
                   give, am_buf_str(&range));
    am_buf_fini(&range);
    return false;
}

static bool parse_bool(const struct am_option *row, const char *text, bool *value,
                       struct am_problem *problem)
{
    static const struct am_choice words[] = {{"yes", 1}, {"no", 0},  {"true", 1}, {"false", 0},
                                             {"on", 1},  {"off", 0}, {NULL, 0}};

    for (const struct am_choice *word = words; word->word != NULL; word++)
        if (am_span_equal_nocase(am_span_str(text), am_span_str(word->word))) {
            *value = word->value != 0;
            return true;
        }
    return wrong(row, text, "yes or no", "", problem);
}

static bool parse_choice(const struct am_option *row, const char *text, int *value,
                         struct am_problem *problem)
{
    for (const struct am_choice *choice = row->choices; choice->word != NULL; choice++)
        if (am_span_equal_nocase(am_span_str(text), am_span_str(choice->word))) {
            *value = choice->value;
            return true;
        }
    return wrong(row, text, "one of its words", "", problem);
}

static bool wrong_number(const struct am_option *row, const char *text, struct am_problem *problem)
{
    if (row->kind == AM_OPTION_SIZE)
        return wrong(row, text, "a size", "a number of bytes, also with k, M or G, ", problem);
    if (row->kind == AM_OPTION_DURATION)
        return wrong(row, text, "a duration", "a number and one of ms, s, m, h, d, ", problem);
    if ((row->flags & AM_OPTION_OCTAL) != 0)
        return wrong(row, text, "an octal number", "digits 0 to 7, ", problem);
    return wrong(row, text, "a whole number", "", problem);
}

static bool parse_number(const struct am_option *row, const char *text, int64_t *value,
                         struct am_problem *problem)
{
    int64_t number, min, max;

    am_option_number_bounds(row, &min, &max);
    if (!am_option_number_parse(row, text, &number))
        return wrong_number(row, text, problem);
    if (number < min || number > max) {
        struct am_buf range;
        am_buf_init(&range, 512);
        am_option_describe(row, &range);
        am_problem_set(problem, "%s: " SHOWN " is out of range; give %s", row->name,
                       SHOWN_ARGS(text), am_buf_str(&range));
        am_buf_fini(&range);
        return false;
    }
    *value = number;
    return true;
}

/* Values reach headers, replies and logs: they are refused here rather than mended there. */
static bool is_clean(const struct am_option *row, const char *text, struct am_problem *problem)
{
    struct am_span rest = am_span_str(text);

    while (rest.len > 0) {
        size_t len = am_utf8_first(rest);
        if (len == 0)
            return am_problem_set(problem,
                                  "%s: byte %zu of the value is not UTF-8; save the text "
                                  "as UTF-8",
                                  row->name, (size_t)(rest.ptr - text) + 1);
        if (am_utf8_is_control(rest.ptr, len) && rest.ptr[0] != '\t' && rest.ptr[0] != '\n')
            return am_problem_set(problem,
                                  "%s: byte %zu of the value is a control character; "
                                  "remove it",
                                  row->name, (size_t)(rest.ptr - text) + 1);
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    return true;
}

/* Asks the row's own check and puts the option's name in front of its sentence. */
static bool is_approved(const struct am_option *row, const char *text, struct am_problem *problem)
{
    struct am_problem own = {""};

    if (row->check == NULL || row->check(text, &own))
        return true;
    return am_problem_set(problem, "%s: %s", row->name, own.text);
}

static bool parse_text(const struct am_option *row, const char *text, const char **value,
                       struct am_arena *arena, struct am_problem *problem)
{
    char *copy = am_arena_copy(arena, am_span_str(text));

    if (copy == NULL)
        return short_of_memory(row, problem);
    *value = copy;
    return true;
}

static bool parse_strings(const struct am_option *row, const char *const *items, size_t count,
                          struct am_strlist *value, struct am_arena *arena,
                          struct am_problem *problem)
{
    struct am_strlist list = {NULL, count};

    if (count > 0 && (list.items = am_arena_alloc(arena, count * sizeof(*list.items))) == NULL)
        return short_of_memory(row, problem);
    for (size_t i = 0; i < count; i++) {
        if (items[i][0] == '\0')
            return am_problem_set(problem, "%s: an item of the list is empty; remove it",
                                  row->name);
        if (!parse_text(row, items[i], &list.items[i], arena, problem))
            return false;
    }
    *value = list;
    return true;
}

static bool parse_nets(const struct am_option *row, const char *const *items, size_t count,
                       struct am_netlist *value, struct am_arena *arena, struct am_problem *problem)
{
    struct am_netlist list = {NULL, count};
    struct am_problem own;

    if (count > 0 && (list.nets = am_arena_alloc(arena, count * sizeof(*list.nets))) == NULL)
        return short_of_memory(row, problem);
    for (size_t i = 0; i < count; i++)
        if (!am_net_parse(&list.nets[i], am_span_str(items[i]), &own))
            return am_problem_set(problem, "%s: %s", row->name, own.text);
    *value = list;
    return true;
}

bool am_option_parse_items(const struct am_option *row, const char *const *items, size_t count,
                           void *section, struct am_arena *arena, struct am_problem *problem)
{
    void *place = (char *)section + row->offset;

    for (size_t i = 0; i < count; i++)
        if (!is_clean(row, items[i], problem))
            return false;
    for (size_t i = 0; i < count; i++)
        if (items[i][0] != '\0' && !is_approved(row, items[i], problem))
            return false;
    if (row->kind == AM_OPTION_NETS)
        return parse_nets(row, items, count, place, arena, problem);
    return parse_strings(row, items, count, place, arena, problem);
}

/*
 * Takes the next item off a comma-separated text, in place: escapes are
 * resolved and blanks around it dropped. Returns NULL at the end.
 */
static char *next_item(char **text)
{
    char *start = *text, *read = start, *write = start;
    struct am_span trimmed;

    if (start == NULL)
        return NULL;
    while (*read != '\0' && *read != ',') {
        if (*read == '\\' && (read[1] == ',' || read[1] == '\\'))
            read++;
        *write++ = *read++;
    }
    *text = *read == ',' ? read + 1 : NULL;
    trimmed = am_span_trim(am_span_of(start, (size_t)(write - start)));
    ((char *)trimmed.ptr)[trimmed.len] = '\0';
    return (char *)trimmed.ptr;
}

static bool parse_list(const struct am_option *row, const char *text, void *section,
                       struct am_arena *arena, struct am_problem *problem)
{
    char *copy = am_arena_copy(arena, am_span_str(text));
    const char **items;
    size_t count = 0, commas = 0;

    if (am_span_trim(am_span_str(text)).len == 0)
        return am_option_parse_items(row, NULL, 0, section, arena, problem);
    for (const char *p = text; *p != '\0'; p++)
        commas += *p == ',';
    items = am_arena_alloc(arena, (commas + 1) * sizeof(*items));
    if (copy == NULL || items == NULL)
        return short_of_memory(row, problem);
    for (char *item; (item = next_item(&copy)) != NULL;)
        items[count++] = item;
    return am_option_parse_items(row, items, count, section, arena, problem);
}

bool am_option_parse(const struct am_option *row, const char *text, void *section,
                     struct am_arena *arena, struct am_problem *problem)
{
    void *place = (char *)section + row->offset;

    if (am_option_is_list(row))
        return parse_list(row, text, section, arena, problem);
    if (!is_clean(row, text, problem))
        return false;
    switch (row->kind) {
    case AM_OPTION_BOOL:
        return parse_bool(row, text, place, problem) && is_approved(row, text, problem);
    case AM_OPTION_CHOICE:
        return parse_choice(row, text, place, problem) && is_approved(row, text, problem);
    case AM_OPTION_INT:
    case AM_OPTION_SIZE:
    case AM_OPTION_DURATION:
        return parse_number(row, text, place, problem) && is_approved(row, text, problem);
    default:
        return is_approved(row, text, problem) && parse_text(row, text, place, arena, problem);
    }
}

bool am_option_defaults(const struct am_option *rows, void *section, struct am_arena *arena,
                        struct am_problem *problem)
{
    for (const struct am_option *row = rows; row->name != NULL; row++)
        if (!am_option_parse(row, row->fallback, section, arena, problem))
            return false;
    return true;
}
