#include <string.h>

#include "authres/ar_chars.h"
#include "authres/ar_idna.h"
#include "authres/ar_scan.h"
#include "authres/authres.h"

/*
 * A forged field need not be well formed: it has only to be read as ours by some
 * program behind us. So this walks over the beginning of the value as such
 * programs do, strict, lenient or sloppy ones (see ar_scan.h), and compares wherever one
 * of them could take the id to end.
 */

/* The id looked for, in comparable form. */
struct wanted {
    char text[AR_NAME_MAX];
    size_t len, labels;
};

/* One walk over a value. */
struct claim {
    struct ar_scan scan;
    const struct wanted *wanted;
    struct ar_name name; /* what has been collected */
    size_t compared_len; /* its length at the last comparison */
    bool quoted;         /* between quotes */
};

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
 * Tells whether the collected name has become too long for the wanted one: a character, of four
 * octets at most, never becomes less than one of an A-label. That bounds all comparisons.
 */
static bool is_too_long(const struct claim *claim)
{
    return claim->name.len > 4 * claim->wanted->len + 4;
}

/* Tells whether the collected name is the wanted one. */
static bool matches(struct claim *claim)
{
    char ascii[AR_NAME_MAX];

    if (claim->name.labels != claim->wanted->labels || claim->name.len == claim->compared_len)
        return false;
    claim->compared_len = claim->name.len;
    size_t len = ar_name_to_ascii(&claim->name, ascii);
    return len == claim->wanted->len && memcmp(ascii, claim->wanted->text, len) == 0;
}

/* Tells whether the collected name may go on as the wanted one. */
static bool may_become(const struct claim *claim)
{
    const struct ar_name *name = &claim->name;

    for (size_t i = 0; i < name->len; i++)
        if ((unsigned char)name->text[i] >= 0x80)
            return true;
    return name->len < claim->wanted->len &&
           memcmp(name->text, claim->wanted->text, name->len) == 0;
}

/* Takes one character, of several octets where it is UTF-8. */
static void collect(struct claim *claim)
{
    struct ar_scan *scan = &claim->scan;
    uint32_t code;
    size_t step = ar_utf8_read(scan->text + scan->pos, scan->len - scan->pos, &code);

    ar_name_put(&claim->name, code);
    scan->pos += step;
}

/* Passes what some readers end an id at and others drop: both are looked at. */
static bool meet_void(struct claim *claim, size_t step)
{
    claim->scan.pos += step;
    return matches(claim);
}

/* Takes a character that some reader ends an id at, after looking at what stands before it. */
static bool meet_special(struct claim *claim)
{
    bool encoded = ar_scan_is_encoded(&claim->scan) && may_become(claim);

    if (claim->name.len == 0) {
        claim->scan.pos++;
        return encoded;
    }
    bool match = matches(claim);
    collect(claim);
    return match || encoded;
}

/* Takes the next piece inside quotes. Returns: whether the name matched before it. */
static bool step_quoted(struct claim *claim)
{
    struct ar_scan *scan = &claim->scan;

    if (scan->text[scan->pos] == '"') {
        claim->quoted = false;
        return meet_void(claim, 1);
    }
    if (scan->text[scan->pos] == '\\' && scan->pos + 1 < scan->len)
        scan->pos++;
    size_t step = ar_scan_void(scan);
    if (step == 0)
        step = ar_scan_control(scan);
    if (step > 0)
        return meet_void(claim, step);
    unsigned char c = (unsigned char)scan->text[scan->pos];
    if (c < 0x80 && !ar_is(c, AR_C_TOKEN))
        return meet_special(claim);
    collect(claim);
    return false;
}

/*
 * Takes the next piece outside quotes; `*more` becomes false at the end of the id.
 * Blanks and comments end it, except beside a dot, as in the obsolete domain syntax
 * of RFC 5322 section 4.4, and except for who joins what stands around them.
 */
static bool step_plain(struct claim *claim, bool *more)
{
    struct ar_scan *scan = &claim->scan;
    size_t step = ar_scan_void(scan), len = claim->name.len;

    if (step > 0)
        return meet_void(claim, step);
    if ((scan->habits & AR_SCAN_JOINED) != 0 && ar_scan_comment(scan))
        return matches(claim);
    if (ar_scan_cfws(scan)) {
        *more = len == 0 || claim->name.text[len - 1] == '.' ||
                (scan->pos < scan->len && scan->text[scan->pos] == '.');
        return matches(claim);
    }
    unsigned char c = (unsigned char)scan->text[scan->pos];
    if (c == ';' && len > 0) {
        *more = false;
        return matches(claim);
    }
    if (c == '"') {
        claim->quoted = true;
        return meet_void(claim, 1);
    }
    if (c == '\\') {
        scan->pos++;
        return false;
    }
    if (c < 0x80 && !ar_is(c, AR_C_TOKEN))
        return meet_special(claim);
    collect(claim);
    return false;
}

/* Walks over a value from its beginning, as a reader of the given habits does. */
static bool claims_with(struct claim *claim, struct ar_text value, const struct wanted *wanted,
                        unsigned habits)
{
    struct ar_scan *scan = &claim->scan;
    bool more = true;

    *scan = (struct ar_scan){.text = value.ptr, .len = value.len, .habits = habits};
    claim->wanted = wanted;
    claim->compared_len = 0;
    claim->quoted = false;
    ar_name_init(&claim->name);
    ar_scan_opening(scan);
    while (more && scan->pos < scan->len && !is_too_long(claim)) {
        if (scan->encoded && may_become(claim))
            return true;
        scan->encoded = false;
        if (claim->quoted ? step_quoted(claim) : step_plain(claim, &more))
            return true;
    }
    return (scan->encoded && may_become(claim)) || (more && matches(claim));
}

bool ar_claims_id(const char *value, size_t len, const char *const *ids, size_t id_count)
{
    struct wanted wanted;
    struct claim claim;
    unsigned useful = ar_scan_useful(value, len);

    for (size_t i = 0; i < id_count; i++) {
        const char *id = ids[i];
        while (*id != '\0' && ar_scan_is_rubbish((unsigned char)*id))
            id++;
        if (!want(&wanted, &claim.name, id, strlen(id)))
            continue;
        for (unsigned habits = 0; habits <= AR_SCAN_ALL; habits++)
            if ((habits & ~useful) == 0 &&
                claims_with(&claim, (struct ar_text){value, len}, &wanted, habits))
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
