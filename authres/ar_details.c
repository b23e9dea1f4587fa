#include "authres/ar_details.h"

#include "authres/ar_chars.h"
#include "authres/ar_lenient.h"

/* What stands behind a result word: reason and properties. */

static bool no_memory(struct ar_lex *lex)
{
    return ar_lex_fail(lex, AR_NO_MEMORY, lex->pos, "more memory");
}

/* Notes a property that its method's registration does not know. */
static bool check_registration(struct ar_lex *lex, const struct ar_result *result,
                               struct ar_text ptype, struct ar_text name, size_t start)
{
    if (!lex->lenient || !ar_is_keyword(ptype.ptr, ptype.len) ||
        !ar_is_keyword(name.ptr, name.len) || ar_registry_find(result->method) == NULL ||
        ar_registry_property(result->method, ptype.ptr, name.ptr) != AR_UNREGISTERED)
        return true;
    return ar_forgive(lex, AR_PARDON_UNREGISTERED, start);
}

/* "=" pvalue, behind a name that begins at `start`; the ptype may be empty. */
static bool read_assignment(struct ar_lex *lex, struct ar_result *result, struct ar_text ptype,
                            struct ar_text name, size_t start)
{
    struct ar_text value, ptype_copy, name_copy;

    if (!ar_lex_expect(lex, '=', "an equals sign after the property"))
        return false;
    if (!ar_copy(lex->header, ptype.ptr, ptype.len, &ptype_copy) ||
        !ar_copy(lex->header, name.ptr, name.len, &name_copy))
        return no_memory(lex);
    if (!check_registration(lex, result, ptype_copy, name_copy, start) ||
        !ar_lex_pvalue(lex, &value))
        return false;
    enum ar_form form = ar_is_best_plain(value.ptr, value.len) ? AR_FORM_PLAIN : AR_FORM_QUOTED;
    if (ar_append_property(lex->header, result, ptype_copy, name_copy, value, form) != AR_OK)
        return no_memory(lex);
    lex->place = AR_AFTER_PROPERTY;
    lex->property = result->properties.count - 1;
    return true;
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue; the ptype has been read. */
static bool read_property(struct ar_lex *lex, struct ar_result *result, struct ar_text ptype,
                          size_t start)
{
    struct ar_text name;

    return ar_lex_expect(lex, '.', "a dot between ptype and property") &&
           ar_lex_name(lex, AR_C_TOKEN, &name, "a property name") && ar_lex_cfws(lex) &&
           read_assignment(lex, result, ptype, name, start);
}

/* reasonspec = "reason" [CFWS] "=" [CFWS] value; its first word has been read. */
static bool read_reason(struct ar_lex *lex, struct ar_result *result)
{
    if (!ar_lex_expect(lex, '=', "an equals sign") || !ar_lex_reason(lex, &result->reason))
        return false;
    lex->place = result->last = AR_AFTER_REASON;
    return true;
}

/* A word with an equals sign instead of a dot behind it, where no reason belongs. */
static bool read_untyped(struct ar_lex *lex, struct ar_result *result, struct ar_text word,
                         size_t start)
{
    static const struct ar_text nothing = {"", 0};
    bool reason = ar_keyword_is(word.ptr, word.len, "reason");

    if (!ar_forgive(lex, reason ? AR_PARDON_REASON : AR_PARDON_NO_PTYPE, start))
        return false;
    if (reason && result->reason.ptr == NULL)
        return read_reason(lex, result);
    return read_assignment(lex, result, nothing, word, start);
}

/* One reason or property, after CFWS. */
static bool read_detail(struct ar_lex *lex, struct ar_result *result)
{
    bool first = result->reason.ptr == NULL && result->properties.count == 0;
    size_t start = lex->pos;
    struct ar_text word;

    /* Between properties the blank belongs to pvalue, where it is optional. */
    if (ar_lex_is_adjacent(lex) && result->properties.count == 0 &&
        !ar_forgive(lex, AR_PARDON_NO_BLANK, start))
        return ar_lex_fail(lex, AR_SYNTAX, start, "a blank or a semicolon");
    if (!ar_lex_name(lex, AR_C_NAME, &word,
                     first ? "a reason, a property or a semicolon" : "a property or a semicolon") ||
        !ar_lex_cfws(lex))
        return false;
    if (ar_lex_peek(lex) == '=') {
        if (first && ar_keyword_is(word.ptr, word.len, "reason"))
            return read_reason(lex, result);
        if (lex->lenient)
            return read_untyped(lex, result, word, start);
    }
    return read_property(lex, result, word, start);
}

/* Goes on behind something that is neither reason nor property. */
static bool pass_stray(struct ar_lex *lex, struct ar_mark mark, size_t start)
{
    if (!ar_recover(lex, mark))
        return false;
    if (lex->pos == start && !ar_skip_one(lex))
        return false;
    return ar_forgive_run(lex, AR_PARDON_STRAY, start, lex->pos);
}

bool ar_read_details(struct ar_lex *lex, struct ar_result *result)
{
    for (;;) {
        if (!ar_lex_cfws(lex))
            return false;
        int c = ar_lex_peek(lex);
        if (c == -1 || c == ';')
            return true;
        size_t start = lex->pos;
        struct ar_mark mark = ar_mark(lex);
        if (!read_detail(lex, result) && !pass_stray(lex, mark, start))
            return false;
    }
}
