#include "common/base/config_internal.h"

/* Writes a text in double quotes as the scanner reads it. */
static void print_quoted(const char *text, struct am_buf *out)
{
    am_buf_add_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            am_buf_add_str(out, "\\n");
        else if (*text == '\t')
            am_buf_add_str(out, "\\t");
        else {
            if (strchr("\\\"$", *text) != NULL)
                am_buf_add_char(out, '\\');
            am_buf_add_char(out, *text);
        }
    }
    am_buf_add_char(out, '"');
}

static void print_list(const struct am_strlist *list, struct am_buf *out)
{
    am_buf_add_str(out, "{");
    for (size_t i = 0; i < list->count; i++) {
        am_buf_add_str(out, i > 0 ? ", " : " ");
        print_quoted(list->items[i], out);
    }
    am_buf_add_str(out, list->count > 0 ? " }" : "}");
}

static void print_value(const struct am_option *row, const void *values, struct am_buf *out)
{
    const void *place = (const char *)values + row->offset;

    if (am_option_is_masked(row, values)) {
        print_quoted("(secret)", out);
    } else if (row->kind == AM_OPTION_TEXT) {
        print_quoted(*(const char *const *)place, out);
    } else if (row->kind == AM_OPTION_LIST) {
        print_list(place, out);
    } else if (row->kind == AM_OPTION_NETS) {
        bool empty = ((const struct am_netlist *)place)->count == 0;
        am_buf_add_str(out, empty ? "{" : "{ ");
        am_option_print(row, values, out); /* networks hold nothing that wants quotes */
        am_buf_add_str(out, empty ? "}" : " }");
    } else {
        am_option_print(row, values, out);
    }
}

static void print_section(const struct am_section *section, const void *values,
                          const void *defaults, struct am_buf *out)
{
    bool open = section->repeated;

    if (section->repeated) {
        am_buf_printf(out, "%s ", section->name);
        print_quoted(*(const char *const *)values, out);
        am_buf_add_str(out, " {\n");
    }
    for (const struct am_option *row = section->options; row->name != NULL; row++) {
        if (defaults != NULL && am_option_equal(row, values, defaults))
            continue;
        if (!open)
            am_buf_printf(out, "%s {\n", section->name);
        open = true;
        am_buf_printf(out, "    %s = ", row->name);
        print_value(row, values, out);
        am_buf_add_char(out, '\n');
    }
    if (open)
        am_buf_add_str(out, "}\n");
}

void am_config_print(const struct am_config *config, bool non_default_only, FILE *out)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_buf text;

    am_buf_init(&text, 0);
    for (size_t i = 0; arena != NULL && i < config->slot_count; i++) {
        const struct am_config_slot *slot = &config->slots[i];
        const void *defaults = NULL;
        am_arena_reset(arena);
        if (non_default_only)
            defaults = am_section_new(slot->section, arena, NULL);
        for (size_t j = 0; j < slot->count; j++)
            print_section(slot->section, slot->items[j], defaults, &text);
    }
    if (arena == NULL || text.failed)
        fputs("# memory is short: not everything is shown\n", out);
    fputs(am_buf_str(&text), out);
    am_buf_fini(&text);
    am_arena_free(arena);
}

/* A range wider than this goes over its column rather than widen it for all. */
#define RANGE_WIDTH_MAX ((size_t)40)

/* The columns of --list-options; widths are found in a first pass. */
struct widths {
    size_t name, range, fallback;
};

static void name_column(const struct am_section *section, const struct am_option *row,
                        struct am_buf *out)
{
    am_buf_clear(out);
    am_buf_printf(out, "%s%s.%s", section->name, section->repeated ? "[]" : "", row->name);
}

static void range_column(const struct am_option *row, struct am_buf *out)
{
    static const char *const kinds[] = {
        [AM_OPTION_BOOL] = "bool",     [AM_OPTION_INT] = "int",   [AM_OPTION_SIZE] = "size",
        [AM_OPTION_DURATION] = "time", [AM_OPTION_TEXT] = "text", [AM_OPTION_CHOICE] = "word",
        [AM_OPTION_LIST] = "list",     [AM_OPTION_NETS] = "list",
    };

    am_buf_clear(out);
    if (row->kind != AM_OPTION_TEXT && !am_option_is_list(row))
        am_buf_printf(out, "%s: ", kinds[row->kind]);
    am_option_describe(row, out);
}

static const char *fallback_column(const struct am_option *row)
{
    return row->fallback[0] != '\0' ? row->fallback : "-";
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct widths measure(am_schema schema, struct am_buf *cell)
{
    struct widths widths = {0, 0, 0};

    for (; *schema != NULL; schema++)
        for (const struct am_option *row = (*schema)->options; row->name != NULL; row++) {
            name_column(*schema, row, cell);
            widths.name = larger(widths.name, cell->len);
            range_column(row, cell);
            if (cell->len <= RANGE_WIDTH_MAX)
                widths.range = larger(widths.range, cell->len);
            widths.fallback = larger(widths.fallback, strlen(fallback_column(row)));
        }
    return widths;
}

void am_config_list_options(am_schema schema, FILE *out)
{
    struct widths widths;
    struct am_buf cell;

    am_buf_init(&cell, 0);
    widths = measure(schema, &cell);
    for (; *schema != NULL; schema++)
        for (const struct am_option *row = (*schema)->options; row->name != NULL; row++) {
            name_column(*schema, row, &cell);
            fprintf(out, "%-*s  ", (int)widths.name, am_buf_str(&cell));
            range_column(row, &cell);
            fprintf(out, "%-*s  %-*s  %s\n", (int)widths.range, am_buf_str(&cell),
                    (int)widths.fallback, fallback_column(row), row->help);
        }
    am_buf_fini(&cell);
}
