#include "spf-milter/spf_macro.h"

#include <limits.h>
#include <string.h>

#include "spf-milter/spf_check.h"
#include "spf-milter/spf_ptr.h"

/* One piece of a macro string: a run of literal octets, an escape, or %{...}. */
struct piece {
    struct am_span literal; /* when letter is 0 */
    struct am_span delimiters;
    unsigned digits; /* right-hand parts to keep; 0 = all */
    char letter;     /* lower case */
    bool escape;     /* the letter was upper case */
    bool reverse;
};

static bool is_literal(unsigned char c, enum spf_macro_place place)
{
    return (c > 0x20 && c < 0x7f && c != '%') || (c == ' ' && place == SPF_MACRO_IN_EXPLAIN);
}

static bool is_delimiter(char c)
{
    return c != '\0' && strchr(".-+,/_=", c) != NULL;
}

/* "{" macro-letter transformers *delimiter "}"; returns the octets read, 0 on an error. */
static size_t read_braces(struct am_span text, enum spf_macro_place place, struct piece *piece)
{
    size_t at = 1;
    if (text.len < 3 || text.ptr[at] == '\0')
        return 0;
    piece->letter = am_lower(text.ptr[at]);
    piece->escape = piece->letter != text.ptr[at];
    const char *letters = place == SPF_MACRO_IN_EXPLAIN ? "slodiphvcrt" : "slodiphv";
    if (strchr(letters, piece->letter) == NULL)
        return 0;
    at++;
    bool any_digit = false;
    for (; at < text.len && am_is_digit((unsigned char)text.ptr[at]); at++) {
        any_digit = true;
        if (piece->digits <
            100000) /* more parts than any text has: the exact number is of no use */
            piece->digits = piece->digits * 10 + (unsigned)(text.ptr[at] - '0');
    }
    if (any_digit && piece->digits == 0)
        return 0; /* section 7.3: the number must not be zero */
    if (at < text.len && am_lower(text.ptr[at]) == 'r') {
        piece->reverse = true;
        at++;
    }
    size_t first = at;
    while (at < text.len && is_delimiter(text.ptr[at]))
        at++;
    piece->delimiters = am_span_of(text.ptr + first, at - first);
    return at < text.len && text.ptr[at] == '}' ? at + 1 : 0;
}

/* Reads the piece at the start of `text`; returns the octets read, 0 on an error. */
static size_t read_piece(struct am_span text, enum spf_macro_place place, struct piece *piece)
{
    *piece = (struct piece){.letter = 0};
    if (text.ptr[0] != '%') {
        size_t len = 0;
        while (len < text.len && is_literal((unsigned char)text.ptr[len], place))
            len++;
        piece->literal = am_span_of(text.ptr, len);
        return len;
    }
    if (text.len < 2)
        return 0;
    switch (text.ptr[1]) {
    case '%':
        piece->literal = am_span_str("%");
        return 2;
    case '_':
        piece->literal = am_span_str(" ");
        return 2;
    case '-':
        piece->literal = am_span_str("%20");
        return 2;
    case '{': {
        size_t len = read_braces(am_span_of(text.ptr + 1, text.len - 1), place, piece);
        return len == 0 ? 0 : len + 1;
    }
    default:
        return 0;
    }
}

/* toplabel of section 7.1: alphanumeric and inner hyphens, not all digits. */
static bool is_toplabel(struct am_span label)
{
    bool not_digit = false;
    for (size_t i = 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.ptr[i];
        if (!am_is_alnum(c) && c != '-')
            return false;
        not_digit = not_digit || !am_is_digit(c);
    }
    return not_digit && label.ptr[0] != '-' && label.ptr[label.len - 1] != '-';
}

/* domain-end of section 7.1, for the literal run that ends a domain-spec. */
static bool ends_in_toplabel(struct am_span run)
{
    if (run.len > 0 && run.ptr[run.len - 1] == '.')
        run.len--;
    size_t dot = am_span_find_last(run, '.');
    if (dot + 1 >= run.len)
        return false;
    return is_toplabel(am_span_of(run.ptr + dot + 1, run.len - dot - 1));
}

bool spf_macro_check(struct am_span text, enum spf_macro_place place, unsigned *flags)
{
    unsigned seen = 0;
    struct piece last = {.letter = 0};
    bool last_is_run = false;
    for (size_t at = 0; at < text.len;) {
        size_t len = read_piece(am_span_of(text.ptr + at, text.len - at), place, &last);
        if (len == 0)
            return false;
        last_is_run = text.ptr[at] != '%';
        if (!last_is_run)
            seen |= SPF_MACRO_ANY;
        if (last.letter == 's' || last.letter == 'l')
            seen |= SPF_MACRO_LOCAL;
        if (last.letter == 'p')
            seen |= SPF_MACRO_PTR;
        at += len;
    }
    if (flags != NULL)
        *flags = seen;
    if (place != SPF_MACRO_IN_DOMAIN)
        return true;
    return text.len > 0 && (!last_is_run || ends_in_toplabel(last.literal));
}

/* "1.2.3.4", or the 32 nibbles of an IPv6 address with dots between them (section 7.3). */
static struct am_span dotted_address(const struct am_ip *ip, char out[AM_DNS_REVERSE_MAX])
{
    if (ip->family != 6)
        return am_span_str(am_ip_format(ip, out));
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < 16; i++) {
        out[i * 4] = hex[ip->bytes[i] >> 4];
        out[i * 4 + 2] = hex[ip->bytes[i] & 15];
        out[i * 4 + 1] = out[i * 4 + 3] = '.';
    }
    return am_span_of(out, 63);
}

/* The value of a macro letter; `scratch` may hold it. */
static struct am_span letter_value(struct spf_check *check, char letter,
                                   const struct spf_name *domain, char scratch[AM_DNS_REVERSE_MAX])
{
    const struct spf_request *request = &check->request;
    switch (letter) {
    case 's':
        return check->sender;
    case 'l':
        return check->local;
    case 'o':
        return spf_name_span(&check->sender_domain);
    case 'd':
        return spf_name_span(domain);
    case 'i':
        return dotted_address(&request->client, scratch);
    case 'p':
        return am_span_str(spf_ptr_best_name(check, domain));
    case 'h':
        return spf_name_span(&check->helo);
    case 'v':
        return am_span_str(request->client.family == 6 ? "ip6" : "in-addr");
    case 'c':
        return am_span_str(am_ip_format(&request->client, scratch));
    case 'r':
        return am_span_str(request->receiver == NULL ? "unknown" : request->receiver);
    default: { /* 't' */
        int64_t now = request->clock->wall_s(request->clock);
        size_t at = AM_DNS_REVERSE_MAX;
        do
            scratch[--at] = (char)('0' + now % 10);
        while ((now /= 10) > 0 && at > 0);
        return am_span_of(scratch + at, AM_DNS_REVERSE_MAX - at);
    }
    }
}

static bool is_split_at(const struct piece *piece, char c)
{
    return piece->delimiters.len == 0
               ? c == '.'
               : memchr(piece->delimiters.ptr, c, piece->delimiters.len) != NULL;
}

/* The end of the part that starts at `from`. */
static size_t part_end(const struct piece *piece, struct am_span value, size_t from)
{
    while (from < value.len && !is_split_at(piece, value.ptr[from]))
        from++;
    return from;
}

static size_t part_start(const struct piece *piece, struct am_span value, size_t end)
{
    while (end > 0 && !is_split_at(piece, value.ptr[end - 1]))
        end--;
    return end;
}

/*
 * Adds the transformed value: its parts, perhaps reversed, the right-hand ones
 * kept, joined by dots (section 7.3). Only the octets that are kept are
 * looked at, so a sender of any length costs no more than what comes out.
 */
static void add_transformed(struct am_buf *out, const struct piece *piece, struct am_span value)
{
    unsigned left = piece->digits == 0 ? UINT_MAX : piece->digits;
    if (!piece->reverse) {
        size_t first = value.len;
        for (;;) {
            first = part_start(piece, value, first);
            if (first == 0 || --left == 0)
                break;
            first--;
        }
        for (size_t i = first; i < value.len; i++)
            am_buf_add_char(out, is_split_at(piece, value.ptr[i]) ? '.' : value.ptr[i]);
        return;
    }
    /* The right-hand parts of the reversed list are the left-hand parts of the text. */
    size_t end = part_end(piece, value, 0);
    while (end < value.len && --left > 0)
        end = part_end(piece, value, end + 1);
    for (;;) {
        size_t start = part_start(piece, value, end);
        am_buf_add(out, am_span_of(value.ptr + start, end - start));
        if (start == 0)
            return;
        am_buf_add_char(out, '.');
        end = start - 1;
    }
}

/* Section 7.3: everything but the unreserved characters of RFC 3986 is escaped. */
static void add_escaped(struct am_buf *out, struct am_span text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (am_is_alnum(c) || (c != '\0' && strchr("-._~", c) != NULL)) {
            am_buf_add_char(out, (char)c);
        } else {
            am_buf_add_char(out, '%');
            am_buf_add_char(out, hex[c >> 4]);
            am_buf_add_char(out, hex[c & 15]);
        }
    }
}

static void add_piece(struct spf_check *check, const struct piece *piece,
                      const struct spf_name *domain, struct am_buf *out)
{
    if (piece->letter == 0) {
        am_buf_add(out, piece->literal);
        return;
    }
    char scratch[AM_DNS_REVERSE_MAX];
    struct am_span value = letter_value(check, piece->letter, domain, scratch);
    if (!piece->escape) {
        if (!piece->reverse && piece->digits == 0 && piece->delimiters.len == 0)
            am_buf_add(out, value);
        else
            add_transformed(out, piece, value);
        return;
    }
    struct am_buf plain;
    am_buf_init(&plain, 0);
    add_transformed(&plain, piece, value);
    add_escaped(out, am_buf_span(&plain));
    out->failed = out->failed || plain.failed;
    am_buf_fini(&plain);
}

/* Cuts labels from the left until the name fits, and a final dot. */
static struct am_span fit_name(struct am_span name)
{
    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    while (name.len > SPF_NAME_MAX) {
        size_t dot = am_span_find(name, '.');
        if (dot == name.len)
            break; /* one label of more than 253 octets: the look-up will not find it */
        name = am_span_of(name.ptr + dot + 1, name.len - dot - 1);
    }
    return name;
}

/* The offsets of the pieces of a checked text, so that they can be walked from the right. */
static uint32_t *piece_offsets(struct spf_check *check, struct am_span spec, size_t *count)
{
    size_t most = 1;
    for (size_t i = 0; i < spec.len; i++)
        most += spec.ptr[i] == '%' ? 2 : 0;
    uint32_t *offsets = am_arena_alloc(check->arena, most * sizeof(*offsets));
    if (offsets == NULL)
        return NULL;
    *count = 0;
    struct piece piece;
    for (size_t at = 0; at < spec.len && *count < most;) {
        offsets[(*count)++] = (uint32_t)at;
        at += read_piece(am_span_of(spec.ptr + at, spec.len - at), SPF_MACRO_IN_DOMAIN, &piece);
    }
    return offsets;
}

bool spf_macro_expand_domain(struct spf_check *check, struct am_span spec, unsigned flags,
                             const struct spf_name *domain, struct spf_name *out)
{
    if ((flags & SPF_MACRO_ANY) == 0)
        return spf_name_set(check, out, fit_name(spec));
    size_t count;
    uint32_t *offsets = piece_offsets(check, spec, &count);
    if (offsets == NULL)
        return false;
    /*
     * From the right, and only until the name is full: what would be cut away
     * is never built, so 20,000 macros in a record cost no more than 20.
     */
    struct am_buf name, piece_text;
    am_buf_init(&name, 0);
    am_buf_init(&piece_text, 0);
    while (count-- > 0 && name.len <= SPF_NAME_MAX + 1 && !piece_text.failed) {
        struct piece piece;
        size_t at = offsets[count];
        read_piece(am_span_of(spec.ptr + at, spec.len - at), SPF_MACRO_IN_DOMAIN, &piece);
        am_buf_clear(&piece_text);
        add_piece(check, &piece, domain, &piece_text);
        am_buf_add(&piece_text, am_buf_span(&name));
        struct am_buf swap = name;
        name = piece_text;
        piece_text = swap;
    }
    bool done = !name.failed && !piece_text.failed &&
                spf_name_set(check, out, fit_name(am_buf_span(&name)));
    am_buf_fini(&name);
    am_buf_fini(&piece_text);
    return done;
}

const char *spf_macro_expand_explanation(struct spf_check *check, struct am_span text, size_t limit,
                                         const struct spf_name *domain)
{
    if (!spf_macro_check(text, SPF_MACRO_IN_EXPLAIN, NULL))
        return NULL;
    struct am_buf out;
    am_buf_init(&out, 0);
    for (size_t at = 0; at < text.len && out.len < limit && !out.failed;) {
        struct piece piece;
        at += read_piece(am_span_of(text.ptr + at, text.len - at), SPF_MACRO_IN_EXPLAIN, &piece);
        add_piece(check, &piece, domain, &out);
    }
    const char *explanation = NULL;
    if (!out.failed) {
        struct am_span all = am_buf_span(&out);
        explanation =
            spf_printable(check->arena, am_span_of(all.ptr, all.len < limit ? all.len : limit));
    }
    am_buf_fini(&out);
    return explanation;
}
