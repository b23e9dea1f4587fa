#include "dmarc-milter/dmarc_rua.h"

#include "common/mail/domain.h"

#define LOCAL_MAX 64

/* RFC 5322 section 3.2.3, atext. */
static bool is_atext(char c)
{
    return am_is_alnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_local(struct am_span text)
{
    bool dot = true;

    if (text.len == 0 || text.len > LOCAL_MAX || text.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' ? dot : !is_atext(text.ptr[i]))
            return false;
        dot = text.ptr[i] == '.';
    }
    return !dot;
}

const char *dmarc_rua_address(struct am_arena *arena, struct am_span text)
{
    size_t at = am_span_find_last(text, '@');
    struct am_span local = am_span_of(text.ptr, at);

    if (at == text.len || !is_local(local))
        return NULL;
    const char *domain =
        am_domain_to_ascii(arena, am_span_of(text.ptr + at + 1, text.len - at - 1));
    if (domain == NULL || !am_domain_is_multi_label(am_span_str(domain)) ||
        at + 1 + strlen(domain) > DMARC_RUA_ADDRESS_MAX)
        return NULL;
    return am_arena_printf(arena, "%.*s@%s", (int)at, text.ptr, domain);
}

static int hex_digit(char c)
{
    if (am_is_digit((unsigned char)c))
        return c - '0';
    c = am_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent encoding. Returns a span without pointer when it is broken, or memory is short. */
static struct am_span decode(struct am_arena *arena, struct am_span text)
{
    char *out = am_arena_alloc(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; out != NULL && i < text.len; i++) {
        if (text.ptr[i] != '%') {
            out[len++] = text.ptr[i];
            continue;
        }
        int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_digit(text.ptr[i + 2]);
        if (low < 0)
            return am_span_of(NULL, 0);
        out[len++] = (char)(high * 16 + low);
        i += 2;
    }
    return am_span_of(out, len);
}

/* RFC 7489 section 6.2: "!" and a size, which has had no meaning since RFC 9989. */
static struct am_span without_size(struct am_span uri)
{
    size_t mark = am_span_find_last(uri, '!'), end = uri.len;

    if (mark == uri.len)
        return uri;
    if (end > mark + 1 && strchr("kmgt", am_lower(uri.ptr[end - 1])) != NULL)
        end--;
    for (size_t i = mark + 1; i < end; i++)
        if (!am_is_digit((unsigned char)uri.ptr[i]))
            return uri;
    return end > mark + 1 ? am_span_of(uri.ptr, mark) : uri;
}

/* Returns the address of a URI, or NULL. */
static const char *address_of(struct am_arena *arena, struct am_span uri)
{
    static const char scheme[] = "mailto:";

    uri = without_size(uri);
    /* A "!" of the address itself is encoded. */
    if (!am_span_starts_nocase(uri, am_span_str(scheme)) || am_span_find(uri, '!') < uri.len)
        return NULL;
    uri = am_span_of(uri.ptr + strlen(scheme), uri.len - strlen(scheme));
    uri.len = am_span_find(uri, '?'); /* subject and the like are ours to choose */
    struct am_span address = decode(arena, uri);
    return address.ptr == NULL ? NULL : dmarc_rua_address(arena, address);
}

static bool is_there(const struct dmarc_rua *rua, const char *address)
{
    for (size_t i = 0; i < rua->count; i++)
        if (strcmp(rua->uris[i].address, address) == 0)
            return true;
    return false;
}

void dmarc_rua_parse(struct dmarc_rua *rua, struct am_arena *arena, struct am_span value,
                     size_t most)
{
    memset(rua, 0, sizeof(*rua));
    for (size_t len; value.len > 0; value = am_span_of(value.ptr + len, value.len - len)) {
        len = am_span_find(value, ',');
        struct am_span uri = am_span_trim(am_span_of(value.ptr, len));

        len += len < value.len;
        if (uri.len == 0)
            continue;
        const char *address = address_of(arena, uri);
        if (address == NULL) {
            rua->malformed++;
        } else if (!is_there(rua, address)) {
            if (rua->count == most)
                rua->left_over++;
            else
                rua->uris[rua->count++] = (struct dmarc_uri){address, strrchr(address, '@') + 1};
        }
    }
}
