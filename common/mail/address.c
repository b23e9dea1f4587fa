#include "common/mail/address.h"

static bool has_control(struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7F)
            return true;
    return false;
}

/*
 * Skips a source route, "@relay,@relay:" (RFC 5321 appendix C: accepted,
 * ignored). A text without the colon is an address with an empty local part.
 */
static struct am_span skip_route(struct am_span text)
{
    bool in_literal = false;

    if (text.len == 0 || text.ptr[0] != '@')
        return text;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '[')
            in_literal = true;
        else if (c == ']')
            in_literal = false;
        else if (c == '"' || c == '\\')
            return text;
        else if (c == ':' && !in_literal)
            return am_span_of(text.ptr + i + 1, text.len - i - 1);
    }
    return text;
}

/* Where the parts of a text end, quoted strings and quoted pairs skipped. */
struct scan {
    size_t at;    /* the last '@' outside quotes; the length when there is none */
    size_t close; /* the first '>' outside quotes; the length when there is none */
    bool sound;   /* quotes balanced, no dangling backslash, no '<' */
};

static struct scan scan_quotes(struct am_span text)
{
    struct scan scan = {.at = text.len, .close = text.len, .sound = true};
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\') {
            if (++i == text.len)
                scan.sound = false;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (quoted) {
            continue;
        } else if (c == '@') {
            scan.at = i;
        } else if (c == '<') {
            scan.sound = false;
        } else if (c == '>') {
            scan.close = i;
            return scan;
        }
    }
    if (quoted)
        scan.sound = false;
    return scan;
}

/* Takes the brackets off; false when they do not enclose the whole text. */
static bool unwrap(struct am_span *text)
{
    bool bracketed = text->len > 0 && text->ptr[0] == '<';
    struct am_span inner = bracketed ? am_span_of(text->ptr + 1, text->len - 1) : *text;
    struct scan scan = scan_quotes(inner);

    if (!scan.sound)
        return false;
    if (!bracketed)
        return scan.close == inner.len;
    if (scan.close + 1 != inner.len)
        return false;
    *text = am_span_of(inner.ptr, scan.close);
    return true;
}

/* What can be said of a text that is no path: whoever sends one must not escape his domain's
 * policy. */
static bool guess(struct am_address *out, struct am_span text)
{
    if (text.len > 0 && text.ptr[0] == '<')
        text = am_span_of(text.ptr + 1, text.len - 1);
    if (text.len > 0 && text.ptr[text.len - 1] == '>')
        text.len--;
    size_t at = am_span_find_last(text, '@');
    *out = (struct am_address){.full = text, .local = am_span_of(text.ptr, at)};
    if (at < text.len)
        out->domain = am_span_of(text.ptr + at + 1, text.len - at - 1);
    return false;
}

bool am_address_parse(struct am_address *out, struct am_span path)
{
    const struct am_span trimmed = am_span_trim(path);
    struct am_span text = trimmed;
    struct am_span mailbox;
    struct scan scan;

    if (has_control(text) || !unwrap(&text))
        return guess(out, trimmed);
    mailbox = skip_route(text);
    if (mailbox.len == 0 && text.len > 0)
        return guess(out, trimmed);
    if (mailbox.len == 0) {
        *out = (struct am_address){.is_null = true};
        return true;
    }
    scan = scan_quotes(mailbox);
    if (!scan.sound)
        return guess(out, trimmed);
    *out = (struct am_address){.full = mailbox, .local = am_span_of(mailbox.ptr, scan.at)};
    if (scan.at < mailbox.len)
        out->domain = am_span_of(mailbox.ptr + scan.at + 1, mailbox.len - scan.at - 1);
    return true;
}
