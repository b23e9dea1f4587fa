#include "authres/ar_lenient.h"

#include <string.h>

#include "authres/ar_chars.h"

struct ar_mark ar_mark(const struct ar_lex *lex)
{
    return (struct ar_mark){lex->header->forgiven_count, lex->run_end};
}

void ar_forget(struct ar_lex *lex, struct ar_mark mark)
{
    lex->header->forgiven_count = mark.count;
    lex->run_end = mark.run_end;
}

/* Makes room for one more note. */
static bool grow(struct ar_header *header)
{
    if (header->forgiven_count < header->forgiven_capacity)
        return true;
    size_t capacity = header->forgiven_capacity == 0 ? 8 : header->forgiven_capacity * 2;
    struct ar_forgiven *larger = ar_take(header, capacity * sizeof(*larger));
    if (larger == NULL)
        return false;
    if (header->forgiven_count > 0)
        memcpy(larger, header->forgiven, header->forgiven_count * sizeof(*larger));
    header->forgiven = larger;
    header->forgiven_capacity = capacity;
    return true;
}

bool ar_forgive(struct ar_lex *lex, enum ar_pardon pardon, size_t offset)
{
    struct ar_header *header = lex->header;

    if (!lex->lenient)
        return false;
    if (!grow(header))
        return ar_lex_fail(lex, AR_NO_MEMORY, offset, "more memory");
    /* What is wrong with a word is known at its end: the notes of its inside may be there. */
    size_t at = header->forgiven_count++;
    for (; at > 0 && header->forgiven[at - 1].offset > offset; at--)
        header->forgiven[at] = header->forgiven[at - 1];
    header->forgiven[at] = (struct ar_forgiven){pardon, offset};
    lex->run_end = AR_NOWHERE;
    return true;
}

bool ar_forgive_run(struct ar_lex *lex, enum ar_pardon pardon, size_t start, size_t end)
{
    struct ar_header *header = lex->header;
    size_t count = header->forgiven_count;

    if (!lex->lenient)
        return false;
    bool goes_on =
        count > 0 && lex->run_end == start && header->forgiven[count - 1].pardon == pardon;
    if (!goes_on && !ar_forgive(lex, pardon, start))
        return false;
    lex->run_end = end;
    return true;
}

/* Tells whether a pardon is about characters, whatever words they make. */
static bool is_of_characters(enum ar_pardon pardon)
{
    return pardon >= AR_PARDON_OPEN_QUOTE && pardon <= AR_PARDON_ENCODING;
}

bool ar_recover(struct ar_lex *lex, struct ar_mark mark)
{
    struct ar_header *header = lex->header;

    if (!lex->lenient || lex->error.status != AR_SYNTAX)
        return false;
    lex->error = (struct ar_parse_error){AR_OK, 0, NULL};
    size_t kept = mark.count;
    for (size_t i = mark.count; i < header->forgiven_count; i++)
        if (is_of_characters(header->forgiven[i].pardon))
            header->forgiven[kept++] = header->forgiven[i];
    if (kept == mark.count)
        lex->run_end = mark.run_end;
    header->forgiven_count = kept;
    return true;
}

size_t ar_control_at(const struct ar_lex *lex)
{
    uint32_t code;

    if (lex->pos == lex->len)
        return 0;
    size_t step = ar_utf8_read(lex->text + lex->pos, lex->len - lex->pos, &code);
    return step > 0 && ar_is_control(code) && code != '\r' && code != '\n' ? step : 0;
}

bool ar_goes_on(const struct ar_lex *lex)
{
    int c = ar_lex_peek(lex);

    if (!lex->lenient || c == -1)
        return false;
    return ar_is((unsigned char)c, AR_C_WORD) || (c >= 0x80 && ar_control_at(lex) == 0);
}

/* Returns how many octets of a part are no UTF-8. */
static size_t count_malformed(const char *text, size_t len)
{
    size_t count = 0;
    uint32_t code;

    for (size_t i = 0, step; i < len; i += step) {
        step = ar_utf8_read(text + i, len - i, &code);
        if (step == 0) {
            count++;
            step = 1;
        }
    }
    return count;
}

/* Tells whether the line end at `at` is a fold, which leaves nothing behind, or stands for a blank.
 */
static bool is_fold(const struct ar_lex *lex, size_t at)
{
    if (lex->text[at] == '\r')
        return at + 1 < lex->len && lex->text[at + 1] == '\n';
    return at + 1 == lex->len || ar_is((unsigned char)lex->text[at + 1], AR_C_BLANK);
}

bool ar_keep_clean(struct ar_lex *lex, size_t start, size_t end, bool resolve, struct ar_text *out)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t room = end - start + 2 * count_malformed(lex->text + start, end - start), len = 0;
    char *copy = ar_take_text(lex->header, room + 1);
    uint32_t code;

    if (copy == NULL)
        return ar_lex_fail(lex, AR_NO_MEMORY, start, "more memory");
    for (size_t i = start, step; i < end; i += step) {
        char c = lex->text[i];
        if (resolve && c == '\\') {
            if (++i == end)
                break;
            c = lex->text[i];
        }
        step = 1;
        if (c == '\r' || c == '\n') {
            if (!is_fold(lex, i))
                copy[len++] = ' ';
        } else if ((step = ar_utf8_read(lex->text + i, end - i, &code)) == 0) {
            memcpy(copy + len, replacement, 3);
            len += 3;
            step = 1;
        } else if (ar_is_control(code)) {
            copy[len++] = ' ';
        } else {
            memcpy(copy + len, lex->text + i, step);
            len += step;
        }
    }
    copy[len] = '\0';
    *out = (struct ar_text){copy, len};
    return true;
}

bool ar_skip_one(struct ar_lex *lex)
{
    size_t end;

    return ar_lex_peek(lex) == '"' ? ar_lex_quoted(lex, &end) : ar_lex_character(lex);
}

bool ar_skip(struct ar_lex *lex)
{
    for (;;) {
        if (!ar_lex_cfws(lex))
            return false;
        int c = ar_lex_peek(lex);
        if (c == -1 || c == ';')
            return true;
        if (!ar_skip_one(lex))
            return false;
    }
}

bool ar_skip_id(struct ar_lex *lex)
{
    size_t end = lex->pos;

    for (;;) {
        int c = ar_lex_peek(lex);
        if (c == '=' || !(c == '"' || c == ')' || ar_goes_on(lex)))
            break;
        if (!ar_skip_one(lex))
            return false;
        if (c != ')')
            end = lex->pos;
    }
    /* Inside it a parenthesis is part of it, behind it a stray one. */
    lex->pos = end;
    return true;
}

bool ar_begins_property(const struct ar_lex *lex, size_t start)
{
    size_t at = start, dots = 0;

    while (at < lex->pos &&
           (lex->text[at] == '.' || ar_is((unsigned char)lex->text[at], AR_C_NAME)))
        dots += lex->text[at++] == '.';
    return at > start && at < lex->pos && lex->text[at] == '=' && dots <= 1 &&
           lex->text[start] != '.' && lex->text[at - 1] != '.';
}
