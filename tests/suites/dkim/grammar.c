#include "tests/suites/dkim/grammar.h"

#include <regex.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/utf8.h"

#define W "[ \t]*"
#define TAG W "[A-Za-z][A-Za-z0-9_]*" W "=[ \t!-:<-~\x80-\xff]*"
#define LABEL "([A-Za-z0-9\x80-\xff]([-A-Za-z0-9\x80-\xff]*[A-Za-z0-9\x80-\xff])?)"
#define BASE64 "[A-Za-z0-9+/][A-Za-z0-9+/ \t]*(=" W "){0,2}"
#define ATOM "[^][ \t()<>@,;:\\\".]+"
#define QUOTED "\"([^\"\\]|\\\\.)*\""
#define FIELD_NAME "[!-9<-~]+"

static const struct rule {
    const char *name, *expression;
} rules[] = {
    {"v", "^1$"},
    {"a", "^(rsa|ed25519)-sha(1|256)$"},
    {"b", "^" BASE64 "$"},
    {"bh", "^" BASE64 "$"},
    {"c", "^(simple|relaxed)(/(simple|relaxed))?$"},
    {"d", "^" LABEL "(\\." LABEL ")+$"},
    {"h", "^" FIELD_NAME "(" W ":" W FIELD_NAME ")*$"},
    {"i", "^((" ATOM "(\\." ATOM ")*)|(" QUOTED "))?@" LABEL "(\\." LABEL ")+$"},
    {"l", "^[0-9]{1,76}$"},
    {"q", "^[a-z]+[-a-z0-9/]*(" W ":" W "[a-z]+[-a-z0-9/]*)*$"},
    {"s", "^" LABEL "(\\." LABEL ")*$"},
    {"t", "^[0-9]+$"},
    {"x", "^[0-9]+$"},
    {NULL, NULL},
};

/* Makes a fold the blank that it is, so that any other CR or LF shows. */
static struct am_span unfold(struct am_span text, struct am_buf *out)
{
    am_buf_init(out, 0);
    for (size_t i = 0; i < text.len; i++) {
        size_t end = i + (text.ptr[i] == '\r' && i + 1 < text.len);

        if (text.ptr[end] == '\n' && end + 1 < text.len &&
            (text.ptr[end + 1] == ' ' || text.ptr[end + 1] == '\t'))
            i = end;
        else
            am_buf_add_char(out, text.ptr[i]);
    }
    return am_buf_span(out);
}

bool grammar_matches(struct am_span text, const char *expression)
{
    regmatch_t whole = {.rm_so = 0, .rm_eo = (regoff_t)text.len};
    regex_t regex;

    if (regcomp(&regex, expression, REG_EXTENDED) != 0)
        abort();
    bool matches = regexec(&regex, text.ptr == NULL ? "" : text.ptr, 1, &whole, REG_STARTEND) == 0;
    regfree(&regex);
    return matches;
}

/* Cuts the next tag off; its name and value without white space around them. */
static bool next_tag(struct am_span *rest, struct am_span *name, struct am_span *value)
{
    while (rest->len > 0) {
        struct am_span tag = am_span_of(rest->ptr, am_span_find(*rest, ';'));
        size_t used = tag.len < rest->len ? tag.len + 1 : tag.len;
        size_t equals = am_span_find(tag, '=');

        *rest = am_span_of(rest->ptr + used, rest->len - used);
        if (equals == tag.len)
            continue;
        *name = am_span_trim(am_span_of(tag.ptr, equals));
        *value = am_span_trim(am_span_of(tag.ptr + equals + 1, tag.len - equals - 1));
        return true;
    }
    return false;
}

bool grammar_has_double(struct am_span text)
{
    struct am_span outer = text, name, value, other;

    while (next_tag(&outer, &name, &value)) {
        struct am_span inner = outer;

        while (next_tag(&inner, &other, &value))
            if (am_span_equal(name, other))
                return true;
    }
    return false;
}

const char *grammar_value(struct am_arena *arena, struct am_span text, const char *name)
{
    struct am_span found, value;

    while (next_tag(&text, &found, &value))
        if (am_span_equal(found, am_span_str(name)))
            return am_arena_copy(arena, value);
    return NULL;
}

/* dkim-quoted-printable (section 2.11): white space goes, "=XX" is an octet. */
static void decode_quoted(struct am_span text, struct am_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char digits[3] = {0};

        if (text.ptr[i] == '=' && i + 2 < text.len) {
            memcpy(digits, text.ptr + i + 1, 2);
            am_buf_add_char(out, (char)strtol(digits, NULL, 16));
            i += 2;
        } else if (text.ptr[i] != ' ' && text.ptr[i] != '\t') {
            am_buf_add_char(out, text.ptr[i]);
        }
    }
}

/* The grammar does not count; but there are lengths that no octets have in base 64. */
static bool is_base64_of_octets(struct am_span value)
{
    size_t digits = 0, pads = 0;

    for (size_t i = 0; i < value.len; i++) {
        pads += value.ptr[i] == '=';
        digits += value.ptr[i] != '=' && value.ptr[i] != ' ' && value.ptr[i] != '\t';
    }
    return digits % 4 != 1 && pads <= (4 - digits % 4) % 4;
}

static bool keeps_rule(const struct rule *rule, struct am_span value)
{
    struct am_buf decoded;

    if (strcmp(rule->name, "i") != 0)
        return grammar_matches(value, rule->expression) &&
               (rule->name[0] != 'b' || is_base64_of_octets(value));
    if (grammar_matches(value, "=([^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$)"))
        return false;
    am_buf_init(&decoded, 0);
    decode_quoted(value, &decoded);
    struct am_span text = am_buf_span(&decoded);
    bool keeps = memchr(am_buf_str(&decoded), '\0', text.len) == NULL &&
                 !grammar_matches(text, "[\x01-\x1f\x7f]") &&
                 grammar_matches(text, rule->expression);
    am_buf_fini(&decoded);
    return keeps;
}

static bool is_utf8(struct am_span text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = (unsigned char)text.ptr[i] < 0x80
                         ? 1
                         : am_utf8_first(am_span_of(text.ptr + i, text.len - i));
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

bool grammar_accepts_signature(struct am_span raw)
{
    struct am_buf unfolded;
    struct am_span text = unfold(raw, &unfolded), rest = text, name, value;
    bool good = is_utf8(text) && grammar_matches(text, "^" TAG "(;" TAG ")*(;" W ")?$");

    while (good && next_tag(&rest, &name, &value))
        for (const struct rule *rule = rules; rule->name != NULL; rule++)
            if (am_span_equal(name, am_span_str(rule->name)))
                good = good && keeps_rule(rule, value);
    am_buf_fini(&unfolded);
    return good;
}
