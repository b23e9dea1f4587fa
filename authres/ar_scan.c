#include "authres/ar_scan.h"

#include <string.h>

#include "authres/ar_chars.h"
#include "authres/authres.h"

/* Longest name of a character set looked for; those of IANA have 40 (RFC 2978 section 2.3). */
#define CHARSET_MAX 64

unsigned ar_scan_useful(const char *value, size_t len)
{
    unsigned habits = 0;
    bool backslash = false;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c == '(')
            habits |= AR_SCAN_FLAT | AR_SCAN_JOINED;
        else if (c == '\r' || c == '\n')
            habits |= AR_SCAN_JOINED;
        else if (c >= 0x80)
            habits |= AR_SCAN_ASCII;
        backslash = backslash || c == '\\';
    }
    if (backslash && (habits & AR_SCAN_FLAT) != 0)
        habits |= AR_SCAN_RAW;
    return habits;
}

bool ar_scan_is_rubbish(unsigned char c)
{
    return c < 0x80 && c != '"' && (c == '.' || !ar_is(c, AR_C_TOKEN));
}

/* encoded-word = "=?" charset "?" encoding "?" encoded-text "?=" */
static bool is_encoded(const char *text, size_t len)
{
    size_t at = 2;

    if (len < 2 || text[0] != '=' || text[1] != '?')
        return false;
    while (at < len && at < 2 + CHARSET_MAX && ar_is((unsigned char)text[at], AR_C_TOKEN))
        at++;
    return at > 2 && len - at >= 3 && text[at] == '?' && memchr("bBqQ", text[at + 1], 4) != NULL &&
           text[at + 2] == '?';
}

bool ar_scan_is_encoded(const struct ar_scan *scan)
{
    return is_encoded(scan->text + scan->pos, scan->len - scan->pos);
}

/* Reads the character at the position. Returns: 0 when there is none in UTF-8. */
static size_t read_code(const struct ar_scan *scan, uint32_t *code)
{
    if (scan->pos == scan->len)
        return 0;
    return ar_utf8_read(scan->text + scan->pos, scan->len - scan->pos, code);
}

size_t ar_scan_control(const struct ar_scan *scan)
{
    uint32_t code;
    size_t step = read_code(scan, &code);

    return step > 0 && ar_is_control(code) ? step : 0;
}

/* Returns the length of the line ends at the position and the blanks behind them. */
static size_t line_end_at(const struct ar_scan *scan)
{
    size_t at = scan->pos;

    while (at < scan->len && (scan->text[at] == '\r' || scan->text[at] == '\n'))
        at++;
    if (at == scan->pos)
        return 0;
    while (at < scan->len && ar_is((unsigned char)scan->text[at], AR_C_BLANK))
        at++;
    return at - scan->pos;
}

size_t ar_scan_void(const struct ar_scan *scan)
{
    uint32_t code;

    if (scan->pos == scan->len)
        return 0;
    if ((scan->habits & AR_SCAN_ASCII) != 0 && (unsigned char)scan->text[scan->pos] >= 0x80)
        return 1;
    size_t step = read_code(scan, &code);
    if (step == 0)
        return 1;
    if (ar_is_control(code) && !ar_is_space(code))
        return step;
    return (scan->habits & AR_SCAN_JOINED) != 0 ? line_end_at(scan) : 0;
}

bool ar_scan_comment(struct ar_scan *scan)
{
    bool flat = (scan->habits & AR_SCAN_FLAT) != 0, raw = (scan->habits & AR_SCAN_RAW) != 0;
    size_t depth = 0;

    if (scan->no_comments || scan->pos == scan->len || scan->text[scan->pos] != '(')
        return false;
    for (size_t i = scan->pos; i < scan->len; i++) {
        char c = scan->text[i];
        if (c == '\\' && !raw)
            i++;
        else if (c == '(')
            depth += !flat || depth == 0;
        else if (c == '=')
            scan->encoded = scan->encoded || is_encoded(scan->text + i, scan->len - i);
        else if (c == ')' && --depth == 0) {
            scan->pos = i + 1;
            return true;
        }
    }
    scan->no_comments = true;
    return false;
}

bool ar_scan_cfws(struct ar_scan *scan)
{
    size_t start = scan->pos;
    uint32_t code;

    while (scan->pos < scan->len) {
        size_t step = read_code(scan, &code);
        if (step > 0 && ar_is_space(code))
            scan->pos += step;
        else if (!ar_scan_comment(scan))
            break;
    }
    return scan->pos > start;
}

/* Passes whatever cannot begin an id. */
static void pass_rubbish(struct ar_scan *scan)
{
    while (scan->pos < scan->len) {
        size_t step = ar_scan_void(scan);
        if (step == 0 && ar_scan_cfws(scan))
            continue;
        if (step == 0 && ar_scan_is_rubbish((unsigned char)scan->text[scan->pos])) {
            scan->encoded = scan->encoded || ar_scan_is_encoded(scan);
            step = 1;
        }
        if (step == 0)
            break;
        scan->pos += step;
    }
}

/* Passes what a lenient reader passes between two words. */
static void pass_gap(struct ar_scan *scan)
{
    for (size_t step = 1; step > 0; scan->pos += step) {
        ar_scan_cfws(scan);
        step = ar_scan_void(scan);
        if (step == 0 && scan->pos < scan->len)
            step = scan->text[scan->pos] == ')';
    }
}

/* Passes "i=1;", which a lenient reader takes for an ARC instance wherever it stands. */
static bool pass_instance(struct ar_scan *scan)
{
    struct ar_scan ahead = *scan;

    if (ahead.pos == ahead.len || ar_lower((unsigned char)ahead.text[ahead.pos]) != 'i')
        return false;
    ahead.pos++;
    pass_gap(&ahead);
    if (ahead.pos == ahead.len || ahead.text[ahead.pos] != '=')
        return false;
    pass_rubbish(&ahead);
    while (ahead.pos < ahead.len && ar_is((unsigned char)ahead.text[ahead.pos], AR_C_DIGIT))
        ahead.pos++;
    *scan = ahead;
    return true;
}

/* Passes the field's name: who is given a value may take it off once more. */
static bool pass_name(struct ar_scan *scan)
{
    size_t value;

    if (ar_field_kind(scan->text + scan->pos, scan->len - scan->pos, &value) == AR_KIND_ANY)
        return false;
    scan->pos += value;
    return true;
}

void ar_scan_opening(struct ar_scan *scan)
{
    do
        pass_rubbish(scan);
    while (scan->pos < scan->len && (pass_name(scan) || pass_instance(scan)));
}
