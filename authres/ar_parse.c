#include "authres/ar_chars.h"
#include "authres/ar_lex.h"

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue; the ptype has been read. */
static bool read_property(struct ar_lex *lex, struct ar_result *result, struct ar_text ptype)
{
    struct ar_text name, value, ptype_copy, name_copy;

    if (!ar_lex_expect(lex, '.', "a dot between ptype and property") ||
        !ar_lex_keyword(lex, &name, "a property name") || !ar_lex_cfws(lex) ||
        !ar_lex_expect(lex, '=', "an equals sign after the property") ||
        !ar_lex_pvalue(lex, &value))
        return false;
    if (!ar_copy(lex->header, ptype.ptr, ptype.len, &ptype_copy) ||
        !ar_copy(lex->header, name.ptr, name.len, &name_copy))
        return ar_lex_fail(lex, AR_NO_MEMORY, lex->pos, "more memory");
    enum ar_form form =
        ar_is_plain_pvalue(value.ptr, value.len, 2) ? AR_FORM_PLAIN : AR_FORM_QUOTED;
    if (ar_append_property(lex->header, result, ptype_copy, name_copy, value, form) != AR_OK)
        return ar_lex_fail(lex, AR_NO_MEMORY, lex->pos, "more memory");
    lex->place = AR_AFTER_PROPERTY;
    lex->property = result->properties.count - 1;
    return true;
}

/* [ CFWS reasonspec ] [ CFWS 1*propspec ], up to the next semicolon or the end. */
static bool read_details(struct ar_lex *lex, struct ar_result *result)
{
    struct ar_text word;

    for (;;) {
        if (!ar_lex_cfws(lex))
            return false;
        int c = ar_lex_peek(lex);
        if (c == -1 || c == ';')
            return true;
        /* Between properties the blank belongs to pvalue, where it is optional. */
        if (!lex->skipped && result->properties.count == 0)
            return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a blank or a semicolon");
        bool first = result->reason.ptr == NULL && result->properties.count == 0;
        if (!ar_lex_keyword(lex, &word,
                            first ? "a reason, a property or a semicolon"
                                  : "a property or a semicolon") ||
            !ar_lex_cfws(lex))
            return false;
        if (first && ar_lex_peek(lex) == '=' && ar_keyword_is(word.ptr, word.len, "reason")) {
            if (!ar_lex_expect(lex, '=', "an equals sign") ||
                !ar_lex_value(lex, false, &result->reason, "the reason"))
                return false;
            lex->place = result->last = AR_AFTER_REASON;
        } else if (!read_property(lex, result, word))
            return false;
    }
}

/* The word "none" has been read: it stands alone. */
static bool end_none(struct ar_lex *lex)
{
    struct ar_list *comments = lex->comments;

    if (lex->pos < lex->len)
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "the end after \"none\"");
    for (size_t i = 0; i < comments->count; i++) {
        struct ar_comment *comment = comments->items[i];
        comment->place = AR_AFTER_NONE;
        if (!ar_list_push(lex->header, &lex->header->comments, comment))
            return ar_lex_fail(lex, AR_NO_MEMORY, lex->pos, "more memory");
    }
    return true;
}

/* [CFWS] ";" methodspec and its details, or [CFWS] ";" [CFWS] "none". */
static bool read_result(struct ar_lex *lex)
{
    struct ar_list early = {NULL, 0, 0}; /* comments read before their result exists */
    struct ar_text method, word;
    long version = -1;

    lex->comments = &early;
    lex->place = AR_BEFORE_METHOD;
    lex->property = 0;
    bool first = lex->header->results.count == 0;
    if (!ar_lex_expect(lex, ';', "a semicolon") ||
        !ar_lex_keyword(lex, &method, first ? "a method or \"none\"" : "a method"))
        return false;
    lex->place = AR_AFTER_RESULT;
    if (!ar_lex_cfws(lex))
        return false;
    int next = ar_lex_peek(lex);
    if (first && next != '=' && next != '/' && ar_keyword_is(method.ptr, method.len, "none"))
        return end_none(lex);
    if (next == '/' &&
        !(ar_lex_expect(lex, '/', "a slash") && ar_lex_version(lex, &version) && ar_lex_cfws(lex)))
        return false;
    if (!ar_lex_expect(lex, '=', "an equals sign after the method") ||
        !ar_lex_keyword(lex, &word, "a result"))
        return false;
    struct ar_result *result =
        ar_append_result(lex->header, method.ptr, method.len, word.ptr, word.len);
    if (result == NULL)
        return ar_lex_fail(lex, AR_NO_MEMORY, lex->pos, "more memory");
    result->method_version = version;
    result->comments = early;
    lex->comments = &result->comments;
    return read_details(lex, result);
}

static bool read_header(struct ar_lex *lex)
{
    struct ar_header *header = lex->header;

    if (!ar_lex_cfws(lex) || !ar_lex_value(lex, true, &header->id, "an authserv-id"))
        return false;
    header->id_form = ar_is_token(header->id.ptr, header->id.len) ? AR_FORM_PLAIN : AR_FORM_QUOTED;
    lex->place = AR_AFTER_ID;
    if (!ar_lex_cfws(lex))
        return false;
    int next = ar_lex_peek(lex);
    if (lex->skipped && next != -1 && ar_is((unsigned char)next, AR_C_DIGIT)) {
        lex->place = AR_AFTER_VERSION;
        if (!ar_lex_version(lex, &header->version) || !ar_lex_cfws(lex))
            return false;
    }
    do
        if (!read_result(lex))
            return false;
    while (lex->pos < lex->len);
    return true;
}

struct ar_header *ar_header_parse(const struct ar_allocator *allocator, const char *value,
                                  size_t len, const struct ar_parse_options *options,
                                  struct ar_parse_error *error)
{
    size_t max_len = options == NULL || options->max_len == 0 ? AR_PARSE_MAX : options->max_len;
    struct ar_lex lex = {.text = value, .len = len, .place = AR_BEFORE_ID};
    bool done = false;

    if (len > max_len)
        ar_lex_fail(&lex, AR_TOO_LONG, max_len, "the end of the field");
    else if ((lex.header = ar_header_new(allocator)) == NULL)
        ar_lex_fail(&lex, AR_NO_MEMORY, 0, "more memory");
    else {
        lex.header->utf8 = true;
        lex.comments = &lex.header->comments;
        done = read_header(&lex);
    }
    if (error != NULL)
        *error = lex.error;
    if (done)
        return lex.header;
    ar_header_free(lex.header);
    return NULL;
}
