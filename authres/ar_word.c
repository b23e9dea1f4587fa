#include "authres/ar_chars.h"
#include "authres/ar_lenient.h"

/* The words of a field: names, numbers and values. */

bool ar_lex_expect(struct ar_lex *lex, char octet, const char *expected)
{
    if (ar_lex_peek(lex) != octet)
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, expected);
    lex->pos++;
    return ar_lex_cfws(lex);
}

bool ar_lex_name(struct ar_lex *lex, unsigned classes, struct ar_text *out, const char *expected)
{
    size_t start = lex->pos;

    if (!ar_lex_run(lex, lex->lenient ? classes : AR_C_KEYWORD, lex->lenient))
        return false;
    *out = (struct ar_text){lex->text + start, lex->pos - start};
    if (ar_is_keyword(out->ptr, out->len))
        return true;
    if (out->len == 0 || !ar_forgive(lex, AR_PARDON_NAME_FORM, start))
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, expected);
    return ar_lex_keep(lex, start, lex->pos, false, out);
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

/* value = token / quoted-string (RFC 2045 section 5.1) */
static bool read_value(struct ar_lex *lex, bool utf8, struct ar_text *out, const char *expected)
{
    size_t start = lex->pos, end;

    if (ar_lex_peek(lex) == '"')
        return ar_lex_quoted(lex, &end) && ar_lex_keep(lex, start + 1, end, true, out);
    if (!ar_lex_run(lex, AR_C_TOKEN, utf8))
        return false;
    if (lex->pos == start)
        return ar_lex_fail(lex, AR_SYNTAX, start, expected);
    return ar_lex_keep(lex, start, lex->pos, false, out);
}

/*
 * What an authserv-id has directly behind it belongs to it: who reads "mx.example.org:25"
 * or "mx.example.org".evil.example does not read mx.example.org.
 */
bool ar_lex_id(struct ar_lex *lex, struct ar_text *out, const char *expected)
{
    size_t start = lex->pos;
    struct ar_mark mark = ar_mark(lex);

    bool good = read_value(lex, true, out, expected);
    if (!good && !ar_recover(lex, mark))
        return false;
    size_t end = lex->pos;
    if (!lex->lenient)
        return true;
    if (!ar_skip_id(lex))
        return false;
    if (good && lex->pos == end)
        return true;
    if (lex->pos == start)
        return ar_lex_fail(lex, AR_SYNTAX, start, expected);
    return ar_forgive(lex, AR_PARDON_ID_FORM, start) &&
           ar_lex_keep(lex, start, lex->pos, false, out);
}

/* Reads the rest of a value that is none by the grammar. */
static bool read_odd_value(struct ar_lex *lex, size_t start, bool may_be_property,
                           struct ar_text *out)
{
    struct ar_mark mark = ar_mark(lex);

    if (!ar_lex_run(lex, AR_C_WORD, true))
        return false;
    /* "a.b= c.d=e": the first value is missing. */
    if (may_be_property && ar_begins_property(lex, start)) {
        lex->pos = start;
        ar_forget(lex, mark);
    }
    return ar_forgive(lex, lex->pos == start ? AR_PARDON_EMPTY_VALUE : AR_PARDON_VALUE_FORM,
                      start) &&
           ar_lex_keep(lex, start, lex->pos, false, out);
}

bool ar_lex_reason(struct ar_lex *lex, struct ar_text *out)
{
    size_t start = lex->pos;
    bool after_blank = !ar_lex_is_adjacent(lex), quoted = ar_lex_peek(lex) == '"';
    struct ar_mark mark = ar_mark(lex);

    bool good = read_value(lex, false, out, "the reason");
    if (!good && !ar_recover(lex, mark))
        return false;
    return (good && (quoted || !ar_goes_on(lex))) || read_odd_value(lex, start, after_blank, out);
}

/* Passes what stands for a value outside quotes: a token, a domain name, an address. */
static bool pass_pvalue(struct ar_lex *lex, size_t start)
{
    if (ar_lex_peek(lex) != '@')
        return ar_is_plain_pvalue(lex->text + start, lex->pos - start) ||
               ar_lex_fail(lex, AR_SYNTAX, start, "a value: token, quoted string or address");
    size_t domain = ++lex->pos;
    if (!ar_lex_run(lex, AR_C_TOKEN, true))
        return false;
    if (!ar_is_domain(lex->text + domain, lex->pos - domain))
        return ar_lex_fail(lex, AR_SYNTAX, domain, "a domain name");
    if (lex->text[start] != '"' && domain - 1 > start &&
        !ar_is_local_part(lex->text + start, domain - 1 - start))
        return ar_lex_fail(lex, AR_SYNTAX, start, "a local part");
    return true;
}

bool ar_lex_pvalue(struct ar_lex *lex, struct ar_text *out)
{
    size_t start = lex->pos, end;
    bool after_blank = !ar_lex_is_adjacent(lex), quoted = ar_lex_peek(lex) == '"';

    if (quoted) {
        if (!ar_lex_quoted(lex, &end))
            return false;
        if (ar_lex_peek(lex) != '@')
            return ar_lex_keep(lex, start + 1, end, true, out);
    } else if (!ar_lex_run(lex, AR_C_TOKEN | AR_C_ATEXT, true))
        return false;
    struct ar_mark mark = ar_mark(lex);
    bool good = pass_pvalue(lex, start);
    if (!good && !ar_recover(lex, mark))
        return false;
    if (!good || ar_goes_on(lex))
        return read_odd_value(lex, start, after_blank && !quoted, out);
    return ar_lex_keep(lex, start, lex->pos, false, out);
}
