#include "common/mail/domain.h"

#include <idn2.h>

#include "common/base/buf.h"

#define LABEL_MAX 63

/* Longest text worth converting: U-labels take at most 4 octets where an A-label has one. */
#define UNICODE_MAX ((size_t)4 * AM_DOMAIN_MAX)

static struct am_span without_final_dot(struct am_span text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '.')
        text.len--;
    return text;
}

static bool is_label_char(char c)
{
    return am_is_alnum((unsigned char)c) || c == '-' || c == '_';
}

/* Counts the labels of a name without its final dot; 0 when the name is not valid. */
static size_t count_labels(struct am_span text)
{
    size_t labels = 1, in_label = 0;

    text = without_final_dot(text);
    if (text.len == 0 || text.len > AM_DOMAIN_MAX)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.') {
            if (in_label == 0)
                return 0;
            labels++;
            in_label = 0;
        } else if (!is_label_char(text.ptr[i]) || ++in_label > LABEL_MAX) {
            return 0;
        }
    }
    return in_label > 0 ? labels : 0;
}

bool am_domain_is_valid(struct am_span text)
{
    return count_labels(text) > 0;
}

bool am_domain_is_multi_label(struct am_span text)
{
    return count_labels(text) >= 2;
}

static bool is_ascii(struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

static char *lower_copy(struct am_arena *arena, struct am_span text)
{
    char *copy = am_arena_copy(arena, text);

    for (char *p = copy; p != NULL && *p != '\0'; p++)
        *p = am_lower(*p);
    return copy;
}

/* Converts one label that holds UTF-8 and appends it; libidn2 refuses invalid UTF-8 itself. */
static bool add_unicode_label(struct am_arena *arena, struct am_buf *out, struct am_span label)
{
    char *copy = am_arena_copy(arena, label);
    char *ascii = NULL;

    if (copy == NULL || idn2_to_ascii_8z(copy, &ascii, IDN2_NONTRANSITIONAL) != IDN2_OK)
        return false;
    am_buf_add_str(out, ascii);
    idn2_free(ascii);
    return true;
}

/* ASCII labels are left to stand as they are: "_spf" is no IDNA label, yet good in the DNS. */
static bool add_labels(struct am_arena *arena, struct am_buf *out, struct am_span text)
{
    for (;;) {
        size_t dot = am_span_find(text, '.');
        struct am_span label = am_span_of(text.ptr, dot);

        if (is_ascii(label))
            am_buf_add(out, label);
        else if (!add_unicode_label(arena, out, label))
            return false;
        if (dot == text.len)
            return !out->failed;
        am_buf_add_char(out, '.');
        text = am_span_of(text.ptr + dot + 1, text.len - dot - 1);
    }
}

const char *am_domain_to_ascii(struct am_arena *arena, struct am_span text)
{
    const char *result = NULL;
    struct am_buf out;

    text = without_final_dot(text);
    if (am_span_find(text, '\0') != text.len)
        return NULL;
    if (is_ascii(text))
        return lower_copy(arena, text);
    if (text.len > UNICODE_MAX)
        return NULL;
    am_buf_init(&out, 0);
    /* A full stop of another script at the end becomes a final dot only now. */
    if (add_labels(arena, &out, text))
        result = lower_copy(arena, without_final_dot(am_buf_span(&out)));
    am_buf_fini(&out);
    return result;
}

bool am_domain_equal(struct am_span a, struct am_span b)
{
    return am_span_equal_nocase(without_final_dot(a), without_final_dot(b));
}

bool am_domain_is_within(struct am_span name, struct am_span parent)
{
    name = without_final_dot(name);
    parent = without_final_dot(parent);
    if (parent.len == 0 || !am_span_ends_nocase(name, parent))
        return false;
    return name.len == parent.len || name.ptr[name.len - parent.len - 1] == '.';
}
