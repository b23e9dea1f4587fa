#include "authmilter/mta/fields.h"

#include <string.h>

struct mta_fields mta_fields_of(struct am_span content)
{
    return (struct mta_fields){.rest = content};
}

uint32_t mta_fields_u32(struct mta_fields *fields)
{
    if (fields->bad || fields->rest.len < 4) {
        fields->bad = true;
        return 0;
    }
    const unsigned char *p = (const unsigned char *)fields->rest.ptr;
    fields->rest = am_span_of(fields->rest.ptr + 4, fields->rest.len - 4);
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

const char *mta_fields_string(struct mta_fields *fields)
{
    const char *start = fields->rest.ptr;
    const char *nul =
        fields->bad || fields->rest.len == 0 ? NULL : memchr(start, '\0', fields->rest.len);
    if (nul == NULL) {
        fields->bad = true;
        return "";
    }
    size_t used = (size_t)(nul - start) + 1;
    fields->rest = am_span_of(start + used, fields->rest.len - used);
    return start;
}

bool mta_fields_done(const struct mta_fields *fields)
{
    return !fields->bad && fields->rest.len == 0;
}

void mta_put_u32(struct am_buf *out, uint32_t value)
{
    char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    am_buf_add(out, am_span_of(bytes, sizeof(bytes)));
}

void mta_put_string(struct am_buf *out, struct am_span text)
{
    size_t len = text.len == 0 ? 0 : strnlen(text.ptr, text.len);
    am_buf_add(out, am_span_of(text.ptr, len));
    am_buf_add_char(out, '\0');
}

void mta_put_packet(struct am_buf *out, char command, struct am_span content)
{
    mta_put_u32(out, (uint32_t)(content.len + 1));
    am_buf_add_char(out, command);
    am_buf_add(out, content);
}
