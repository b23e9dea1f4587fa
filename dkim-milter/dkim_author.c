#include "dkim-milter/dkim_author.h"

#include "common/mail/domain.h"

/*
 * The From field is read in one pass. What could be an address is gathered without the
 * white space and comments around it; a gap between two words that no "." or "@" joins
 * makes it a display name, good only in front of "<".
 */
struct reader {
    struct am_span text; /* the field's value */
    size_t pos;
    char *word; /* what is gathered of the current mailbox */
    size_t len;
    bool gap;    /* white space or a comment since the last octet gathered */
    bool phrase; /* two words stand side by side: no address */
    bool angle;  /* between "<" and ">" */
    bool closed; /* behind ">" */
    bool bad;    /* cannot be read */
    size_t count;
    size_t first_len; /* of the first address, which stays at the start of `word` */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Passes a comment with those inside it; the depth is a number, not a stack. */
static void pass_comment(struct reader *reader)
{
    size_t depth = 0;

    do {
        if (reader->pos == reader->text.len) {
            reader->bad = true;
            return;
        }
        char c = reader->text.ptr[reader->pos++];
        if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        else if (c == '\\' && reader->pos < reader->text.len)
            reader->pos++;
    } while (depth > 0);
}

static char *current(struct reader *reader)
{
    return reader->word + reader->first_len;
}

static void gather(struct reader *reader, char c)
{
    bool joins = c == '.' || c == '@' ||
                 (reader->len > 0 && (current(reader)[reader->len - 1] == '.' ||
                                      current(reader)[reader->len - 1] == '@'));

    if (reader->gap && reader->len > 0 && !joins)
        reader->phrase = true;
    if (reader->closed)
        reader->bad = true;
    reader->gap = false;
    current(reader)[reader->len++] = c;
}

/* Gathers a quoted string with its quotes; line ends of folds are left out. */
static void gather_quoted(struct reader *reader)
{
    gather(reader, '"');
    for (reader->pos++; reader->pos < reader->text.len; reader->pos++) {
        char c = reader->text.ptr[reader->pos];
        if (c == '\r' || c == '\n')
            continue;
        current(reader)[reader->len++] = c;
        if (c == '"') {
            reader->pos++;
            return;
        }
        if (c == '\\' && reader->pos + 1 < reader->text.len)
            current(reader)[reader->len++] = reader->text.ptr[++reader->pos];
    }
    reader->bad = true;
}

/* Ends a mailbox; an empty one is obsolete syntax without meaning (RFC 5322 section 4.4). */
static void end_mailbox(struct reader *reader)
{
    if (reader->angle)
        reader->bad = true;
    if (reader->len > 0 || reader->closed) {
        if (reader->len == 0 || reader->phrase)
            reader->bad = true;
        if (++reader->count == 1)
            reader->first_len = reader->len;
    }
    reader->len = 0;
    reader->gap = reader->phrase = reader->closed = false;
}

/* Drops what was gathered: it was a display name. */
static void drop_phrase(struct reader *reader)
{
    if (reader->closed)
        reader->bad = true;
    reader->len = 0;
    reader->gap = reader->phrase = false;
}

/* Takes one of the characters that divide the field. Returns: false when `c` is none here. */
static bool take_special(struct reader *reader, char c)
{
    if (c == '>' && reader->angle) {
        if (reader->phrase)
            reader->bad = true;
        reader->angle = false;
        reader->closed = true;
    } else if (reader->angle) {
        return false;
    } else if (c == '<') {
        drop_phrase(reader);
        reader->angle = true;
    } else if (c == ':') {
        drop_phrase(reader);
    } else if (c == ',' || c == ';') {
        end_mailbox(reader);
    } else {
        return false;
    }
    reader->pos++;
    return true;
}

static void read_mailboxes(struct reader *reader)
{
    while (reader->pos < reader->text.len && !reader->bad) {
        char c = reader->text.ptr[reader->pos];

        if (is_blank(c)) {
            reader->gap = true;
            reader->pos++;
        } else if (c == '(') {
            reader->gap = true;
            pass_comment(reader);
        } else if (c == '"') {
            gather_quoted(reader);
        } else if (!take_special(reader, c)) {
            gather(reader, c);
            reader->pos++;
        }
    }
    end_mailbox(reader);
}

/* Tells whether a local part is a sequence of words joined by dots (RFC 5322 section 4.4). */
static bool is_local_part(struct am_span text)
{
    static const char specials[] = "()<>[]:;@\\,\" ";
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\')
            i++;
        else if (!quoted && memchr(specials, c, sizeof(specials) - 1) != NULL)
            return false;
    }
    return text.len > 0 && !quoted;
}

/* Makes the author of the one address that was gathered. */
static void take_address(struct dkim_author *out, struct am_arena *arena, struct am_span text)
{
    struct am_address *address = &out->address;

    if (!am_address_parse(address, text) || address->is_null || !is_local_part(address->local))
        return;
    const char *domain = am_domain_to_ascii(arena, address->domain);
    if (domain == NULL || !am_domain_is_valid(am_span_str(domain)))
        return;
    out->domain = domain;
    out->kind = DKIM_AUTHOR_ONE;
}

void dkim_author_find(struct dkim_author *out, struct am_arena *arena,
                      const struct dkim_fields *fields)
{
    size_t count;
    const struct dkim_field *const *from = dkim_fields_find(fields, am_span_str("from"), &count);

    *out = (struct dkim_author){.kind = DKIM_AUTHOR_UNREADABLE, .domain = ""};
    if (count != 1) {
        out->kind = count == 0 ? DKIM_AUTHOR_NONE : DKIM_AUTHOR_SEVERAL;
        return;
    }
    struct reader reader = {.text = from[0]->value};
    reader.word = am_arena_alloc(arena, reader.text.len + 1);
    if (reader.word == NULL) {
        out->kind = DKIM_AUTHOR_MEMORY;
        return;
    }
    read_mailboxes(&reader);
    if (reader.count > 1)
        out->kind = DKIM_AUTHOR_SEVERAL;
    else if (reader.count == 1 && !reader.bad)
        take_address(out, arena, am_span_of(reader.word, reader.first_len));
}
