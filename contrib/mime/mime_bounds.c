#include "contrib/mime/mime_bounds.h"

enum kind { PLAIN, CONTENT, ADDRESSES };

struct count {
    bool in_header;        /* the line in hand may be one of a header */
    bool in_field;         /* it, or one before it, began a field ... */
    bool is_type;          /* ... which says what is behind the header */
    bool is_message;       /* which may be a message */
    bool any_digest;       /* a multipart whose parts are messages without saying so */
    enum kind kind;        /* of the field */
    size_t equals, colons; /* in it */
    size_t header_bytes, fields, delimiters, types; /* so far */
    bool params_beyond, groups_beyond;
};

static size_t count_octet(struct am_span text, char octet)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == octet;
    return count;
}

static bool holds_nocase(struct am_span text, const char *word)
{
    struct am_span wanted = am_span_str(word);
    for (size_t i = 0; i + wanted.len <= text.len; i++) {
        if (am_span_starts_nocase(am_span_of(text.ptr + i, text.len - i), wanted))
            return true;
    }
    return false;
}

/* The name in front of the colon: no control characters, and blanks at its end only. */
static bool take_name(struct am_span line, struct am_span *name)
{
    size_t colon = am_span_find(line, ':');
    if (colon == line.len)
        return false;
    *name = am_span_trim(am_span_of(line.ptr, colon));
    for (size_t i = 0; i < name->len; i++) {
        unsigned char octet = (unsigned char)name->ptr[i];
        if (octet <= ' ' || octet == 0x7F)
            return false;
    }
    return true;
}

static enum kind kind_of(struct am_span name)
{
    static const char *const addresses[] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"};
    if (am_span_starts_nocase(name, am_span_str("Content-")))
        return CONTENT;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        if (am_span_equal_nocase(name, am_span_str(addresses[i])))
            return ADDRESSES;
    }
    return PLAIN;
}

/* Behind a header is a content, which is a header again if it is that of a message. */
static void close_header(struct count *count)
{
    count->in_header = count->is_message || count->any_digest;
    count->in_field = count->is_message = false;
}

static void begin_field(struct count *count, struct am_span line)
{
    struct am_span name = {NULL, 0};
    count->in_field = take_name(line, &name);
    count->kind = kind_of(name);
    count->is_type = am_span_equal_nocase(name, am_span_str("Content-Type"));
    count->equals = count->colons = 0;
    count->fields += count->in_field;
    count->types += count->in_field && count->is_type;
}

static void count_line(struct count *count, struct am_span line)
{
    if (line.ptr[0] != ' ' && line.ptr[0] != '\t')
        begin_field(count, line);
    if (!count->in_field)
        return;
    count->header_bytes += line.len;
    count->equals += count->kind == CONTENT ? count_octet(line, '=') : 0;
    count->colons += count->kind == ADDRESSES ? count_octet(line, ':') : 0;
    count->params_beyond = count->params_beyond || count->equals > AM_MIME_PARAMS_MAX;
    count->groups_beyond = count->groups_beyond || count->colons > AM_MIME_GROUPS_MAX;
    if (count->is_type) {
        count->is_message = count->is_message || holds_nocase(line, "message");
        count->any_digest = count->any_digest || holds_nocase(line, "digest");
    }
}

static bool judge(const struct count *count, const struct am_mime_limits *limits,
                  struct am_problem *why)
{
    if (count->types > 2 * limits->max_parts || count->delimiters > 20 * limits->max_parts)
        return am_problem_set(why, "more than %zu parts", limits->max_parts);
    if (count->fields > AM_MIME_FIELDS_PER_PART * limits->max_parts)
        return am_problem_set(why, "more than %zu fields in the headers of its parts",
                              AM_MIME_FIELDS_PER_PART * limits->max_parts);
    if (count->header_bytes > limits->max_header)
        return am_problem_set(why, "the headers of its parts are larger than %zu bytes",
                              limits->max_header);
    if (count->params_beyond)
        return am_problem_set(why, "a field with more than %d parameters", AM_MIME_PARAMS_MAX);
    if (count->groups_beyond)
        return am_problem_set(why, "a field with more than %d groups of addresses",
                              AM_MIME_GROUPS_MAX);
    return true;
}

bool am_mime_bounds_hold(struct am_span text, const struct am_mime_limits *limits,
                         struct am_problem *why)
{
    struct count count = {.in_header = true};
    while (text.len > 0) {
        size_t len = am_span_find(text, '\n');
        len += len < text.len;
        struct am_span line = am_span_of(text.ptr, len);
        bool delimiter = am_span_starts_nocase(line, am_span_str("--"));
        count.delimiters += delimiter;
        if (count.in_header && (line.ptr[0] == '\n' || (len == 2 && line.ptr[0] == '\r')))
            close_header(&count);
        else if (count.in_header)
            count_line(&count, line); /* also what only looks like a delimiter */
        count.in_header = count.in_header || delimiter;
        text = am_span_of(text.ptr + len, text.len - len);
    }
    return judge(&count, limits, why);
}
