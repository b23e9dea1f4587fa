#include "common/base/span.h"

bool am_span_equal(struct am_span a, struct am_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool am_span_equal_nocase(struct am_span a, struct am_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (am_lower(a.ptr[i]) != am_lower(b.ptr[i]))
            return false;
    return true;
}

bool am_span_starts_nocase(struct am_span text, struct am_span prefix)
{
    return text.len >= prefix.len && am_span_equal_nocase(am_span_of(text.ptr, prefix.len), prefix);
}

bool am_span_ends_nocase(struct am_span text, struct am_span suffix)
{
    if (suffix.len == 0)
        return true;
    return text.len >= suffix.len &&
           am_span_equal_nocase(am_span_of(text.ptr + (text.len - suffix.len), suffix.len), suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct am_span am_span_trim(struct am_span text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

size_t am_span_find(struct am_span text, char byte)
{
    const char *found = text.len > 0 ? memchr(text.ptr, byte, text.len) : NULL;
    return found != NULL ? (size_t)(found - text.ptr) : text.len;
}

size_t am_span_find_last(struct am_span text, char byte)
{
    const char *found = text.len > 0 ? memrchr(text.ptr, byte, text.len) : NULL;
    return found != NULL ? (size_t)(found - text.ptr) : text.len;
}
