#include "common/dns/dns_name.h"

#include <string.h>

#include "common/base/span.h"

/* Reads one byte of a label, escaped or not; returns what follows it, or NULL. */
static const char *read_byte(const char *p, uint8_t *byte)
{
    if (*p != '\\') {
        *byte = (uint8_t)*p;
        return p + 1;
    }
    p++;
    if (*p == '\0')
        return NULL;
    if (!am_is_digit((unsigned char)*p)) {
        *byte = (uint8_t)*p;
        return p + 1;
    }
    unsigned value = 0;
    for (int i = 0; i < 3; i++, p++) {
        if (!am_is_digit((unsigned char)*p))
            return NULL;
        value = value * 10 + (unsigned)(*p - '0');
    }
    if (value > 255)
        return NULL;
    *byte = (uint8_t)value;
    return p;
}

bool am_dns_name_parse(struct am_dns_name *name, const char *text)
{
    size_t at = 0; /* where the length octet of the current label stands */
    size_t used = 1;

    if (strcmp(text, ".") == 0)
        text = "";
    else if (*text == '\0')
        return false;
    while (*text != '\0') {
        if (*text == '.') {
            if (used - at == 1)
                return false;
            name->wire[at] = (uint8_t)(used - at - 1);
            at = used++;
            text++;
        } else {
            uint8_t byte;
            text = read_byte(text, &byte);
            if (text == NULL || used - at > 63)
                return false;
            /* One octet stays free for the root label. */
            if (used >= AM_DNS_NAME_WIRE_MAX - 1)
                return false;
            name->wire[used++] = (uint8_t)am_lower((char)byte);
        }
    }
    if (used - at > 1) {
        name->wire[at] = (uint8_t)(used - at - 1);
        at = used++;
    }
    name->wire[at] = 0;
    name->len = (uint8_t)used;
    return true;
}

bool am_dns_name_from_wire(struct am_dns_name *name, const uint8_t *data, size_t size)
{
    size_t used = 0;

    for (;;) {
        if (used >= size || used >= AM_DNS_NAME_WIRE_MAX)
            return false;
        size_t label = data[used];
        name->wire[used++] = (uint8_t)label;
        if (label == 0)
            break;
        if (label > 63 || label > size - used || used + label >= AM_DNS_NAME_WIRE_MAX)
            return false;
        for (; label > 0; label--, used++)
            name->wire[used] = (uint8_t)am_lower((char)data[used]);
    }
    name->len = (uint8_t)used;
    return true;
}

bool am_dns_name_equal(const struct am_dns_name *a, const struct am_dns_name *b)
{
    return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

/* Bytes that mean something else, or nothing, in a master file or a log. */
static bool is_plain(uint8_t c)
{
    return c > ' ' && c < 127 && strchr(".\\\"();@$", c) == NULL;
}

size_t am_dns_name_print(const struct am_dns_name *name, char out[AM_DNS_NAME_TEXT_MAX])
{
    size_t len = 0;

    for (size_t at = 0; name->wire[at] != 0; at += name->wire[at] + 1u) {
        if (len > 0)
            out[len++] = '.';
        for (size_t i = at + 1; i <= at + name->wire[at]; i++) {
            uint8_t c = name->wire[i];
            if (is_plain(c)) {
                out[len++] = (char)c;
                continue;
            }
            out[len++] = '\\';
            out[len++] = (char)('0' + c / 100);
            out[len++] = (char)('0' + c / 10 % 10);
            out[len++] = (char)('0' + c % 10);
        }
    }
    out[len] = '\0';
    return len;
}

bool am_dns_name_parent(const struct am_dns_name *name, struct am_dns_name *parent)
{
    size_t skip = name->wire[0] + 1u;

    if (name->wire[0] == 0)
        return false;
    parent->len = (uint8_t)(name->len - skip);
    memmove(parent->wire, name->wire + skip, parent->len);
    return true;
}
