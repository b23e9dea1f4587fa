#include "contrib/mime/mime_names.h"

#include "common/base/buf.h"

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

static int hex_digit(char c)
{
    c = am_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes "%41". */
static void add_decoded(struct am_buf *out, struct am_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len && text.ptr[i] == '%' ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_digit(text.ptr[i + 2]);
        am_buf_add_char(out, low < 0 ? text.ptr[i] : (char)(high << 4 | low));
        i += low < 0 ? 0 : 2;
    }
}

/* RFC 2231: adds a piece of a name to those before it, in the order in which they stand. */
static void add_piece(struct am_buf *pieces, struct am_span attribute, struct am_span value)
{
    if (attribute.ptr[attribute.len - 1] != '*') {
        am_buf_add(pieces, value);
        return;
    }
    size_t charset = am_span_find(value, '\'');
    struct am_span rest = am_span_of(value.ptr + charset, value.len - charset);
    size_t language =
        rest.len == 0 ? 0 : 1 + am_span_find(am_span_of(rest.ptr + 1, rest.len - 1), '\'');
    if (pieces->len == 0 && language < rest.len)
        value = am_span_of(rest.ptr + language + 1, rest.len - language - 1);
    add_decoded(pieces, value);
}

static bool scan_value(struct am_strlist *names, struct am_arena *arena, struct am_span value,
                       struct am_buf *pieces)
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
        if (!names_a_file(left))
            continue;
        good = am_mime_names_add(names, arena, found) && good;
        if (am_span_find(left, '*') < left.len)
            add_piece(pieces, left, found);
    }
    good = am_mime_names_add(names, arena, am_buf_span(pieces)) && good;
    return good && !pieces->failed;
}

bool am_mime_names_scan(struct am_strlist *names, struct am_arena *arena, struct am_span header)
{
    bool good = true;
    struct am_buf pieces;
    am_buf_init(&pieces, 0);
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
                              am_span_of(field.ptr + colon + 1, field.len - colon - 1), &pieces) &&
                   good;
        am_buf_clear(&pieces);
        end += end < header.len;
        header = am_span_of(header.ptr + end, header.len - end);
    }
    am_buf_fini(&pieces);
    return good;
}
