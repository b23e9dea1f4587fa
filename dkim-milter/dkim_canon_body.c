#include "dkim-milter/dkim_canon_body.h"

#include "dkim-milter/dkim_gather.h"
#include "dkim-milter/dkim_scan.h"

#define LINES_AT_ONCE 64

#define EIGHT_LINES "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
static const char line_ends[] =
    EIGHT_LINES EIGHT_LINES EIGHT_LINES EIGHT_LINES EIGHT_LINES EIGHT_LINES EIGHT_LINES EIGHT_LINES;

void dkim_canon_body_init(struct dkim_canon_body *body, enum dkim_canon canon)
{
    *body = (struct dkim_canon_body){.canon = canon};
}

/* Something follows that counts: what was held back before it counts as well. */
static void release(struct dkim_canon_body *body, struct dkim_gather *out)
{
    while (body->held_lines > 0) {
        size_t count = body->held_lines < LINES_AT_ONCE ? (size_t)body->held_lines : LINES_AT_ONCE;
        dkim_gather_add(out, line_ends, 2 * count);
        body->held_lines -= count;
    }
    if (body->held_blank)
        dkim_gather_add(out, " ", 1);
    body->held_blank = false;
    body->has_content = true;
}

/* Octets that are canonical but for the line ends they close with. `text` begins no line end that
   an earlier octet belongs to, and holds all of those it ends with. */
static void add_text(struct dkim_canon_body *body, struct am_span text, struct dkim_gather *out)
{
    uint64_t lines = 0;

    while (text.len >= 2 && text.ptr[text.len - 1] == '\n' && text.ptr[text.len - 2] == '\r') {
        text.len -= 2;
        lines++;
    }
    if (text.len > 0) {
        release(body, out);
        dkim_gather_add(out, text.ptr, text.len);
    }
    body->held_lines += lines;
}

/* The octet after a CR that ended the last chunk. Returns how many octets it used up. */
static size_t settle_cr(struct dkim_canon_body *body, char next, struct dkim_gather *out)
{
    body->held_cr = false;
    if (next == '\n') {
        body->held_blank = false;
        body->held_lines++;
        return 1;
    }
    release(body, out);
    dkim_gather_add(out, "\r", 1);
    return 0;
}

/* Passes over blanks and the line ends that make them go. Returns how many octets these are. */
static size_t skip_blanks(struct dkim_canon_body *body, struct am_span text)
{
    size_t i = 0;

    for (;;) {
        size_t run = i;
        while (i < text.len && (text.ptr[i] == ' ' || text.ptr[i] == '\t'))
            i++;
        if (i > run)
            body->held_blank = true;
        if (!body->held_blank || text.len - i < 2 || text.ptr[i] != '\r' || text.ptr[i + 1] != '\n')
            return i;
        body->held_blank = false;
        body->held_lines++;
        i += 2;
    }
}

/* `text` does not end with a CR. */
static void add_relaxed(struct dkim_canon_body *body, struct am_span text, struct dkim_gather *out)
{
    size_t i = 0;

    while (i < text.len) {
        i += skip_blanks(body, am_span_of(text.ptr + i, text.len - i));
        struct am_span rest = am_span_of(text.ptr + i, text.len - i);
        size_t len = dkim_scan_body(rest);
        if (len > 0) {
            if (body->held_blank)
                release(body, out);
            add_text(body, am_span_of(rest.ptr, len), out);
        }
        i += len;
    }
}

void dkim_canon_body_update(struct dkim_canon_body *body, struct am_span chunk,
                            const struct dkim_sink *sink)
{
    struct dkim_gather out;

    if (chunk.len == 0)
        return;
    dkim_gather_init(&out, sink);
    if (body->held_cr) {
        size_t used = settle_cr(body, chunk.ptr[0], &out);
        chunk = am_span_of(chunk.ptr + used, chunk.len - used);
    }
    /* Only the next chunk tells what a CR at the end is. */
    bool ends_with_cr = chunk.len > 0 && chunk.ptr[chunk.len - 1] == '\r';
    if (ends_with_cr)
        chunk.len--;
    if (body->canon == DKIM_CANON_SIMPLE)
        add_text(body, chunk, &out);
    else
        add_relaxed(body, chunk, &out);
    body->held_cr = ends_with_cr;
    dkim_gather_flush(&out);
}

void dkim_canon_body_finish(struct dkim_canon_body *body, const struct dkim_sink *sink)
{
    struct dkim_gather out;

    dkim_gather_init(&out, sink);
    if (body->held_cr) {
        release(body, &out);
        dkim_gather_add(&out, "\r", 1);
    }
    if (body->canon == DKIM_CANON_SIMPLE || body->has_content)
        dkim_gather_add(&out, "\r\n", 2);
    dkim_gather_flush(&out);
}
