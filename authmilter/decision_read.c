#include "authmilter/decision_read.h"

#include <jansson.h>
#include <stdio.h>

#include "common/base/log.h"

static bool add(struct decision_line *line, const char *key, const char *value)
{
    if (key == NULL || value == NULL)
        return false;
    if (line->count < DECISION_VALUES_MAX)
        line->values[line->count++] = (struct decision_value){key, value};
    return true;
}

/* Copies a text with control characters and what is no UTF-8 as \xNN. */
static const char *copy_printable(struct am_arena *arena, struct am_span text)
{
    struct am_buf escaped;
    size_t used = 0;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, text);
    char *out = escaped.failed ? NULL : am_arena_alloc(arena, escaped.len + 1);
    for (size_t i = 0; out != NULL && i < escaped.len; i++) {
        i += escaped.data[i] == '\\' && i + 1 < escaped.len && escaped.data[i + 1] == '\\';
        out[used++] = escaped.data[i];
    }
    if (out != NULL)
        out[used] = '\0';
    am_buf_fini(&escaped);
    return out;
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_tag(char c)
{
    return am_is_alpha((unsigned char)c) || am_is_digit((unsigned char)c) || is_in(c, "_./-");
}

/* Returns where the text behind "PROGRAM: " or "PROGRAM[PID]: " begins, the first of the line; 0
 * when there is none. Behind another colon stands what a client wrote. */
static size_t behind_tag(struct am_span text)
{
    size_t colon = 0, end;

    while (colon + 1 < text.len && (text.ptr[colon] != ':' || text.ptr[colon + 1] != ' '))
        colon++;
    if (colon == 0 || colon + 1 >= text.len)
        return 0;
    end = colon;
    if (text.ptr[end - 1] == ']') {
        for (end--; end > 0 && am_is_digit((unsigned char)text.ptr[end - 1]);)
            end--;
        if (end == 0 || text.ptr[--end] != '[')
            return 0;
    }
    return end > 0 && is_tag(text.ptr[end - 1]) ? colon + 2 : 0;
}

/* Returns where the text behind "<PRIORITY>" or a time begins; 0 without one. */
static size_t behind_mark(struct am_span text)
{
    size_t len = 0;

    if (text.len > 0 && text.ptr[0] == '<') {
        for (len = 1; len < text.len && am_is_digit((unsigned char)text.ptr[len]);)
            len++;
        return len < text.len && text.ptr[len] == '>' ? len + 1 : 0;
    }
    while (len < text.len && is_in(text.ptr[len], "0123456789-:.+TZ"))
        len++;
    return len > 0 && am_is_digit((unsigned char)text.ptr[0]) && len < text.len &&
                   text.ptr[len] == ' '
               ? len + 1
               : 0;
}

/* Finds the begin of a line of ours: nothing may stand between it and what logs put in front of
 * lines, or a line of another program that quotes a message would pass for ours. */
static bool find_start(struct am_span text, size_t *at, bool *json)
{
    const size_t places[] = {0, behind_mark(text), behind_tag(text)};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct am_span rest = am_span_of(text.ptr + places[i], text.len - places[i]);

        *at = places[i];
        *json = am_span_starts_nocase(rest, am_span_str("{\"event\":"));
        if (*json || am_span_starts_nocase(rest, am_span_str("event=")))
            return true;
    }
    return false;
}

static bool is_key(char c)
{
    return (c >= 'a' && c <= 'z') || am_is_digit((unsigned char)c) || c == '_';
}

/* Takes a value off the front: a bare one, or one in quotes with \" and \\ undone. */
static const char *take_value(struct am_arena *arena, struct am_span *rest)
{
    size_t end = 0, used = 0;

    if (rest->len == 0 || rest->ptr[0] != '"') {
        while (end < rest->len && rest->ptr[end] != ' ')
            end++;
        const char *bare = copy_printable(arena, am_span_of(rest->ptr, end));
        *rest = am_span_of(rest->ptr + end, rest->len - end);
        return bare;
    }
    char *out = am_arena_alloc(arena, rest->len + 1);
    for (end = 1; out != NULL && end < rest->len && rest->ptr[end] != '"'; end++) {
        if (rest->ptr[end] == '\\' && end + 1 < rest->len &&
            (rest->ptr[end + 1] == '"' || rest->ptr[end + 1] == '\\'))
            end++;
        out[used++] = rest->ptr[end];
    }
    /* Without its closing quote the line was cut by others: what is there counts. */
    end += end < rest->len;
    *rest = am_span_of(rest->ptr + end, rest->len - end);
    return out == NULL ? NULL : copy_printable(arena, am_span_of(out, used));
}

static bool read_plain(struct decision_line *line, struct am_arena *arena, struct am_span rest)
{
    while (rest.len > 0) {
        size_t len = 0;

        if (rest.ptr[0] == ' ') {
            rest = am_span_of(rest.ptr + 1, rest.len - 1);
            continue;
        }
        while (len < rest.len && is_key(rest.ptr[len]))
            len++;
        if (len == 0 || len == rest.len || rest.ptr[len] != '=') {
            if (am_span_equal(rest, am_span_str("[...]")) && !add(line, "cut", "[...]"))
                return false;
            break;
        }
        const char *key = am_arena_copy(arena, am_span_of(rest.ptr, len));
        rest = am_span_of(rest.ptr + len + 1, rest.len - len - 1);
        if (!add(line, key, take_value(arena, &rest)))
            return false;
    }
    return line->count > 1;
}

static bool read_json(struct decision_line *line, struct am_arena *arena, struct am_span rest)
{
    json_t *object = json_loadb(rest.ptr, rest.len, JSON_DISABLE_EOF_CHECK, NULL), *value;
    const char *key;
    bool good = json_is_object(object);

    if (good)
        json_object_foreach(object, key, value)
        {
            const char *text = NULL;
            if (json_is_string(value))
                text = copy_printable(
                    arena, am_span_of(json_string_value(value), json_string_length(value)));
            else if (json_is_integer(value))
                text = am_arena_printf(arena, "%lld", (long long)json_integer_value(value));
            else
                continue;
            good = good && add(line, copy_printable(arena, am_span_str(key)), text);
        }
    json_decref(object);
    return good;
}

bool decision_line_read(struct decision_line *line, struct am_arena *arena, struct am_span text)
{
    bool json;
    size_t at;

    line->count = 0;
    while (text.len > 0 && strchr("\r\n", text.ptr[text.len - 1]) != NULL)
        text.len--;
    if (!find_start(text, &at, &json))
        return false;
    line->prefix = copy_printable(arena, am_span_trim(am_span_of(text.ptr, at)));
    const struct am_span rest = am_span_of(text.ptr + at, text.len - at);
    return line->prefix != NULL &&
           (json ? read_json(line, arena, rest) : read_plain(line, arena, rest));
}

const char *decision_line_value(const struct decision_line *line, const char *key)
{
    for (size_t i = 0; i < line->count; i++)
        if (strcmp(line->values[i].key, key) == 0)
            return line->values[i].value;
    return NULL;
}
