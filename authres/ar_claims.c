#include <string.h>

#include "authres/ar_chars.h"
#include "authres/ar_idna.h"
#include "authres/authres.h"

/*
 * A forged field need not be well formed: it has only to be read as ours by some
 * program behind us. So this walks over the beginning of the value as such
 * programs do, strict, lenient or sloppy ones, and compares wherever one of them
 * could take the id to end.
 */

/* The id looked for, in comparable form. */
struct wanted {
    char text[AR_NAME_MAX];
    size_t len, labels;
};

struct scan {
    const char *text;
    size_t len, pos;
    const struct wanted *wanted;
    struct ar_name name; /* what has been collected */
    size_t compared_len; /* its length at the last comparison */
    bool flat;           /* comments end at the first ")", as for a reader that knows no nesting */
    bool no_comments;    /* a parenthesis is open to the end: none is a comment */
    bool quoted;         /* between quotes */
    bool cut_by_control; /* the first control character has been met */
    bool cut_by_special; /* the first tspecial (in quotes: blank or semicolon) has been met */
};

/* Tells whether no id begins with this octet; in quotes it could, but then it does not count. */
static bool is_rubbish(unsigned char c)
{
    return c < 0x80 && c != '"' && (c == '.' || !ar_is(c, AR_C_TOKEN));
}

/* Prepares an id for comparison. Returns: false when it can equal nothing. */
static bool want(struct wanted *wanted, struct ar_name *name, const char *id, size_t len)
{
    if (len == 0 || len > AR_ID_MAX)
        return false;
    ar_name_init(name);
    ar_name_put_text(name, id, len);
    wanted->labels = name->labels;
    wanted->len = ar_name_to_ascii(name, wanted->text);
    return wanted->len > 0;
}

/*
 * Tells whether the collected name is the wanted one. Few calls see the right
 * number of labels and a new length, so that all calls together are linear.
 */
static bool matches(struct scan *scan)
{
    char ascii[AR_NAME_MAX];

    if (scan->name.labels != scan->wanted->labels || scan->name.len == scan->compared_len)
        return false;
    scan->compared_len = scan->name.len;
    size_t len = ar_name_to_ascii(&scan->name, ascii);
    return len == scan->wanted->len && memcmp(ascii, scan->wanted->text, len) == 0;
}

/* Returns the length of the blank, line end or Unicode space at the position, else 0. */
static size_t blank_at(const struct scan *scan)
{
    uint32_t code;
    size_t step = ar_utf8_read(scan->text + scan->pos, scan->len - scan->pos, &code);

    if (step == 0)
        return 0;
    if (code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 || code == 0xa0 ||
        (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
        code == 0x205f || code == 0x3000)
        return step;
    return 0;
}

/* Returns the length of the control character at the position, else 0. */
static size_t control_at(const struct scan *scan)
{
    uint32_t code;
    size_t step = ar_utf8_read(scan->text + scan->pos, scan->len - scan->pos, &code);

    return step > 0 && ar_is_control(code) ? step : 0;
}

/* Passes the comment at the position. Returns: false when it does not end. */
static bool pass_comment(struct scan *scan)
{
    size_t depth = 0;

    if (scan->no_comments)
        return false;
    for (size_t i = scan->pos; i < scan->len; i++) {
        char c = scan->text[i];
        if (c == '\\' && !scan->flat)
            i++;
        else if (c == '(')
            depth += !scan->flat || depth == 0;
        else if (c == ')' && --depth == 0) {
            scan->pos = i + 1;
            return true;
        }
    }
    scan->no_comments = true;
    return false;
}

/* Passes blanks and complete comments. Returns: whether there were any. */
static bool pass_cfws(struct scan *scan)
{
    size_t start = scan->pos;

    while (scan->pos < scan->len) {
        size_t step = blank_at(scan);
        if (step > 0)
            scan->pos += step;
        else if (scan->text[scan->pos] != '(' || !pass_comment(scan))
            break;
    }
    return scan->pos > start;
}

/* Passes whatever cannot begin an id. */
static void pass_rubbish(struct scan *scan)
{
    while (scan->pos < scan->len) {
        if (pass_cfws(scan))
            continue;
        size_t step = control_at(scan);
        if (step == 0)
            step = is_rubbish((unsigned char)scan->text[scan->pos]);
        if (step == 0)
            break;
        scan->pos += step;
    }
}

/* Takes one character, of several octets where it is UTF-8. */
static void collect(struct scan *scan)
{
    uint32_t code;
    size_t step = ar_utf8_read(scan->text + scan->pos, scan->len - scan->pos, &code);

    if (step == 0)
        ar_name_put_octet(&scan->name, (unsigned char)scan->text[scan->pos++]);
    else
        ar_name_put(&scan->name, code);
    scan->pos += step;
}

/* Control characters end a C string, or are dropped by others: both are looked at. */
static bool meet_control(struct scan *scan)
{
    bool match = !scan->cut_by_control && matches(scan);

    scan->cut_by_control = true;
    scan->pos += control_at(scan);
    return match;
}

/* Takes a character that some reader ends an id at, after looking at what stands before it. */
static bool meet_special(struct scan *scan)
{
    if (scan->name.len == 0) {
        scan->pos++;
        return false;
    }
    bool match = !scan->cut_by_special && matches(scan);
    scan->cut_by_special = true;
    collect(scan);
    return match;
}

/* Takes the next piece inside quotes. Returns: whether the name matched before it. */
static bool step_quoted(struct scan *scan)
{
    unsigned char c = (unsigned char)scan->text[scan->pos];

    if (c == '"') {
        scan->quoted = false;
        scan->pos++;
        return matches(scan);
    }
    if (c == '\\' && scan->pos + 1 < scan->len) {
        scan->pos++;
        c = (unsigned char)scan->text[scan->pos];
    }
    if (control_at(scan) > 0)
        return meet_control(scan);
    if (c < 0x80 && !ar_is(c, AR_C_TOKEN))
        return meet_special(scan);
    collect(scan);
    return false;
}

/*
 * Takes the next piece outside quotes; `*more` becomes false at the end of the id.
 * Blanks and comments end it, except beside a dot, as in the obsolete domain syntax
 * of RFC 5322 section 4.4.
 */
static bool step_plain(struct scan *scan, bool *more)
{
    unsigned char c = (unsigned char)scan->text[scan->pos];
    size_t len = scan->name.len;

    if (pass_cfws(scan)) {
        *more = len == 0 || scan->name.text[len - 1] == '.' ||
                (scan->pos < scan->len && scan->text[scan->pos] == '.');
        return matches(scan);
    }
    if (c == ';' && len > 0) {
        *more = false;
        return matches(scan);
    }
    if (c == '"') {
        scan->quoted = true;
        scan->pos++;
        return matches(scan);
    }
    if (c == '\\') {
        scan->pos++;
        return false;
    }
    if (control_at(scan) > 0)
        return meet_control(scan);
    if (c < 0x80 && !ar_is(c, AR_C_TOKEN))
        return meet_special(scan);
    collect(scan);
    return false;
}

static bool claims(struct scan *scan)
{
    bool more = true;

    pass_rubbish(scan);
    while (more && scan->pos < scan->len && !scan->name.overflow)
        if (scan->quoted ? step_quoted(scan) : step_plain(scan, &more))
            return true;
    return more && matches(scan);
}

/* Walks over a value from its beginning, with comments read one way or the other. */
static bool claims_with(struct scan *scan, const char *value, size_t len,
                        const struct wanted *wanted, bool flat)
{
    scan->text = value;
    scan->len = len;
    scan->pos = 0;
    scan->wanted = wanted;
    scan->compared_len = 0;
    scan->flat = flat;
    scan->no_comments = scan->quoted = scan->cut_by_control = scan->cut_by_special = false;
    ar_name_init(&scan->name);
    return claims(scan);
}

bool ar_claims_id(const char *value, size_t len, const char *const *ids, size_t id_count)
{
    struct wanted wanted;
    struct scan scan;

    for (size_t i = 0; i < id_count; i++) {
        const char *id = ids[i];
        while (*id != '\0' && is_rubbish((unsigned char)*id))
            id++;
        if (!want(&wanted, &scan.name, id, strlen(id)))
            continue;
        if (claims_with(&scan, value, len, &wanted, false) ||
            claims_with(&scan, value, len, &wanted, true))
            return true;
    }
    return false;
}

bool ar_id_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct wanted first, second;
    struct ar_name name;

    return want(&first, &name, a, a_len) && want(&second, &name, b, b_len) &&
           first.len == second.len && memcmp(first.text, second.text, first.len) == 0;
}
