#include "common/mail/author.h"

#include "common/mail/domain.h"

/*
 * The From field is read in one pass. What could be an address is gathered without the
 * white space and comments around it; a gap between two words that no "." or "@" joins
 * makes it a display name, good only in front of "<".
 */
struct reader {
    struct am_span text; /* the field's value */
    size_t pos;
    char *word; /* what is gathered of the current mailbox, behind those that are kept */
    size_t len;
    bool gap;    /* white space or a comment since the last octet gathered */
    bool phrase; /* two words stand side by side: no address */
    bool angle;  /* between "<" and ">" */
    bool closed; /* behind ">" */
    bool bad;    /* cannot be read */
    size_t count;
    struct am_span kept[AM_AUTHORS_MAX];
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

static void gather(struct reader *reader, char c)
{
    bool joins = c == '.' || c == '@' ||
                 (reader->len > 0 &&
                  (reader->word[reader->len - 1] == '.' || reader->word[reader->len - 1] == '@'));

    if (reader->gap && reader->len > 0 && !joins)
        reader->phrase = true;
    if (reader->closed)
        reader->bad = true;
    reader->gap = false;
    reader->word[reader->len++] = c;
}

/* Gathers a quoted string with its quotes; line ends of folds are left out. */
static void gather_quoted(struct reader *reader)
{
    gather(reader, '"');
    for (reader->pos++; reader->pos < reader->text.len; reader->pos++) {
        char c = reader->text.ptr[reader->pos];
        if (c == '\r' || c == '\n')
            continue;
        reader->word[reader->len++] = c;
        if (c == '"') {
            reader->pos++;
            return;
        }
        if (c == '\\' && reader->pos + 1 < reader->text.len)
            reader->word[reader->len++] = reader->text.ptr[++reader->pos];
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
        if (!reader->bad && reader->count < AM_AUTHORS_MAX) {
            reader->kept[reader->count] = am_span_of(reader->word, reader->len);
            reader->word += reader->len;
        }
        reader->count++;
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

static void take_address(struct am_author *out, struct am_arena *arena, struct am_span text)
{
    struct am_address *address = &out->address;

    if (!am_address_parse(address, text) || address->is_null || !is_local_part(address->local))
        return;
    const char *domain = am_domain_to_ascii(arena, address->domain);
    if (domain != NULL && am_domain_is_valid(am_span_str(domain)))
        out->domain = domain;
}

void am_authors_read(struct am_authors *out, struct am_arena *arena, struct am_span value)
{
    struct reader reader = {.text = value};

    *out = (struct am_authors){.count = 0};
    reader.word = am_arena_alloc(arena, value.len + 1);
    if (reader.word == NULL) {
        out->no_memory = true;
        return;
    }
    read_mailboxes(&reader);
    out->mailboxes = reader.count;
    out->unreadable = reader.bad;
    for (size_t i = 0; i < AM_AUTHORS_MAX && reader.kept[i].len > 0; i++)
        take_address(&out->items[out->count++], arena, reader.kept[i]);
}
