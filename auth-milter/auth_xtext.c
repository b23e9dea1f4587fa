#include "auth-milter/auth_xtext.h"

/* RFC 3461 section 4: upper case only. Returns -1 for anything else. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Writes what the text stands for to `out`, never longer than the text. Returns false when it is no
 * xtext. */
static bool decode(struct am_span text, char *out, size_t *len)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '+') {
            int high = i + 1 < text.len ? hex_value(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c < '!' || c > '~' || c == '=') {
            return false;
        }
        out[(*len)++] = c;
    }
    return true;
}

bool auth_xtext_mailbox(struct am_arena *arena, struct am_span text, struct am_span *mailbox)
{
    struct am_address address;
    size_t len = 0;
    char *out = am_arena_alloc(arena, text.len + 1);

    if (out == NULL || !decode(text, out, &len))
        return false;
    /* Brackets or a source route would be gone in `full`, but do not belong here. */
    if (!am_address_parse(&address, am_span_of(out, len)) || address.full.len != len ||
        address.local.len == 0 || address.domain.len == 0)
        return false;
    *mailbox = address.full;
    return true;
}
