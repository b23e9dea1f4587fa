#include "dkim-milter/dkim_table.h"

/* "DOMAIN:SELECTOR:FILE" in place of three words. */
static void split_colons(struct am_span columns[AM_ROWS_COLUMNS_MAX])
{
    struct am_span word = columns[DKIM_KEY_DOMAIN];
    size_t first = am_span_find(word, ':');
    if (first == word.len)
        return;
    struct am_span rest = am_span_of(word.ptr + first + 1, word.len - first - 1);
    size_t second = am_span_find(rest, ':');
    if (second == rest.len)
        return;
    columns[DKIM_KEY_DOMAIN].len = first;
    columns[DKIM_KEY_SELECTOR] = am_span_of(rest.ptr, second);
    columns[DKIM_KEY_FILE] = am_span_of(rest.ptr + second + 1, rest.len - second - 1);
}

static void split_key(struct am_span line, struct am_span columns[AM_ROWS_COLUMNS_MAX])
{
    columns[DKIM_KEY_NAME] = am_rows_word(&line, "");
    columns[DKIM_KEY_DOMAIN] = am_rows_word(&line, "");
    split_colons(columns);
    if (columns[DKIM_KEY_FILE].len == 0) {
        columns[DKIM_KEY_SELECTOR] = am_rows_word(&line, "");
        columns[DKIM_KEY_FILE] = am_rows_word(&line, "");
    }
    columns[DKIM_KEY_OPTIONS] = am_span_trim(line);
}

const struct am_rows_kind dkim_key_rows = {
    .table = "dkim_keys",
    .columns = {[DKIM_KEY_NAME] = {.name = "name"},
                [DKIM_KEY_DOMAIN] = {.name = "domain"},
                [DKIM_KEY_SELECTOR] = {.name = "selector"},
                [DKIM_KEY_FILE] = {.name = "key_file", .optional = true},
                [DKIM_KEY_OPTIONS] = {.name = "options", .optional = true},
                [DKIM_KEY_PEM] = {.name = "key_pem", .optional = true, .is_key = true}},
    .split = split_key,
};

const struct am_rows_kind dkim_signing_rows = {
    .table = "dkim_signing",
    .columns =
        {[DKIM_SIGNING_PATTERN] = {.name = "pattern"}, [DKIM_SIGNING_KEYS] = {.name = "keys"}},
};
