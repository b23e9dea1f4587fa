#include "spf-milter/spf_record.h"

#include <arpa/inet.h>
#include <string.h>

#include "spf-milter/spf_macro.h"

#define VERSION "v=spf1"
#define VERSION_LEN (sizeof(VERSION) - 1)

/* What may follow the name of a mechanism. */
enum argument {
    ARGUMENT_NONE,
    ARGUMENT_DOMAIN,          /* ":" domain-spec */
    ARGUMENT_OPTIONAL_DOMAIN, /* [ ":" domain-spec ] */
    ARGUMENT_DOMAIN_CIDR,     /* [ ":" domain-spec ] [ dual-cidr-length ] */
    ARGUMENT_NETWORK4,
    ARGUMENT_NETWORK6,
};

static const struct mechanism {
    const char *name;
    enum spf_kind kind;
    enum argument argument;
} mechanisms[] = {
    {"all", SPF_KIND_ALL, ARGUMENT_NONE},
    {"include", SPF_KIND_INCLUDE, ARGUMENT_DOMAIN},
    {"a", SPF_KIND_A, ARGUMENT_DOMAIN_CIDR},
    {"mx", SPF_KIND_MX, ARGUMENT_DOMAIN_CIDR},
    {"ptr", SPF_KIND_PTR, ARGUMENT_OPTIONAL_DOMAIN},
    {"ip4", SPF_KIND_IP4, ARGUMENT_NETWORK4},
    {"ip6", SPF_KIND_IP6, ARGUMENT_NETWORK6},
    {"exists", SPF_KIND_EXISTS, ARGUMENT_DOMAIN},
};

static struct am_span skip(struct am_span text, size_t count)
{
    return am_span_of(text.ptr + count, text.len - count);
}

bool spf_record_is_spf(struct am_span text)
{
    return am_span_starts_nocase(text, am_span_of(VERSION, VERSION_LEN)) &&
           (text.len == VERSION_LEN || text.ptr[VERSION_LEN] == ' ');
}

/*
 * Takes "/" digits (or "//" digits) off the end of `text`.
 *
 * Returns: false for a length with a leading zero or above `most`. A text
 * that does not end in a length is left alone; `*prefix` then keeps its value.
 */
static bool take_prefix(struct am_span *text, const char *slashes, unsigned most, uint8_t *prefix)
{
    size_t start = text->len;
    while (start > 0 && am_is_digit((unsigned char)text->ptr[start - 1]))
        start--;
    size_t slash_count = strlen(slashes);
    if (start == text->len || start < slash_count ||
        memcmp(text->ptr + start - slash_count, slashes, slash_count) != 0)
        return true;
    size_t digits = text->len - start;
    if (digits > 3 || (digits > 1 && text->ptr[start] == '0'))
        return false;
    unsigned value = 0;
    for (size_t i = start; i < text->len; i++)
        value = value * 10 + (unsigned)(text->ptr[i] - '0');
    if (value > most)
        return false;
    *prefix = (uint8_t)value;
    text->len = start - slash_count;
    return true;
}

static bool read_domain(struct spf_term *term, struct am_span argument, bool optional)
{
    if (argument.len == 0)
        return optional;
    if (argument.ptr[0] != ':')
        return false;
    term->spec = skip(argument, 1);
    return spf_macro_check(term->spec, SPF_MACRO_IN_DOMAIN, &term->macros);
}

static bool read_network(struct spf_term *term, struct am_span argument, int family)
{
    char text[INET6_ADDRSTRLEN];
    bool is_v4 = family == AF_INET;
    if (!take_prefix(&argument, "/", is_v4 ? 32 : 128, is_v4 ? &term->prefix4 : &term->prefix6))
        return false;
    if (argument.len < 2 || argument.ptr[0] != ':' || argument.len > sizeof(text))
        return false;
    memcpy(text, argument.ptr + 1, argument.len - 1);
    text[argument.len - 1] = '\0';
    return strlen(text) == argument.len - 1 && inet_pton(family, text, term->address) == 1;
}

static bool read_argument(struct spf_term *term, enum argument kind, struct am_span argument)
{
    switch (kind) {
    case ARGUMENT_NONE:
        return argument.len == 0;
    case ARGUMENT_DOMAIN:
        return read_domain(term, argument, false);
    case ARGUMENT_OPTIONAL_DOMAIN:
        return read_domain(term, argument, true);
    case ARGUMENT_DOMAIN_CIDR:
        return take_prefix(&argument, "//", 128, &term->prefix6) &&
               take_prefix(&argument, "/", 32, &term->prefix4) && read_domain(term, argument, true);
    case ARGUMENT_NETWORK4:
        return read_network(term, argument, AF_INET);
    default:
        return read_network(term, argument, AF_INET6);
    }
}

static bool read_mechanism(struct spf_term *term)
{
    struct am_span rest = term->text;
    switch (rest.ptr[0]) {
    case '-':
        term->result = SPF_FAIL;
        break;
    case '~':
        term->result = SPF_SOFTFAIL;
        break;
    case '?':
        term->result = SPF_NEUTRAL;
        break;
    default:
        term->result = SPF_PASS;
    }
    if (term->result != SPF_PASS || rest.ptr[0] == '+')
        rest = skip(rest, 1);
    size_t name_len = 0;
    while (name_len < rest.len && am_is_alnum((unsigned char)rest.ptr[name_len]))
        name_len++;
    struct am_span name = am_span_of(rest.ptr, name_len);
    for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
        if (!am_span_equal_nocase(name, am_span_str(mechanisms[i].name)))
            continue;
        term->kind = mechanisms[i].kind;
        term->prefix4 = 32;
        term->prefix6 = 128;
        return read_argument(term, mechanisms[i].argument, skip(rest, name_len));
    }
    return false;
}

/* The length of a modifier's name when the term is one (section 4.6.1), else 0. */
static size_t modifier_name(struct am_span text)
{
    if (!am_is_alpha((unsigned char)text.ptr[0]))
        return 0;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '=')
            return i;
        if (!am_is_alnum((unsigned char)c) && c != '-' && c != '_' && c != '.')
            return 0;
    }
    return 0;
}

static enum spf_parse_status read_modifier(struct spf_record *record, struct spf_term *term,
                                           size_t name_len, bool *kept)
{
    struct am_span name = am_span_of(term->text.ptr, name_len);
    struct am_span value = skip(term->text, name_len + 1);
    *kept = false;
    const struct spf_term **place;
    if (am_span_equal_nocase(name, am_span_str("redirect"))) {
        term->kind = SPF_KIND_REDIRECT;
        place = &record->redirect;
    } else if (am_span_equal_nocase(name, am_span_str("exp"))) {
        term->kind = SPF_KIND_EXP;
        place = &record->exp;
    } else { /* section 6: unknown modifiers are ignored, but must be well-formed */
        return spf_macro_check(value, SPF_MACRO_IN_RECORD, NULL) ? SPF_PARSE_OK : SPF_PARSE_SYNTAX;
    }
    if (*place != NULL)
        return SPF_PARSE_DUPLICATE;
    if (!spf_macro_check(value, SPF_MACRO_IN_DOMAIN, &term->macros))
        return SPF_PARSE_SYNTAX;
    term->spec = value;
    *place = term;
    *kept = true;
    return SPF_PARSE_OK;
}

static size_t count_terms(struct am_span text)
{
    size_t count = 0;
    for (size_t i = 1; i < text.len; i++)
        count += text.ptr[i] != ' ' && text.ptr[i - 1] == ' ';
    return count;
}

enum spf_parse_status spf_record_parse(struct am_arena *arena, struct am_span text,
                                       struct spf_record *record, struct am_span *bad)
{
    *record = (struct spf_record){.text = text};
    size_t most = count_terms(text);
    if (most == 0)
        return SPF_PARSE_OK;
    /* Mechanisms fill the array from the front, redirect and exp take its end. */
    struct spf_term *terms = am_arena_alloc(arena, most * sizeof(*terms));
    if (terms == NULL)
        return SPF_PARSE_MEMORY;
    record->terms = terms;
    struct spf_term *end = terms + most;
    for (size_t at = VERSION_LEN; at < text.len;) {
        if (text.ptr[at] == ' ') {
            at++;
            continue;
        }
        struct am_span rest = skip(text, at);
        struct am_span word = am_span_of(rest.ptr, am_span_find(rest, ' '));
        at += word.len;
        size_t name_len = modifier_name(word);
        struct spf_term *term = name_len > 0 ? end - 1 : &terms[record->count];
        *term = (struct spf_term){.text = word};
        *bad = word;
        if (name_len > 0) {
            bool kept;
            enum spf_parse_status status = read_modifier(record, term, name_len, &kept);
            if (status != SPF_PARSE_OK)
                return status;
            end -= kept;
        } else if (!read_mechanism(term)) {
            return SPF_PARSE_SYNTAX;
        } else {
            record->count++;
        }
    }
    return SPF_PARSE_OK;
}
