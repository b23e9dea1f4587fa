#include "common/map/map_query.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/utf8.h"
#include "common/mail/domain.h"

/* RFC 5321 has 64 octets for a local part; a longer one is in no table. */
#define LOCAL_MAX 256
#define LOGIN_MAX 512

static const char *const names[AM_MAP_PART_COUNT] = {"address", "local", "domain", "login"};
static const char letters[] = "sudl"; /* in the order of the parts */

const char *am_map_part_value(const struct am_map_question *question, enum am_map_part part,
                              struct am_arena *arena)
{
    switch (part) {
    case AM_MAP_ADDRESS:
        return am_arena_printf(arena, "%.*s@%s", (int)question->local.len, question->local.ptr,
                               question->domain);
    case AM_MAP_LOCAL:
        return am_arena_copy(arena, question->local);
    case AM_MAP_DOMAIN:
        return question->domain;
    default:
        return question->login;
    }
}

static bool is_askable(struct am_span text, size_t max)
{
    return text.len <= max && am_span_find(text, '\0') == text.len && am_utf8_is_valid(text);
}

bool am_map_question_is_askable(const struct am_map_question *question)
{
    return is_askable(question->local, LOCAL_MAX) &&
           is_askable(am_span_str(question->domain), AM_DOMAIN_MAX) &&
           is_askable(am_span_str(question->login), LOGIN_MAX);
}

/* --- SQL --- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Returns the part that a name is of, or AM_MAP_PART_COUNT. */
static size_t part_of(const char *name, size_t len)
{
    size_t part = 0;

    while (part < AM_MAP_PART_COUNT &&
           (strlen(names[part]) != len || strncmp(names[part], name, len) != 0))
        part++;
    return part;
}

/* Notes a parameter and writes its mark. */
static bool put_mark(struct am_map_query *query, enum am_map_part part, enum am_map_marks marks,
                     struct am_buf *out)
{
    size_t i = 0;

    if (marks == AM_MAP_MARKS_DOLLAR)
        while (i < query->count && query->parts[i] != part)
            i++;
    else
        i = query->count;
    if (i == AM_MAP_PLACES_MAX)
        return false;
    query->parts[i] = part;
    if (i == query->count)
        query->count++;
    if (marks == AM_MAP_MARKS_DOLLAR)
        am_buf_printf(out, "$%zu", i + 1);
    else
        am_buf_add_str(out, "?");
    return true;
}

/* Copies a quoted text; returns what stands behind it, or NULL when it has no end. */
static const char *copy_quoted(const char *p, struct am_buf *out)
{
    const char *end = strchr(p + 1, *p);

    if (end != NULL)
        am_buf_add(out, am_span_of(p, (size_t)(end + 1 - p)));
    return end == NULL ? NULL : end + 1;
}

/* Takes one piece off the text. Returns what stands behind it, or NULL with a sentence. */
static const char *take(struct am_map_query *query, const char *p, enum am_map_marks marks,
                        struct am_buf *out, struct am_problem *problem)
{
    size_t len = 0;

    if (*p == '\'' || *p == '"' || *p == '`') {
        const char *next = copy_quoted(p, out);
        if (next == NULL)
            am_problem_set(problem, "a quote (%c) has no end", *p);
        return next;
    }
    if (*p == '?' || *p == '$' || *p == ';' || (p[0] == '-' && p[1] == '-') ||
        (p[0] == '/' && p[1] == '*')) {
        am_problem_set(problem, "%.*s may not stand in the query, but in quotes",
                       *p == '-' || *p == '/' ? 2 : 1, p);
        return NULL;
    }
    if (p[0] == ':' && p[1] == ':') {
        am_buf_add_str(out, "::");
        return p + 2;
    }
    if (*p != ':') {
        am_buf_add(out, am_span_of(p, 1));
        return p + 1;
    }
    while (is_word(p[1 + len]))
        len++;
    size_t part = part_of(p + 1, len);
    if (part == AM_MAP_PART_COUNT) {
        am_problem_set(problem,
                       "there is no parameter :%.*s; there are :address, :local, :domain and "
                       ":login",
                       (int)len, p + 1);
        return NULL;
    }
    if (!put_mark(query, (enum am_map_part)part, marks, out)) {
        am_problem_set(problem, "the query has more than %d parameters", AM_MAP_PLACES_MAX);
        return NULL;
    }
    return p + 1 + len;
}

bool am_map_query_read(struct am_map_query *query, struct am_arena *arena, const char *text,
                       enum am_map_marks marks, struct am_problem *problem)
{
    struct am_buf out;
    const char *p = text;

    *query = (struct am_map_query){.count = 0};
    am_buf_init(&out, 2 * strlen(text) + 64);
    while (p != NULL && *p != '\0')
        p = take(query, p, marks, &out, problem);
    if (p != NULL && query->count == 0) {
        am_problem_set(problem, "the query asks for nothing: put :address or :domain where "
                                "the address belongs");
        p = NULL;
    }
    if (p != NULL) {
        query->text = out.failed ? NULL : am_arena_copy(arena, am_buf_span(&out));
        if (query->text == NULL) {
            am_problem_set(problem, "out of memory");
            p = NULL;
        }
    }
    am_buf_fini(&out);
    return p != NULL;
}

/* --- LDAP --- */

bool am_map_filter_check(const char *filter, struct am_problem *problem)
{
    bool asks = false;

    for (const char *p = filter; *p != '\0'; p++) {
        if (*p != '%')
            continue;
        p++;
        if (*p == '\0' || (*p != '%' && strchr(letters, *p) == NULL))
            return am_problem_set(problem,
                                  "\"%s\": behind %% there may be s (the address), u (its "
                                  "local part), d (its domain), l (the login) or %%",
                                  filter);
        asks = asks || *p != '%';
    }
    return asks || filter[0] == '\0' ||
           am_problem_set(problem, "\"%s\" asks for nothing: put %%s where the address belongs",
                          filter);
}

static bool is_harmless(unsigned char c)
{
    return is_word((char)c) || c == '@' || c == '.' || c == '-' || c == '+' || c == '=';
}

static void escape(const char *value, struct am_buf *out)
{
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
        if (is_harmless(*p))
            am_buf_add(out, am_span_of((const char *)p, 1));
        else
            am_buf_printf(out, "\\%02x", *p);
    }
}

const char *am_map_filter_fill(const char *filter, const struct am_map_question *question,
                               struct am_arena *arena)
{
    struct am_buf out;
    const char *filled = NULL;

    am_buf_init(&out, strlen(filter) * 4096 + 64);
    for (const char *p = filter; *p != '\0'; p++) {
        if (*p != '%' || p[1] == '%') {
            p += *p == '%';
            am_buf_add(&out, am_span_of(p, 1));
            continue;
        }
        p++;
        const char *value =
            am_map_part_value(question, (enum am_map_part)(strchr(letters, *p) - letters), arena);
        if (value == NULL)
            out.failed = true;
        else
            escape(value, &out);
    }
    if (!out.failed)
        filled = am_arena_copy(arena, am_buf_span(&out));
    am_buf_fini(&out);
    return filled;
}
