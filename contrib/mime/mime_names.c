#include "contrib/mime/mime_names.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool am_mime_names_add(struct am_strlist *names, struct am_arena *arena, struct am_span name)
{
    static const char mark[] = "\xEF\xBF\xBD";
    if (name.len == 0)
        return true;
    for (size_t i = 0; i < names->count; i++) {
        if (am_span_equal(am_span_str(names->items[i]), name))
            return true;
    }
    size_t nuls = 0;
    for (size_t i = 0; i < name.len; i++)
        nuls += name.ptr[i] == '\0';
    if (names->items == NULL)
        names->items = am_arena_alloc(arena, AM_MIME_NAMES_MAX * sizeof(*names->items));
    char *copy = am_arena_alloc(arena, name.len + 2 * nuls + 1), *at = copy;
    if (names->items == NULL || copy == NULL || names->count == AM_MIME_NAMES_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] != '\0') {
            *at++ = name.ptr[i];
        } else {
            memcpy(at, mark, 3);
            at += 3;
        }
    }
    names->items[names->count++] = copy;
    return true;
}

/* Takes a parameter's value off the front of `rest`: a quoted string, or all up to a semicolon. */
static struct am_span take_value(struct am_span *rest)
{
    size_t i = 0, start = 0, end;
    while (i < rest->len && is_blank(rest->ptr[i]))
        i++;
    if (i < rest->len && rest->ptr[i] == '"') {
        start = ++i;
        while (i < rest->len && rest->ptr[i] != '"')
            i += rest->ptr[i] == '\\' && i + 1 < rest->len ? 2 : 1;
        end = i;
        i += i < rest->len;
    } else {
        start = i;
        while (i < rest->len && rest->ptr[i] != ';')
            i++;
        end = i;
    }
    struct am_span value = am_span_trim(am_span_of(rest->ptr + start, end - start));
    *rest = am_span_of(rest->ptr + i, rest->len - i);
    return value;
}

/* "name", "filename", and their numbered and encoded pieces: "filename*0*". */
static bool names_a_file(struct am_span attribute)
{
    size_t star = am_span_find(attribute, '*');
    struct am_span bare = am_span_trim(am_span_of(attribute.ptr, star));
    return am_span_equal_nocase(bare, am_span_str("name")) ||
           am_span_equal_nocase(bare, am_span_str("filename"));
}

static bool scan_value(struct am_strlist *names, struct am_arena *arena, struct am_span value)
{
    bool good = true;
    while (value.len > 0) {
        size_t equals = am_span_find(value, '=');
        struct am_span left = am_span_of(value.ptr, equals);
        size_t semicolon = am_span_find_last(left, ';');
        if (semicolon < left.len)
            left = am_span_of(left.ptr + semicolon + 1, left.len - semicolon - 1);
        if (equals == value.len)
            break;
        value = am_span_of(value.ptr + equals + 1, value.len - equals - 1);
        /* Where a semicolon was forgotten, the attribute is the last word. */
        left = am_span_trim(left);
        for (size_t i = left.len; i > 0; i--) {
            if (is_blank(left.ptr[i - 1])) {
                left = am_span_of(left.ptr + i, left.len - i);
                break;
            }
        }
        struct am_span found = take_value(&value);
        if (names_a_file(left))
            good = am_mime_names_add(names, arena, found) && good;
    }
    return good;
}

bool am_mime_names_scan(struct am_strlist *names, struct am_arena *arena, struct am_span header)
{
    bool good = true;
    while (header.len > 0) {
        size_t end = am_span_find(header, '\n');
        while (end + 1 < header.len && (header.ptr[end + 1] == ' ' || header.ptr[end + 1] == '\t'))
            end += 1 + am_span_find(am_span_of(header.ptr + end + 1, header.len - end - 1), '\n');
        struct am_span field = am_span_of(header.ptr, end);
        size_t colon = am_span_find(field, ':');
        struct am_span name = am_span_trim(am_span_of(field.ptr, colon));
        if (colon < field.len && (am_span_equal_nocase(name, am_span_str("Content-Type")) ||
                                  am_span_equal_nocase(name, am_span_str("Content-Disposition"))))
            good = scan_value(names, arena,
                              am_span_of(field.ptr + colon + 1, field.len - colon - 1)) &&
                   good;
        end += end < header.len;
        header = am_span_of(header.ptr + end, header.len - end);
    }
    return good;
}
