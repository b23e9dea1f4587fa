#include "common/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY_MIN ((size_t)64)

void am_buf_init(struct am_buf *buf, size_t limit)
{
    *buf = (struct am_buf){.limit = limit};
}

void am_buf_fini(struct am_buf *buf)
{
    free(buf->data);
    am_buf_init(buf, buf->limit);
}

void am_buf_clear(struct am_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

/* Makes room for `extra` bytes and the NUL after them. */
static bool reserve(struct am_buf *buf, size_t extra)
{
    size_t wanted, capacity;
    char *grown;

    if (buf->failed)
        return false;
    if (extra > SIZE_MAX / 4 || (buf->limit != 0 && extra > buf->limit - buf->len)) {
        buf->failed = true;
        return false;
    }
    wanted = buf->len + extra + 1;
    if (wanted <= buf->capacity)
        return true;
    capacity = buf->capacity < CAPACITY_MIN ? CAPACITY_MIN : buf->capacity * 2;
    if (capacity < wanted)
        capacity = wanted;
    grown = realloc(buf->data, capacity);
    if (grown == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = grown;
    buf->capacity = capacity;
    return true;
}

void am_buf_add(struct am_buf *buf, struct am_span text)
{
    if (!reserve(buf, text.len))
        return;
    if (text.len > 0)
        memcpy(buf->data + buf->len, text.ptr, text.len);
    buf->len += text.len;
    buf->data[buf->len] = '\0';
}

void am_buf_add_char(struct am_buf *buf, char c)
{
    am_buf_add(buf, am_span_of(&c, 1));
}

void am_buf_add_str(struct am_buf *buf, const char *text)
{
    am_buf_add(buf, am_span_str(text));
}

void am_buf_printf(struct am_buf *buf, const char *format, ...)
{
    va_list args;
    int len;

    if (buf->failed)
        return;
    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    if (!reserve(buf, (size_t)len))
        return;
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

const char *am_buf_str(const struct am_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

struct am_span am_buf_span(const struct am_buf *buf)
{
    return am_span_of(am_buf_str(buf), buf->len);
}
