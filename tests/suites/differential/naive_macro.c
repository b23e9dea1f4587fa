#include "tests/suites/differential/naive_macro.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 64

static bool value_of(const struct spf_request *request, const char *domain, int letter, char *out,
                     size_t size)
{
    const struct am_address *sender = &request->sender;
    char ip[AM_IP_TEXT_MAX];
    switch (letter) {
    case 's':
        return snprintf(out, size, "%.*s", (int)sender->full.len, sender->full.ptr) > 0;
    case 'l':
        return snprintf(out, size, "%.*s", (int)sender->local.len, sender->local.ptr) > 0;
    case 'o':
        return snprintf(out, size, "%.*s", (int)sender->domain.len, sender->domain.ptr) > 0;
    case 'd':
        return snprintf(out, size, "%s", domain) > 0;
    case 'h':
        return snprintf(out, size, "%.*s", (int)request->helo.len, request->helo.ptr) > 0;
    case 'v':
        return snprintf(out, size, "%s", request->client.family == 6 ? "ip6" : "in-addr") > 0;
    case 'i':
        if (request->client.family == 4)
            return snprintf(out, size, "%s", am_ip_format(&request->client, ip)) > 0;
        *out = '\0';
        for (int i = 0; i < 32; i++)
            sprintf(out + strlen(out), "%s%x", i > 0 ? "." : "",
                    request->client.bytes[i / 2] >> (i % 2 ? 0 : 4) & 15);
        return true;
    default:
        return false;
    }
}

static size_t split(char *text, const char *delimiters, char *parts[PARTS_MAX])
{
    size_t count = 0;
    for (char *part; count < PARTS_MAX && (part = strsep(&text, delimiters)) != NULL;)
        parts[count++] = part;
    return count;
}

static void add_joined(char *const *parts, size_t count, size_t keep, bool reverse, bool escape,
                       struct am_buf *out)
{
    for (size_t i = count - keep; i < count; i++) {
        const char *part = parts[reverse ? count - 1 - i : i];
        if (i > count - keep)
            am_buf_add_char(out, '.');
        for (; *part != '\0'; part++)
            if (escape && !isalnum((unsigned char)*part) && strchr("-._~", *part) == NULL)
                am_buf_printf(out, "%%%02X", (unsigned char)*part);
            else
                am_buf_add_char(out, *part);
    }
}

/* "%{...}" at `at`, without the outer signs. */
static bool expand_braces(const struct spf_request *request, const char *domain, const char *inner,
                          struct am_buf *out)
{
    char value[512], *rest, *parts[PARTS_MAX];
    if (!value_of(request, domain, tolower((unsigned char)inner[0]), value, sizeof(value)))
        return false;
    size_t keep = strtoul(inner + 1, &rest, 10);
    bool reverse = *rest == 'r' || *rest == 'R';
    const char *delimiters = rest + reverse;
    size_t count = split(value, *delimiters == '\0' ? "." : delimiters, parts);
    if (keep == 0 || keep > count)
        keep = count;
    add_joined(parts, count, keep, reverse, isupper((unsigned char)inner[0]) != 0, out);
    return true;
}

bool naive_macro_expand(const struct spf_request *request, const char *domain, struct am_span spec,
                        struct am_buf *out)
{
    for (size_t i = 0; i < spec.len; i++) {
        if (spec.ptr[i] != '%') {
            am_buf_add_char(out, spec.ptr[i]);
            continue;
        }
        char kind = spec.ptr[++i];
        if (kind != '{') {
            am_buf_add_str(out, kind == '_' ? " " : kind == '-' ? "%20" : "%");
            continue;
        }
        char inner[64];
        size_t len = am_span_find(am_span_of(spec.ptr + i, spec.len - i), '}');
        snprintf(inner, sizeof(inner), "%.*s", (int)(len - 1), spec.ptr + i + 1);
        if (!expand_braces(request, domain, inner, out))
            return false;
        i += len;
    }
    if (out->len > 0 && out->data[out->len - 1] == '.')
        out->data[--out->len] = '\0';
    return true;
}
