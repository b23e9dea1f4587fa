#include <string.h>

#include "authres/ar_chars.h"
#include "authres/ar_internal.h"

/*
 * The field is walked twice: once to measure the unfolded text and count its
 * blanks, once to write it. Every fold goes before a blank, so that the first
 * walk bounds the memory and one allocation is enough.
 */

#define DEFAULT_WIDTH 78
#define NAME_LEN (sizeof("Authentication-Results: ") - 1)
#define ARC_NAME_LEN (sizeof("ARC-Authentication-Results: ") - 1)
#define NOWHERE SIZE_MAX

struct out {
    char *buf; /* NULL while measuring */
    size_t len, blanks;
    const char *newline;
    size_t newline_len, width, max_line;
    size_t column;   /* octets in the current line so far */
    size_t break_at; /* the last blank of the current line where it may end */
    bool after_blank, line_per_result, too_long;
};

/* Ends the line at its last possible place and moves what follows to the next one. */
static void fold(struct out *out)
{
    char *at = out->buf + out->break_at;
    size_t tail = out->len - out->break_at;

    memmove(at + out->newline_len, at, tail);
    memcpy(at, out->newline, out->newline_len);
    out->len += out->newline_len;
    out->column = tail;
    out->break_at = NOWHERE;
}

/* Writes octets without blanks among them. */
static void put_word(struct out *out, const char *ptr, size_t len)
{
    if (len == 0)
        return;
    if (out->buf != NULL) {
        if (out->column + len > out->width && out->break_at != NOWHERE)
            fold(out);
        memcpy(out->buf + out->len, ptr, len);
        out->column += len;
        out->after_blank = false;
        if (out->column > out->max_line)
            out->too_long = true;
    }
    out->len += len;
}

/* Writes a space or tab. A line never ends inside a run of blanks: the rest would be an empty line.
 */
static void put_blank(struct out *out, char blank)
{
    if (out->buf != NULL) {
        if (!out->after_blank)
            out->break_at = out->len;
        out->buf[out->len] = blank;
        out->column++;
        out->after_blank = true;
    }
    out->len++;
    out->blanks++;
}

static void put_string(struct out *out, const char *text)
{
    put_word(out, text, strlen(text));
}

/* Writes text with its blanks and a backslash before each character of `special`. */
static void put_text(struct out *out, struct ar_text text, const char *special)
{
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (ar_is((unsigned char)c, AR_C_BLANK)) {
            put_word(out, text.ptr + start, i - start);
            put_blank(out, c);
            start = i + 1;
        } else if (c == '\\' || c == special[0] || c == special[1]) {
            put_word(out, text.ptr + start, i - start);
            put_word(out, "\\", 1);
            start = i;
        }
    }
    put_word(out, text.ptr + start, text.len - start);
}

static void put_value(struct out *out, struct ar_text text, enum ar_form form)
{
    if (form == AR_FORM_PLAIN) {
        /* Only a quoted local part has blanks here; it carries its own escapes. */
        for (size_t i = 0, start = 0; i <= text.len; i++) {
            if (i < text.len && !ar_is((unsigned char)text.ptr[i], AR_C_BLANK))
                continue;
            put_word(out, text.ptr + start, i - start);
            if (i < text.len)
                put_blank(out, text.ptr[i]);
            start = i + 1;
        }
        return;
    }
    put_word(out, "\"", 1);
    put_text(out, text, "\"\"");
    put_word(out, "\"", 1);
}

static void put_number(struct out *out, long number)
{
    char digits[24];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put_word(out, digits + at, sizeof(digits) - at);
}

static void put_comment(struct out *out, const struct ar_comment *comment)
{
    if (comment->place != AR_BEFORE_ID)
        put_blank(out, ' ');
    put_word(out, "(", 1);
    put_text(out, comment->text, "()");
    put_word(out, ")", 1);
    if (comment->place == AR_BEFORE_ID)
        put_blank(out, ' ');
}

/* Writes the comments that belong to one place. */
static void put_comments(struct out *out, const struct ar_list *list, enum ar_place place)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct ar_comment *comment = list->items[i];
        if (comment->place == place)
            put_comment(out, comment);
    }
}

/*
 * Writes the comments of property number `property`. They lie in the order of their
 * properties, so that `*next` passes over the list once for all properties together.
 */
static void put_property_comments(struct out *out, const struct ar_list *list, size_t property,
                                  size_t *next)
{
    for (; *next < list->count; (*next)++) {
        const struct ar_comment *comment = list->items[*next];
        if (comment->place != AR_AFTER_PROPERTY)
            continue;
        if (comment->property > property)
            return;
        put_comment(out, comment);
    }
}

static void put_property(struct out *out, const struct ar_property *property)
{
    put_blank(out, ' ');
    put_string(out, property->ptype);
    put_word(out, ".", 1);
    put_string(out, property->name);
    put_word(out, "=", 1);
    put_value(out, property->value, property->form);
}

static void put_result(struct out *out, const struct ar_result *result)
{
    size_t next_comment = 0;

    put_word(out, ";", 1);
    put_comments(out, &result->comments, AR_BEFORE_METHOD);
    put_blank(out, ' ');
    if (out->buf != NULL && out->line_per_result && out->break_at != NOWHERE)
        fold(out);
    put_string(out, result->method);
    if (result->method_version >= 0) {
        put_word(out, "/", 1);
        put_number(out, result->method_version);
    }
    put_word(out, "=", 1);
    put_string(out, result->word);
    put_comments(out, &result->comments, AR_AFTER_RESULT);
    if (result->reason.ptr != NULL) {
        put_blank(out, ' ');
        put_word(out, "reason=", 7);
        put_value(out, result->reason, AR_FORM_QUOTED);
        put_comments(out, &result->comments, AR_AFTER_REASON);
    }
    for (size_t i = 0; i < result->properties.count; i++) {
        put_property(out, result->properties.items[i]);
        put_property_comments(out, &result->comments, i, &next_comment);
    }
}

static void put_header(struct out *out, const struct ar_header *header)
{
    if (header->instance > 0) {
        put_word(out, "i=", 2);
        put_number(out, (long)header->instance);
        put_word(out, ";", 1);
        put_blank(out, ' ');
    }
    put_comments(out, &header->comments, AR_BEFORE_ID);
    put_value(out, header->id, header->id_form);
    put_comments(out, &header->comments, AR_AFTER_ID);
    if (header->version >= 0) {
        put_blank(out, ' ');
        put_number(out, header->version);
        put_comments(out, &header->comments, AR_AFTER_VERSION);
    }
    for (size_t i = 0; i < header->results.count; i++)
        put_result(out, header->results.items[i]);
    if (header->results.count == 0) {
        put_word(out, ";", 1);
        put_blank(out, ' ');
        put_word(out, "none", 4);
        put_comments(out, &header->comments, AR_AFTER_NONE);
    }
}

/* Tells whether all names are Keywords; only a lenient reader takes others. */
static bool can_name(const struct ar_header *header)
{
    for (size_t i = 0; i < header->results.count; i++) {
        const struct ar_result *result = header->results.items[i];
        if (!ar_is_keyword(result->method, strlen(result->method)) ||
            !ar_is_keyword(result->word, strlen(result->word)))
            return false;
        for (size_t k = 0; k < result->properties.count; k++) {
            const struct ar_property *property = result->properties.items[k];
            if (!ar_is_keyword(property->ptype, strlen(property->ptype)) ||
                !ar_is_keyword(property->name, strlen(property->name)))
                return false;
        }
    }
    return true;
}

/* Takes the caller's layout or the defaults. Returns: false when the newline is none. */
static bool lay_out(struct out *out, const struct ar_header *header,
                    const struct ar_format *options)
{
    struct ar_format use = {.name_len = header->instance > 0 ? ARC_NAME_LEN : NAME_LEN};

    if (options != NULL)
        use = *options;
    *out = (struct out){.newline = use.newline == NULL ? "\n" : use.newline,
                        .width = use.width == 0 ? DEFAULT_WIDTH : use.width,
                        .max_line = use.max_line == 0 ? AR_LINE_MAX : use.max_line,
                        .column = use.name_len,
                        .break_at = NOWHERE};
    if (out->max_line > AR_LINE_MAX)
        out->max_line = AR_LINE_MAX;
    if (out->width > out->max_line)
        out->width = out->max_line;
    out->newline_len = strlen(out->newline);
    return strcmp(out->newline, "\n") == 0 || strcmp(out->newline, "\r\n") == 0;
}

enum ar_status ar_header_format(const struct ar_header *header, const struct ar_format *options,
                                char **out, size_t *out_len)
{
    struct out measure, write;

    if (header->id.ptr == NULL)
        return AR_NO_ID;
    if (header->forgiven_count > 0 && !can_name(header))
        return AR_BAD_TOKEN;
    if (!lay_out(&measure, header, options))
        return AR_BAD_VALUE;
    write = measure;
    if (write.column > write.max_line)
        return AR_TOO_LONG;
    put_header(&measure, header);
    /* Bounded by the header's own memory: blanks cannot be more than octets. */
    size_t size = measure.len + measure.blanks * write.newline_len + 1;
    write.buf = header->allocator.alloc(header->allocator.user, size);
    if (write.buf == NULL)
        return AR_NO_MEMORY;
    write.line_per_result = write.column + measure.len > write.width;
    put_header(&write, header);
    write.buf[write.len] = '\0';
    if (write.too_long) {
        ar_free(&header->allocator, write.buf);
        return AR_TOO_LONG;
    }
    *out = write.buf;
    if (out_len != NULL)
        *out_len = write.len;
    return AR_OK;
}
