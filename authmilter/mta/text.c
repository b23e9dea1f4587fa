#include "authmilter/mta/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_MAX = 100000 };

bool mta_text_matches(struct am_span pattern, struct am_span text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* \{N*TEXT}; returns what follows it, or NULL. */
static const char *repeat(struct am_buf *out, const char *text)
{
    char *star;
    unsigned long count = strtoul(text, &star, 10);
    const char *end = strchr(text, '}');
    if (end == NULL || *star != '*' || count > REPEAT_MAX)
        return NULL;
    for (unsigned long i = 0; i < count; i++)
        am_buf_add(out, am_span_of(star + 1, (size_t)(end - star - 1)));
    return end + 1;
}

/* Returns what follows the escape behind the backslash, or NULL. */
static const char *unescape_one(struct am_buf *out, const char *text)
{
    static const char letters[] = "rnts\\";
    static const char bytes[] = "\r\n\t \\";
    const char *letter = *text == '\0' ? NULL : strchr(letters, *text);
    if (letter != NULL) {
        am_buf_add_char(out, bytes[letter - letters]);
        return text + 1;
    }
    if (*text == '{')
        return repeat(out, text + 1);
    if (*text == 'x' && strspn(text + 1, "0123456789abcdefABCDEF") >= 2) {
        char digits[3] = {text[1], text[2], '\0'};
        am_buf_add_char(out, (char)strtoul(digits, NULL, 16));
        return text + 3;
    }
    return NULL;
}

bool mta_text_unescape(struct am_buf *out, const char *text)
{
    while (*text != '\0') {
        if (*text != '\\') {
            am_buf_add_char(out, *text++);
            continue;
        }
        text = unescape_one(out, text + 1);
        if (text == NULL)
            return false;
    }
    return true;
}

bool mta_text_body(struct am_buf *out, const char *text)
{
    struct am_buf lines;

    am_buf_init(&lines, 0);
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            am_buf_add_char(&lines, '\r');
        am_buf_add_char(&lines, *text);
    }
    bool good = mta_text_unescape(out, am_buf_str(&lines));
    am_buf_fini(&lines);
    return good;
}

void mta_text_unfold(struct am_buf *out, const char *value)
{
    value += strspn(value, " \t\r\n");
    while (*value != '\0') {
        size_t blanks = strspn(value, " \t\r\n");
        if (blanks > 0 && strcspn(value, "\n") < blanks) {
            if (value[blanks] != '\0')
                am_buf_add_char(out, ' ');
            value += blanks;
        } else {
            am_buf_add_char(out, *value++);
        }
    }
}
