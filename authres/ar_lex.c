#include "authres/ar_lex.h"

#include "authres/ar_chars.h"

bool ar_lex_fail(struct ar_lex *lex, enum ar_status status, size_t offset, const char *expected)
{
    if (lex->error.status == AR_OK)
        lex->error = (struct ar_parse_error){status, offset, expected};
    return false;
}

int ar_lex_peek(const struct ar_lex *lex)
{
    return lex->pos < lex->len ? (unsigned char)lex->text[lex->pos] : -1;
}

/*
 * Passes a line end inside the field. One at the very end is the field's own.
 * Returns: false when no blank follows, so that the line does not continue.
 */
static bool pass_fold(struct ar_lex *lex)
{
    size_t next = lex->pos;

    if (lex->text[next] == '\r')
        next++;
    if (next == lex->len || lex->text[next] != '\n')
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a line feed after a carriage return");
    next++;
    if (next < lex->len && !ar_is((unsigned char)lex->text[next], AR_C_BLANK))
        return ar_lex_fail(lex, AR_SYNTAX, next, "a blank after a line end");
    lex->pos = next;
    return true;
}

/* Passes one character of a quoted string or comment, or a fold. */
static bool pass_character(struct ar_lex *lex)
{
    unsigned char c = (unsigned char)lex->text[lex->pos];
    uint32_t code = c;
    size_t step = 1;

    if (c == '\r' || c == '\n')
        return pass_fold(lex);
    if (c >= 0x80) {
        step = ar_utf8_read(lex->text + lex->pos, lex->len - lex->pos, &code);
        if (step == 0)
            return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "well-formed UTF-8");
    }
    if ((code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0))
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "text without control characters");
    lex->pos += step;
    return true;
}

/* Passes a backslash and the character it protects. */
static bool pass_pair(struct ar_lex *lex)
{
    lex->pos++;
    int c = ar_lex_peek(lex);
    if (c == -1 || c == '\r' || c == '\n')
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a character after the backslash");
    return pass_character(lex);
}

/* Copies a part of the value without its line ends and, if wanted, without its escapes. */
static bool keep(struct ar_lex *lex, size_t start, size_t end, bool resolve, struct ar_text *out)
{
    char *copy = ar_take(lex->header, end - start + 1);
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

/* Reads a comment with those inside it; the depth is a number, not a stack. */
static bool pass_comment(struct ar_lex *lex)
{
    size_t start = lex->pos + 1, depth = 0;
    struct ar_text text;

    do {
        int c = ar_lex_peek(lex);
        if (c == -1)
            return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a closing parenthesis");
        if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        if (c == '\\' ? !pass_pair(lex) : !pass_character(lex))
            return false;
    } while (depth > 0);
    if (!keep(lex, start, lex->pos - 1, true, &text))
        return false;
    struct ar_comment *comment = ar_take(lex->header, sizeof(*comment));
    if (comment == NULL || !ar_list_push(lex->header, lex->comments, comment))
        return ar_lex_fail(lex, AR_NO_MEMORY, start, "more memory");
    *comment = (struct ar_comment){text, lex->place, lex->property};
    return true;
}

bool ar_lex_cfws(struct ar_lex *lex)
{
    size_t start = lex->pos;

    for (;;) {
        int c = ar_lex_peek(lex);
        if (c == ' ' || c == '\t')
            lex->pos++;
        else if (c == '\r' || c == '\n') {
            if (!pass_fold(lex))
                return false;
        } else if (c == '(') {
            if (!pass_comment(lex))
                return false;
        } else
            break;
    }
    lex->skipped = lex->pos > start;
    return true;
}

bool ar_lex_expect(struct ar_lex *lex, char octet, const char *expected)
{
    if (ar_lex_peek(lex) != octet)
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, expected);
    lex->pos++;
    return ar_lex_cfws(lex);
}

bool ar_lex_keyword(struct ar_lex *lex, struct ar_text *out, const char *expected)
{
    size_t start = lex->pos;

    while (lex->pos < lex->len && ar_is((unsigned char)lex->text[lex->pos], AR_C_KEYWORD))
        lex->pos++;
    *out = (struct ar_text){lex->text + start, lex->pos - start};
    if (!ar_is_keyword(out->ptr, out->len))
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, expected);
    return true;
}

bool ar_lex_version(struct ar_lex *lex, long *out)
{
    size_t start = lex->pos;
    long version = 0;

    while (lex->pos < lex->len && ar_is((unsigned char)lex->text[lex->pos], AR_C_DIGIT)) {
        if (lex->pos - start == 9)
            return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a version of at most nine digits");
        version = version * 10 + (lex->text[lex->pos++] - '0');
    }
    if (lex->pos == start)
        return ar_lex_fail(lex, AR_SYNTAX, start, "a version number");
    *out = version;
    return true;
}

/* Passes a quoted string, both quotes included. */
static bool pass_quoted(struct ar_lex *lex)
{
    lex->pos++;
    for (;;) {
        int c = ar_lex_peek(lex);
        if (c == -1)
            return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a closing quote");
        if (c == '"')
            break;
        if (c == '\\' ? !pass_pair(lex) : !pass_character(lex))
            return false;
    }
    lex->pos++;
    return true;
}

/* Passes octets of the given classes and, when `utf8`, well-formed UTF-8. */
static bool pass_run(struct ar_lex *lex, unsigned classes, bool utf8)
{
    for (int c = ar_lex_peek(lex); c != -1; c = ar_lex_peek(lex)) {
        if (ar_is((unsigned char)c, classes))
            lex->pos++;
        else if (!utf8 || c < 0x80)
            break;
        else if (!pass_character(lex))
            return false;
    }
    return true;
}

bool ar_lex_value(struct ar_lex *lex, bool utf8, struct ar_text *out, const char *expected)
{
    size_t start = lex->pos;

    if (ar_lex_peek(lex) == '"')
        return pass_quoted(lex) && keep(lex, start + 1, lex->pos - 1, true, out);
    if (!pass_run(lex, AR_C_TOKEN, utf8))
        return false;
    if (lex->pos == start)
        return ar_lex_fail(lex, AR_SYNTAX, start, expected);
    return keep(lex, start, lex->pos, false, out);
}

bool ar_lex_pvalue(struct ar_lex *lex, struct ar_text *out)
{
    size_t start = lex->pos;

    if (ar_lex_peek(lex) == '"') {
        if (!pass_quoted(lex))
            return false;
        if (ar_lex_peek(lex) != '@')
            return keep(lex, start + 1, lex->pos - 1, true, out);
    } else if (!pass_run(lex, AR_C_TOKEN | AR_C_ATEXT, true))
        return false;
    if (ar_lex_peek(lex) == '@') {
        size_t domain = ++lex->pos;
        if (!pass_run(lex, AR_C_TOKEN, true))
            return false;
        /* The grammar wants two labels; "user@localhost" does no harm to a reader. */
        if (!ar_is_domain(lex->text + domain, lex->pos - domain, 1))
            return ar_lex_fail(lex, AR_SYNTAX, domain, "a domain name");
        if (lex->text[start] != '"' && domain - 1 > start &&
            !ar_is_local_part(lex->text + start, domain - 1 - start))
            return ar_lex_fail(lex, AR_SYNTAX, start, "a local part");
    } else if (!ar_is_plain_pvalue(lex->text + start, lex->pos - start, 1))
        return ar_lex_fail(lex, AR_SYNTAX, start, "a value: token, quoted string or address");
    return keep(lex, start, lex->pos, false, out);
}
