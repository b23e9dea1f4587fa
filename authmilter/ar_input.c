#include "authmilter/ar_input.h"

#define BLANKS " \t"
#define DIGITS "0123456789"
/* No field of mail has these in its name, values do (RFC 5322 section 3.6.8 would allow them). */
#define NOT_IN_NAMES ":()\"/;=@"

/* The mark of UTF-8 that some editors put before the first line. */
#define MARK "\xef\xbb\xbf"
#define MARK_LEN (sizeof(MARK) - 1)

/* A field that is longer is known to be so, whatever stands before it and ends its last line. */
#define KEPT_MAX ((size_t)AR_PARSE_MAX + MARK_LEN + 2)

void ar_input_init(struct ar_input *input, FILE *file)
{
    *input = (struct ar_input){.file = file};
    am_buf_init(&input->text, KEPT_MAX);
}

void ar_input_fini(struct ar_input *input)
{
    am_buf_fini(&input->text);
}

/* Returns the offset of the first octet at or after `at` that is none of `set`. */
static size_t pass(struct am_span line, size_t at, const char *set)
{
    while (at < line.len && line.ptr[at] != '\0' && strchr(set, line.ptr[at]) != NULL)
        at++;
    return at;
}

/* "25;" or ":db8::1 1 ;": what follows the first colon of an authserv-id that holds one. */
static bool goes_on_as_id(struct am_span line, size_t at)
{
    size_t end = pass(line, at, DIGITS "abcdefABCDEF:.");
    size_t next = pass(line, pass(line, pass(line, end, BLANKS), DIGITS), BLANKS);

    return end > at && next < line.len && line.ptr[next] == ';';
}

static bool is_other_field(struct am_span line)
{
    size_t name = 0;

    while (name < line.len && line.ptr[name] > ' ' && line.ptr[name] <= '~' &&
           strchr(NOT_IN_NAMES, line.ptr[name]) == NULL)
        name++;
    size_t colon = pass(line, name, BLANKS);
    return name > 0 && colon < line.len && line.ptr[colon] == ':' &&
           !goes_on_as_id(line, colon + 1);
}

static bool is_mailbox_separator(struct am_span line)
{
    static const char from[] = "From ";

    return line.len >= sizeof(from) - 1 && memcmp(line.ptr, from, sizeof(from) - 1) == 0 &&
           am_span_find(line, ';') == line.len;
}

static bool is_passed_over(const struct ar_input *input, struct am_span line)
{
    size_t value;

    if (ar_field_kind(line.ptr, line.len, &value) != AR_KIND_ANY)
        return false;
    return is_other_field(line) || (input->line == 1 && is_mailbox_separator(line));
}

static int peek(FILE *file)
{
    int c = getc(file);

    return c == EOF ? EOF : ungetc(c, file);
}

/* Reads to the end of the line, which is kept in the text if wanted and as far as there is room. */
static void read_line(struct ar_input *input, bool keep)
{
    int c;

    input->line++;
    while ((c = getc(input->file)) != EOF) {
        if (keep && input->text.len < KEPT_MAX)
            am_buf_add_char(&input->text, (char)c);
        else
            input->cut = input->cut || keep;
        if (c == '\n')
            return;
    }
}

static struct am_span without_line_end(struct am_span text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
        if (text.len > 0 && text.ptr[text.len - 1] == '\r')
            text.len--;
    }
    return text;
}

/* Returns what has been read of the field, without a mark before it and its last line end. */
static struct am_span field_text(const struct ar_input *input)
{
    struct am_span text = am_buf_span(&input->text);

    if (input->marked)
        text = am_span_of(text.ptr + MARK_LEN, text.len - MARK_LEN);
    return without_line_end(text);
}

/* Reads an unindented line and the indented ones after it; `*kept` tells whether to hand it out. */
static void read_field(struct ar_input *input, bool *kept)
{
    am_buf_clear(&input->text);
    input->cut = false;
    read_line(input, true);
    struct am_span text = am_buf_span(&input->text);
    input->marked =
        input->line == 1 && text.len >= MARK_LEN && memcmp(text.ptr, MARK, MARK_LEN) == 0;
    struct am_span line = field_text(input);
    *kept = !is_passed_over(input, line);
    input->ended = line.len == 0;
    if (input->ended)
        return;
    for (int c = peek(input->file); c == ' ' || c == '\t'; c = peek(input->file))
        read_line(input, *kept);
}

enum ar_input_status ar_input_next(struct ar_input *input, struct ar_field *field)
{
    bool kept = false;

    while (!kept) {
        if (input->ended || peek(input->file) == EOF)
            return ferror(input->file) ? AR_INPUT_UNREADABLE : AR_INPUT_END;
        field->line = input->line + 1;
        read_field(input, &kept);
        if (ferror(input->file))
            return AR_INPUT_UNREADABLE;
        if (input->text.failed)
            return AR_INPUT_NO_MEMORY;
        if (input->ended)
            return AR_INPUT_END;
    }
    field->text = field_text(input);
    field->too_long = input->cut || field->text.len > AR_PARSE_MAX;
    field->number = ++input->fields;
    return AR_INPUT_FIELD;
}
