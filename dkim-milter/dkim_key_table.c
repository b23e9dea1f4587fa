#include "dkim-milter/dkim_key_table.h"

#include "common/mail/domain.h"

#define DAY_MS (INT64_C(86400) * 1000)

static const struct am_option expire_option = {
    .name = "expire",
    .kind = AM_OPTION_DURATION,
    .fallback = "0",
    .max = 3650 * DAY_MS,
    .help = "",
};

static int shown_len(struct am_span text)
{
    return (int)(text.len > 200 ? 200 : text.len);
}

/* Reads a domain into lower-case A-labels. */
static const char *read_domain(struct am_arena *arena, struct am_span text, const char *what,
                               struct am_problem *problem)
{
    const char *domain = text.len > 4 * AM_DOMAIN_MAX ? NULL : am_domain_to_ascii(arena, text);
    if (domain != NULL && am_domain_is_valid(am_span_str(domain)))
        return domain;
    am_problem_set(problem, "%s \"%.*s\" is no domain name", what, shown_len(text), text.ptr);
    return NULL;
}

static bool read_algorithm(struct dkim_key_row *row, struct am_span value,
                           struct am_problem *problem)
{
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        const char *word = dkim_algorithm_word((enum dkim_key_type)type);
        if (am_span_equal_nocase(value, am_span_str(word))) {
            row->names_algorithm = true;
            row->algorithm = (enum dkim_key_type)type;
            return true;
        }
    }
    return am_problem_set(problem, "algorithm=%.*s: it is rsa-sha256 or ed25519-sha256",
                          shown_len(value), value.ptr);
}

static bool is_delta(struct am_span word)
{
    if (word.len < 2 || (word.ptr[0] != '+' && word.ptr[0] != '-'))
        return false;
    for (size_t i = 1; i < word.len; i++)
        if ((unsigned char)word.ptr[i] <= ' ' || (unsigned char)word.ptr[i] >= 0x7f ||
            word.ptr[i] == ':' || word.ptr[i] == ';')
            return false;
    return true;
}

static bool read_headers(struct dkim_key_row *row, struct am_arena *arena, struct am_span value,
                         struct am_problem *problem)
{
    struct am_span word, rest = value;
    struct am_strlist *list = am_arena_alloc(arena, sizeof(*list));
    size_t most = 1;
    for (size_t i = 0; i < value.len; i++)
        most += value.ptr[i] == ',';
    if (list == NULL || (list->items = am_arena_alloc(arena, most * sizeof(*list->items))) == NULL)
        return am_problem_set(problem, "out of memory");
    while ((word = am_rows_word(&rest, ",")).len > 0) {
        if (!is_delta(word))
            return am_problem_set(problem,
                                  "headers=%.*s: write +Name to sign a field or -Name to leave it "
                                  "out, with commas between them",
                                  shown_len(value), value.ptr);
        if (am_span_equal_nocase(word, am_span_str("-From")))
            return am_problem_set(problem, "headers=-From: From is always signed "
                                           "(RFC 6376 section 5.4)");
        if ((list->items[list->count++] = am_arena_copy(arena, word)) == NULL)
            return am_problem_set(problem, "out of memory");
    }
    row->key.signed_deltas = list;
    return true;
}

/* Writes a local part as dkim-quoted-printable (RFC 6376 section 2.11). */
static void quote_local(struct am_buf *out, struct am_span local)
{
    for (size_t i = 0; i < local.len; i++) {
        unsigned char c = (unsigned char)local.ptr[i];
        if (c > ' ' && c < 0x7f && c != '=' && c != ';')
            am_buf_add_char(out, (char)c);
        else
            am_buf_printf(out, "=%02X", c);
    }
}

static bool read_identity(struct dkim_key_row *row, struct am_arena *arena, struct am_span value,
                          struct am_problem *problem)
{
    size_t at = am_span_find_last(value, '@');
    struct am_buf out;
    if (at == value.len)
        return am_problem_set(problem, "identity=%.*s: write user@domain or @domain",
                              shown_len(value), value.ptr);
    if (strcmp(row->key.domain, "%") == 0)
        return am_problem_set(problem, "identity= needs a domain of its own, not %%");
    const char *domain = read_domain(arena, am_span_of(value.ptr + at + 1, value.len - at - 1),
                                     "identity:", problem);
    if (domain == NULL)
        return false;
    if (!am_domain_is_within(am_span_str(domain), am_span_str(row->key.domain)))
        return am_problem_set(problem,
                              "identity=%.*s: its domain is neither %s nor below it "
                              "(RFC 6376 section 3.5)",
                              shown_len(value), value.ptr, row->key.domain);
    am_buf_init(&out, 0);
    quote_local(&out, am_span_of(value.ptr, at));
    am_buf_printf(&out, "@%s", domain);
    row->key.identity = out.failed ? NULL : am_arena_copy(arena, am_buf_span(&out));
    am_buf_fini(&out);
    return row->key.identity != NULL || am_problem_set(problem, "out of memory");
}

static bool read_expire(struct dkim_key_row *row, struct am_arena *arena, struct am_span value,
                        struct am_problem *problem)
{
    const char *text = am_arena_copy(arena, value);
    int64_t ms = 0;
    if (text == NULL)
        return am_problem_set(problem, "out of memory");
    if (!am_option_parse(&expire_option, text, &ms, arena, problem))
        return false;
    row->key.expire_s = (ms + 999) / 1000;
    return true;
}

static bool read_option(struct dkim_key_row *row, struct am_arena *arena, struct am_span word,
                        struct am_problem *problem)
{
    size_t equals = am_span_find(word, '=');
    struct am_span name = am_span_of(word.ptr, equals);
    if (equals < word.len) {
        struct am_span value = am_span_of(word.ptr + equals + 1, word.len - equals - 1);
        if (am_span_equal_nocase(name, am_span_str("algorithm")))
            return read_algorithm(row, value, problem);
        if (am_span_equal_nocase(name, am_span_str("headers")))
            return read_headers(row, arena, value, problem);
        if (am_span_equal_nocase(name, am_span_str("identity")))
            return read_identity(row, arena, value, problem);
        if (am_span_equal_nocase(name, am_span_str("expire")))
            return read_expire(row, arena, value, problem);
    }
    return am_problem_set(problem,
                          "\"%.*s\" is no option of a key; known are algorithm=, headers=, "
                          "identity= and expire=",
                          shown_len(word), word.ptr);
}

static bool read_names(struct dkim_key_row *row, struct am_arena *arena,
                       const struct am_span columns[AM_ROWS_COLUMNS_MAX],
                       struct am_problem *problem)
{
    struct am_span domain = columns[DKIM_KEY_DOMAIN], selector = columns[DKIM_KEY_SELECTOR];
    if (columns[DKIM_KEY_NAME].len == 0 || domain.len == 0 || selector.len == 0 ||
        (columns[DKIM_KEY_FILE].len == 0) == (columns[DKIM_KEY_PEM].len == 0))
        return am_problem_set(problem, "a row is: NAME DOMAIN SELECTOR KEYFILE [options]");
    for (size_t i = 0; i < columns[DKIM_KEY_NAME].len; i++)
        if (strchr(", \t", columns[DKIM_KEY_NAME].ptr[i]) != NULL)
            return am_problem_set(problem, "the name of a key holds neither commas nor blanks");
    if ((row->key.name = am_arena_copy(arena, columns[DKIM_KEY_NAME])) == NULL)
        return am_problem_set(problem, "out of memory");
    if (am_span_equal(domain, am_span_str("%")))
        row->key.domain = "%";
    else
        row->key.domain = read_domain(arena, domain, "the domain", problem);
    if (row->key.domain == NULL)
        return false;
    if (row->key.domain[0] != '%' && !am_domain_is_multi_label(am_span_str(row->key.domain)))
        return am_problem_set(problem,
                              "the domain \"%s\" has one label only: such a signature is "
                              "of no use",
                              row->key.domain);
    row->key.selector = read_domain(arena, selector, "the selector", problem);
    return row->key.selector != NULL;
}

bool dkim_key_row_read(struct dkim_key_row *row, struct am_arena *arena,
                       const struct am_span columns[AM_ROWS_COLUMNS_MAX],
                       struct am_problem *problem)
{
    struct am_span word, options = columns[DKIM_KEY_OPTIONS];
    *row = (struct dkim_key_row){.key = {.expire_s = -1}};
    if (!read_names(row, arena, columns, problem))
        return false;
    while ((word = am_rows_word(&options, "")).len > 0)
        if (!read_option(row, arena, word, problem))
            return false;
    return true;
}

bool dkim_key_row_fits(const struct dkim_key_row *row, const struct dkim_private_key *key,
                       struct am_problem *problem)
{
    if (!row->names_algorithm || row->algorithm == dkim_private_key_type(key))
        return true;
    return am_problem_set(problem, "algorithm=%s, but the key is one for %s",
                          dkim_algorithm_word(row->algorithm),
                          dkim_algorithm_word(dkim_private_key_type(key)));
}
