#include "dkim-milter/dkim_canon_header.h"

#include "dkim-milter/dkim_gather.h"
#include "dkim-milter/dkim_scan.h"

/* LF alone is how a milter gets line ends; the signer saw CRLF. */
static void add_simple(struct dkim_gather *out, struct am_span text)
{
    while (text.len > 0) {
        size_t len = am_span_find(text, '\n');
        if (len == text.len) {
            dkim_gather_add(out, text.ptr, len);
            return;
        }
        dkim_gather_add(out, text.ptr, len);
        if (len == 0 || text.ptr[len - 1] != '\r')
            dkim_gather_add(out, "\r", 1);
        dkim_gather_add(out, "\n", 1);
        text = am_span_of(text.ptr + len + 1, text.len - len - 1);
    }
}

/* What relaxed remembers from one piece of a value to the next. */
struct relaxed {
    bool started; /* something but blanks was there */
    bool blank;   /* a run of blanks waits for something to follow */
};

/* Returns the length of the blanks and line ends at the start; `blank` tells of blanks. */
static size_t skip_blanks(struct am_span text, bool *blank)
{
    size_t i = 0;

    for (; i < text.len; i++) {
        if (text.ptr[i] == ' ' || text.ptr[i] == '\t')
            *blank = true;
        else if (text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n')
            i++;
        else if (text.ptr[i] != '\n')
            break;
    }
    return i;
}

static void add_relaxed(struct dkim_gather *out, struct relaxed *state, struct am_span text)
{
    while (text.len > 0) {
        size_t skipped = skip_blanks(text, &state->blank);
        text = am_span_of(text.ptr + skipped, text.len - skipped);
        if (text.len == 0)
            return;
        if (state->blank && state->started)
            dkim_gather_add(out, " ", 1);
        state->blank = false;
        state->started = true;

        size_t len = dkim_scan_field(text);
        bool is_fold = len < text.len && text.ptr[len] == '\n' && text.ptr[len - 1] == '\r';
        dkim_gather_add(out, text.ptr, is_fold ? len - 1 : len);
        text = am_span_of(text.ptr + len, text.len - len);
    }
}

/* `cut`: within the value, left out. */
static void add_field(enum dkim_canon canon, const struct dkim_field *field, struct am_span cut,
                      struct dkim_gather *out)
{
    const char *end = field->raw.ptr + field->raw.len;
    const char *start = canon == DKIM_CANON_SIMPLE ? field->raw.ptr : field->value.ptr;
    struct am_span before = am_span_of(start, (size_t)(cut.ptr - start));
    struct am_span after = am_span_of(cut.ptr + cut.len, (size_t)(end - cut.ptr) - cut.len);

    if (canon == DKIM_CANON_SIMPLE) {
        add_simple(out, before);
        add_simple(out, after);
        return;
    }
    struct relaxed state = {false, false};
    dkim_gather_add(out, field->lower.ptr, field->lower.len);
    add_relaxed(out, &state, before);
    add_relaxed(out, &state, after);
}

void dkim_canon_header(enum dkim_canon canon, const struct dkim_field *field,
                       const struct dkim_sink *sink)
{
    struct dkim_gather out;

    dkim_gather_init(&out, sink);
    add_field(canon, field, am_span_of(field->value.ptr, 0), &out);
    dkim_gather_add(&out, "\r\n", 2);
    dkim_gather_flush(&out);
}

void dkim_canon_header_signature(enum dkim_canon canon, const struct dkim_field *field,
                                 struct am_span b_value, const struct dkim_sink *sink)
{
    struct dkim_gather out;

    dkim_gather_init(&out, sink);
    add_field(canon, field, b_value.len > 0 ? b_value : am_span_of(field->value.ptr, 0), &out);
    dkim_gather_flush(&out);
}
