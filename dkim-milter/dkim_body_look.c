#include "dkim-milter/dkim_body_look.h"

/* A line with its CRLF. */
#define FULL_LINE (DKIM_LINE_MAX + 2)

void dkim_body_look_init(struct dkim_body_look *look, bool want_8bit)
{
    *look = (struct dkim_body_look){.want_8bit = want_8bit};
}

static bool has_8bit(struct am_span text)
{
    size_t i = 0;

    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;

        memcpy(&word, text.ptr + i, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            return true;
    }
    for (; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return true;
    return false;
}

/*
 * Where the last line end of a stretch no longer than a line is found, every line before it is
 * short enough: so each stretch is searched from its end.
 */
static void look_for_long(struct dkim_body_look *look, struct am_span text)
{
    while (!look->has_long) {
        size_t room = FULL_LINE - look->since;
        size_t len = text.len < room ? text.len : room;
        const char *end = len == 0 ? NULL : memrchr(text.ptr, '\n', len);

        if (end == NULL) {
            look->since += len;
            look->has_long = text.len > len || look->since == FULL_LINE;
            return;
        }
        size_t used = (size_t)(end - text.ptr) + 1;
        text = am_span_of(text.ptr + used, text.len - used);
        look->since = 0;
    }
}

void dkim_body_look_update(struct dkim_body_look *look, struct am_span chunk)
{
    if (look->want_8bit && !look->has_8bit)
        look->has_8bit = has_8bit(chunk);
    if (!look->has_long)
        look_for_long(look, chunk);
}

void dkim_body_look_finish(struct dkim_body_look *look)
{
    look->has_long = look->has_long || look->since > DKIM_LINE_MAX;
}
