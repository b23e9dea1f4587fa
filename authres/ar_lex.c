#include "authres/ar_lex.h"

#include "authres/ar_chars.h"
#include "authres/ar_lenient.h"

bool ar_lex_fail(struct ar_lex *lex, enum ar_status status, size_t offset, const char *expected)
{
    if (lex->error.status == AR_OK)
        lex->error = (struct ar_parse_error){status, offset, expected};
    return false;
}

bool ar_lex_is_adjacent(const struct ar_lex *lex)
{
    return lex->blank_end != lex->pos;
}

/*
 * Passes a line end inside the field. One at the very end is the field's own.
 * Returns: false when no blank follows, so that the line does not continue.
 */
static bool pass_fold(struct ar_lex *lex)
{
    size_t start = lex->pos, next = start;

    if (lex->text[next] == '\r')
        next++;
    if (next == lex->len || lex->text[next] != '\n') {
        lex->pos++;
        return ar_forgive(lex, AR_PARDON_LINE_END, start) ||
               ar_lex_fail(lex, AR_SYNTAX, start, "a line feed after a carriage return");
    }
    next++;
    lex->pos = next;
    return next == lex->len || ar_is((unsigned char)lex->text[next], AR_C_BLANK) ||
           ar_forgive(lex, AR_PARDON_LINE_END, start) ||
           ar_lex_fail(lex, AR_SYNTAX, next, "a blank after a line end");
}

bool ar_lex_character(struct ar_lex *lex)
{
    unsigned char c = (unsigned char)lex->text[lex->pos];
    uint32_t code = c;
    size_t start = lex->pos, step = 1;

    if (c == '\r' || c == '\n')
        return pass_fold(lex);
    if (c >= 0x80)
        step = ar_utf8_read(lex->text + start, lex->len - start, &code);
    lex->pos += step == 0 ? 1 : step;
    if (step == 0)
        return ar_forgive_run(lex, AR_PARDON_ENCODING, start, lex->pos) ||
               ar_lex_fail(lex, AR_SYNTAX, start, "well-formed UTF-8");
    return !ar_is_control(code) || ar_forgive_run(lex, AR_PARDON_CONTROL, start, lex->pos) ||
           ar_lex_fail(lex, AR_SYNTAX, start, "text without control characters");
}

bool ar_lex_run(struct ar_lex *lex, unsigned classes, bool utf8)
{
    for (int c = ar_lex_peek(lex); c != -1; c = ar_lex_peek(lex)) {
        if (ar_is((unsigned char)c, classes))
            lex->pos++;
        else if (!utf8 || c < 0x80 || (lex->lenient && ar_control_at(lex) > 0))
            break;
        else if (!ar_lex_character(lex))
            return false;
    }
    return true;
}

/* Passes a backslash and the character it protects. */
static bool pass_pair(struct ar_lex *lex)
{
    lex->pos++;
    int c = ar_lex_peek(lex);
    if (c == -1 || c == '\r' || c == '\n')
        return ar_forgive(lex, AR_PARDON_STRAY, lex->pos - 1) ||
               ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a character after the backslash");
    return ar_lex_character(lex);
}

bool ar_lex_keep(struct ar_lex *lex, size_t start, size_t end, bool resolve, struct ar_text *out)
{
    if (lex->lenient)
        return ar_keep_clean(lex, start, end, resolve, out);
    char *copy = ar_take_text(lex->header, end - start + 1);
    size_t len = 0;

    if (copy == NULL)
        return ar_lex_fail(lex, AR_NO_MEMORY, start, "more memory");
    for (size_t i = start; i < end; i++) {
        char c = lex->text[i];
        if (c == '\r' || c == '\n')
            continue;
        if (resolve && c == '\\')
            c = lex->text[++i];
        copy[len++] = c;
    }
    copy[len] = '\0';
    *out = (struct ar_text){copy, len};
    return true;
}

/* Passes a comment with those inside it; the depth is a number, not a stack. */
static bool pass_comment(struct ar_lex *lex, size_t *end)
{
    size_t start = lex->pos, depth = 0;

    do {
        int c = ar_lex_peek(lex);
        if (c == -1) {
            *end = lex->pos;
            return ar_forgive(lex, AR_PARDON_OPEN_COMMENT, start) ||
                   ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a closing parenthesis");
        }
        if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        if (c == '\\' ? !pass_pair(lex) : !ar_lex_character(lex))
            return false;
    } while (depth > 0);
    *end = lex->pos - 1;
    return true;
}

static bool read_comment(struct ar_lex *lex)
{
    size_t start = lex->pos + 1, end;
    struct ar_text text;

    if (!pass_comment(lex, &end) || !ar_lex_keep(lex, start, end, true, &text))
        return false;
    struct ar_comment *comment = ar_take(lex->header, sizeof(*comment));
    if (comment == NULL || !ar_list_push(lex->header, lex->comments, comment))
        return ar_lex_fail(lex, AR_NO_MEMORY, start, "more memory");
    *comment = (struct ar_comment){text, lex->place, lex->property};
    return true;
}

/* Passes what a lenient reader takes for a blank; `*passed` tells whether there was any. */
static bool pass_odd_blank(struct ar_lex *lex, bool *passed)
{
    bool parenthesis = lex->lenient && ar_lex_peek(lex) == ')';
    size_t start = lex->pos, step = parenthesis ? 1 : lex->lenient ? ar_control_at(lex) : 0;

    *passed = step > 0;
    if (step == 0)
        return true;
    lex->pos += step;
    return ar_forgive_run(lex, parenthesis ? AR_PARDON_STRAY : AR_PARDON_CONTROL, start, lex->pos);
}

bool ar_lex_cfws(struct ar_lex *lex)
{
    size_t start = lex->pos;

    for (bool more = true; more;) {
        int c = ar_lex_peek(lex);
        bool done = true;
        if (c == ' ' || c == '\t')
            lex->pos++;
        else if (c == '\r' || c == '\n')
            done = pass_fold(lex);
        else if (c == '(')
            done = read_comment(lex);
        else
            done = pass_odd_blank(lex, &more);
        if (!done)
            return false;
    }
    if (lex->pos > start)
        lex->blank_end = lex->pos;
    return true;
}

bool ar_lex_quoted(struct ar_lex *lex, size_t *end)
{
    size_t start = lex->pos++;

    for (;;) {
        int c = ar_lex_peek(lex);
        *end = lex->pos;
        if (c == -1)
            return ar_forgive(lex, AR_PARDON_OPEN_QUOTE, start) ||
                   ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a closing quote");
        if (c == '"')
            break;
        if (c == '\\' ? !pass_pair(lex) : !ar_lex_character(lex))
            return false;
    }
    lex->pos++;
    return true;
}
