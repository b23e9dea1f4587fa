#include "authmilter/decision_read.h"

#include <jansson.h>
#include <stdio.h>

static bool add(struct decision_line *line, const char *key, const char *value)
{
    if (key == NULL || value == NULL)
        return false;
    if (line->count < DECISION_VALUES_MAX)
        line->values[line->count++] = (struct decision_value){key, value};
    return true;
}

/* Finds the begin of a line of ours behind a prefix. Returns false when there is none. */
static bool find_start(struct am_span text, size_t *at, bool *json)
{
    static const char plain[] = "event=", object[] = "{\"event\":";

    for (size_t i = 0; i + sizeof(plain) - 1 <= text.len; i++) {
        struct am_span rest = am_span_of(text.ptr + i, text.len - i);
        bool word = i == 0 || text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '>';

        *at = i;
        *json = false;
        if (word && memcmp(rest.ptr, plain, sizeof(plain) - 1) == 0)
            return true;
        *json = true;
        if (rest.len >= sizeof(object) - 1 && memcmp(rest.ptr, object, sizeof(object) - 1) == 0)
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
        const char *bare = am_arena_copy(arena, am_span_of(rest->ptr, end));
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
    /* Without its closing quote the line was cut: what is there counts. */
    end += end < rest->len;
    *rest = am_span_of(rest->ptr + end, rest->len - end);
    return out;
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
        /* "[...]" at the end of a line that was cut, or none of our writing. */
        if (len == 0 || len == rest.len || rest.ptr[len] != '=')
            break;
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
                text = am_arena_copy(
                    arena, am_span_of(json_string_value(value), json_string_length(value)));
            else if (json_is_integer(value))
                text = am_arena_printf(arena, "%lld", (long long)json_integer_value(value));
            else
                continue;
            good = good && add(line, am_arena_copy(arena, am_span_str(key)), text);
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
    line->prefix = am_arena_copy(arena, am_span_trim(am_span_of(text.ptr, at)));
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
