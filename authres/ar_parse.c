#include "authres/ar_chars.h"
#include "authres/ar_details.h"
#include "authres/ar_lenient.h"
#include "authres/ar_opening.h"

static bool no_memory(struct ar_lex *lex)
{
    return ar_lex_fail(lex, AR_NO_MEMORY, lex->pos, "more memory");
}

/* Moves the early comments to where they belong when no result comes. */
static bool keep_early(struct ar_lex *lex, struct ar_list *list, enum ar_place place)
{
    struct ar_list *early = &lex->early;
    const struct ar_result *latest = ar_latest(lex->header);
    size_t property = place == AR_AFTER_PROPERTY ? latest->properties.count - 1 : 0;

    for (size_t i = 0; i < early->count; i++) {
        struct ar_comment *comment = early->items[i];
        comment->place = place;
        comment->property = property;
        if (!ar_list_push(lex->header, list, comment))
            return no_memory(lex);
    }
    *early = (struct ar_list){NULL, 0, 0};
    return true;
}

/* The word "none" has been read: it stands alone. */
static bool end_none(struct ar_lex *lex, size_t start)
{
    size_t end = lex->pos;

    if (end < lex->len && !lex->lenient)
        return ar_lex_fail(lex, AR_SYNTAX, end, "the end after \"none\"");
    if (lex->lenient && !ar_skip(lex))
        return false;
    if (lex->pos > end && !ar_forgive_run(lex, AR_PARDON_STRAY, end, lex->pos))
        return false;
    bool beside = lex->header->results.count > 0 || lex->none_at != AR_NOWHERE;
    if (beside && !ar_forgive(lex, AR_PARDON_NONE, start))
        return false;
    if (!beside)
        lex->none_at = start;
    return keep_early(lex, &lex->header->comments, AR_AFTER_NONE);
}

/* methodspec and its details, or "none", after CFWS. */
static bool read_result(struct ar_lex *lex)
{
    struct ar_text method, word;
    long version = -1;
    bool first = lex->header->results.count == 0;
    size_t start = lex->pos;

    if (!ar_lex_name(lex, AR_C_NAME, &method, first ? "a method or \"none\"" : "a method"))
        return false;
    lex->place = AR_AFTER_RESULT;
    if (!ar_lex_cfws(lex))
        return false;
    int next = ar_lex_peek(lex);
    if ((first || lex->lenient) && next != '=' && next != '/' &&
        ar_keyword_is(method.ptr, method.len, "none"))
        return end_none(lex, start);
    if (next == '/' &&
        !(ar_lex_expect(lex, '/', "a slash") && ar_lex_version(lex, &version) && ar_lex_cfws(lex)))
        return false;
    if (!ar_lex_expect(lex, '=', "an equals sign after the method") ||
        !ar_lex_name(lex, AR_C_WORD, &word, "a result"))
        return false;
    if (ar_lex_peek(lex) == '"')
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a blank or a semicolon");
    struct ar_result *result =
        ar_append_result(lex->header, method.ptr, method.len, word.ptr, word.len);
    if (result == NULL)
        return no_memory(lex);
    result->method_version = version;
    result->comments = lex->early;
    lex->early = (struct ar_list){NULL, 0, 0};
    lex->comments = &result->comments;
    return ar_read_details(lex, result);
}

/* Goes on behind what is no result, up to the next semicolon. */
static bool pass_part(struct ar_lex *lex, struct ar_mark mark, size_t start)
{
    if (!ar_recover(lex, mark) || !ar_forgive(lex, AR_PARDON_SKIPPED, start) || !ar_skip(lex))
        return false;
    lex->early = (struct ar_list){NULL, 0, 0};
    return true;
}

/* [CFWS] ";" methodspec and its details, or [CFWS] ";" [CFWS] "none"; an authserv-id that is
 * missing has no semicolon behind it. */
static bool read_part(struct ar_lex *lex, bool semicolon)
{
    size_t start = lex->pos;

    lex->comments = &lex->early;
    lex->place = AR_BEFORE_METHOD;
    lex->property = 0;
    if (semicolon && !ar_lex_expect(lex, ';', "a semicolon"))
        return false;
    int next = ar_lex_peek(lex);
    bool only = lex->header->results.count == 0 && lex->none_at == AR_NOWHERE;
    if (lex->lenient && (next == ';' || next == -1))
        return (next == -1 && only) || ar_forgive(lex, AR_PARDON_EMPTY, start);
    start = lex->pos;
    struct ar_mark mark = ar_mark(lex);
    return read_result(lex) || pass_part(lex, mark, start);
}

/* Says what was wrong with the parts together. */
static bool end_parts(struct ar_lex *lex)
{
    struct ar_header *header = lex->header;
    struct ar_result *latest = ar_latest(header);

    if (latest == NULL && lex->none_at == AR_NOWHERE) {
        if (header->id.ptr == NULL)
            return ar_lex_fail(lex, AR_SYNTAX, 0, "an authserv-id or a result");
        if (!ar_forgive(lex, AR_PARDON_NO_RESULT, lex->len))
            return false;
    }
    if (latest != NULL && lex->none_at != AR_NOWHERE &&
        !ar_forgive(lex, AR_PARDON_NONE, lex->none_at))
        return false;
    /* Comments behind the last semicolon. */
    if (latest == NULL)
        return keep_early(lex, &header->comments, AR_AFTER_NONE);
    return keep_early(lex, &latest->comments, latest->last);
}

static bool read_header(struct ar_lex *lex, enum ar_kind kind)
{
    if (!ar_read_opening(lex, kind))
        return false;
    if (lex->header->id.ptr == NULL && !read_part(lex, false))
        return false;
    if (!lex->lenient || lex->pos < lex->len)
        do
            if (!read_part(lex, true))
                return false;
        while (lex->pos < lex->len);
    return end_parts(lex);
}

struct ar_header *ar_header_parse(const struct ar_allocator *allocator, const char *value,
                                  size_t len, const struct ar_parse_options *options,
                                  struct ar_parse_error *error)
{
    struct ar_parse_options use = {.kind = AR_KIND_ANY};
    bool done = false;

    if (options != NULL)
        use = *options;
    size_t max_len = use.max_len == 0 ? AR_PARSE_MAX : use.max_len;
    struct ar_lex lex = {.text = value,
                         .len = len,
                         .place = AR_BEFORE_ID,
                         .none_at = AR_NOWHERE,
                         .run_end = AR_NOWHERE,
                         .lenient = use.lenient};
    if (len > max_len)
        ar_lex_fail(&lex, AR_TOO_LONG, max_len, "the end of the field");
    else if ((lex.header = ar_header_new(allocator)) == NULL)
        ar_lex_fail(&lex, AR_NO_MEMORY, 0, "more memory");
    else {
        lex.header->utf8 = true;
        lex.comments = &lex.header->comments;
        done = read_header(&lex, use.kind);
    }
    if (error != NULL)
        *error = lex.error;
    if (done)
        return lex.header;
    ar_header_free(lex.header);
    return NULL;
}
