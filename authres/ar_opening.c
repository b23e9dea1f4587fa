#include "authres/ar_opening.h"

#include "authres/ar_chars.h"
#include "authres/ar_lenient.h"

/* What stands before the first result: ARC instance, authserv-id, version. */

/* Passes semicolons that stand before anything. */
static bool pass_semicolons(struct ar_lex *lex)
{
    while (lex->lenient && ar_lex_peek(lex) == ';') {
        size_t start = lex->pos++;
        if (!ar_forgive(lex, AR_PARDON_EMPTY, start) || !ar_lex_cfws(lex))
            return false;
    }
    return true;
}

/* position = 1*2DIGIT, from 1 to 50 (RFC 8617 section 4.1) */
static bool read_position(struct ar_lex *lex)
{
    size_t start = lex->pos;
    unsigned number = 0;

    while (lex->pos < lex->len && ar_is((unsigned char)lex->text[lex->pos], AR_C_DIGIT)) {
        number = number * 10 + (unsigned)(lex->text[lex->pos++] - '0');
        if (number > AR_INSTANCE_MAX)
            number = AR_INSTANCE_MAX + 1;
    }
    size_t digits = lex->pos - start;
    bool good = number > 0 && number <= AR_INSTANCE_MAX;
    lex->header->instance = good ? number : 0;
    if (good && digits <= 2)
        return true;
    return ar_forgive(lex, AR_PARDON_INSTANCE, start) ||
           ar_lex_fail(lex, AR_SYNTAX, start, "an instance from 1 to 50");
}

/* instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position, then [CFWS] ";"; the "i" has been read. */
static bool read_instance(struct ar_lex *lex, enum ar_kind kind, size_t start)
{
    struct ar_list *comments = &lex->header->comments;

    if ((kind == AR_KIND_AR || lex->text[start] == 'I') &&
        !ar_forgive(lex, AR_PARDON_INSTANCE, start))
        return ar_lex_fail(lex, AR_SYNTAX, start, "an authserv-id and no instance");
    for (size_t i = 0; i < comments->count; i++)
        ((struct ar_comment *)comments->items[i])->place = AR_BEFORE_ID;
    lex->place = AR_BEFORE_ID;
    lex->header->arc = true;
    if (!ar_lex_expect(lex, '=', "an equals sign") || !read_position(lex) || !ar_lex_cfws(lex))
        return false;
    if (ar_lex_peek(lex) == ';')
        lex->pos++;
    else if (!ar_forgive(lex, AR_PARDON_INSTANCE, lex->pos))
        return ar_lex_fail(lex, AR_SYNTAX, lex->pos, "a semicolon after the instance");
    return true;
}

/* Where an authserv-id begins and ends, and what there was before it. */
struct id_place {
    size_t start, end, comments;
    struct ar_mark mark;
};

/* [CFWS] authserv-id [CFWS] */
static bool read_id(struct ar_lex *lex, struct id_place *place, const char *expected)
{
    struct ar_header *header = lex->header;

    if (!ar_lex_cfws(lex) || !pass_semicolons(lex))
        return false;
    place->start = lex->pos;
    place->comments = header->comments.count;
    place->mark = ar_mark(lex);
    if (!ar_lex_id(lex, &header->id, expected))
        return false;
    header->id_form = ar_is_token(header->id.ptr, header->id.len) ? AR_FORM_PLAIN : AR_FORM_QUOTED;
    lex->place = AR_AFTER_ID;
    place->end = lex->pos;
    return ar_lex_cfws(lex);
}

/* Tells whether an unquoted "i" has been read, with an equals sign behind it. */
static bool is_instance(const struct ar_lex *lex, size_t start)
{
    struct ar_text id = lex->header->id;

    return ar_lex_peek(lex) == '=' && ar_keyword_is(id.ptr, id.len, "i") &&
           (lex->text[start] == 'i' || (lex->lenient && lex->text[start] == 'I'));
}

/* Tells whether what was read as authserv-id begins a result, or is the word "none" alone. */
static bool is_missing(const struct ar_lex *lex, size_t start)
{
    struct ar_text id = lex->header->id;
    int next = ar_lex_peek(lex);

    return lex->lenient &&
           (next == '=' || next == '/' ||
            (next == -1 && lex->text[start] != '"' && ar_keyword_is(id.ptr, id.len, "none")));
}

/*
 * Passes words behind the authserv-id that are no version; they begin at `start`. What could be
 * the rest of the id (RFC 5322 section 4.4 has blanks around dots) is not forgiven: others may
 * read another id then.
 */
static bool pass_words(struct ar_lex *lex, size_t start, size_t id_end)
{
    char first = lex->text[start], last = lex->text[id_end - 1];

    if (first == '.' || first == '@' || last == '.' || last == '@')
        return ar_lex_fail(lex, AR_SYNTAX, start, "a semicolon");
    return ar_forgive(lex, AR_PARDON_VERSION, start) && ar_skip(lex);
}

/*
 * Tells whether something invisible divides the id from words behind it: a control character
 * or a line end that is no fold. Only a lenient reader comes past these.
 */
static bool is_divided(const struct ar_lex *lex, size_t id_end)
{
    struct ar_lex behind = *lex;
    size_t at = id_end;
    int next = ar_lex_peek(lex);

    if (next == -1 || next == ';')
        return false;
    behind.pos = id_end;
    if (lex->text[at] == '\r' && lex->text[at + 1] == '\n')
        at++;
    if (lex->text[at] == '\n')
        return !ar_is((unsigned char)lex->text[at + 1], AR_C_BLANK);
    return lex->text[at] == '\r' || ar_control_at(&behind) > 0;
}

/* [ CFWS authres-version ], authres-version = 1*DIGIT [CFWS] */
static bool read_version(struct ar_lex *lex, size_t id_end)
{
    int next = ar_lex_peek(lex);
    size_t start = lex->pos;
    struct ar_mark mark = ar_mark(lex);

    if (is_divided(lex, id_end))
        return ar_lex_fail(lex, AR_SYNTAX, start, "a semicolon");
    if (!ar_lex_is_adjacent(lex) && next != -1 && ar_is((unsigned char)next, AR_C_DIGIT)) {
        lex->place = AR_AFTER_VERSION;
        if (!ar_lex_version(lex, &lex->header->version)) {
            if (!ar_recover(lex, mark))
                return false;
            /* Larger than any: not to be taken for one we know. */
            lex->header->version = AR_VERSION_MAX;
        }
        size_t end = lex->pos;
        if (!ar_lex_cfws(lex))
            return false;
        if (lex->pos > end)
            start = lex->pos;
    }
    next = ar_lex_peek(lex);
    return !lex->lenient || next == -1 || next == ';' || pass_words(lex, start, id_end);
}

/* Goes back to where an authserv-id should stand. */
static bool do_without_id(struct ar_lex *lex, const struct id_place *place)
{
    lex->pos = place->start;
    lex->header->comments.count = place->comments;
    ar_forget(lex, place->mark);
    lex->header->id = (struct ar_text){NULL, 0};
    return ar_forgive(lex, AR_PARDON_NO_ID, place->start);
}

bool ar_read_opening(struct ar_lex *lex, enum ar_kind kind)
{
    static const char instance[] = "an instance, \"i=\"";
    static const char id[] = "an authserv-id";
    struct id_place place;

    lex->header->arc = kind == AR_KIND_ARC;
    if (!read_id(lex, &place, kind == AR_KIND_ARC ? instance : id))
        return false;
    bool instanced = is_instance(lex, place.start);
    if (instanced && (!read_instance(lex, kind, place.start) || !read_id(lex, &place, id)))
        return false;
    bool missing = is_missing(lex, place.start);
    if (missing && !do_without_id(lex, &place))
        return false;
    if (!instanced && kind == AR_KIND_ARC && !ar_forgive(lex, AR_PARDON_INSTANCE, place.start))
        return ar_lex_fail(lex, AR_SYNTAX, place.start, instance);
    return missing || read_version(lex, place.end);
}
