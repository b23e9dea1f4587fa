#include "tests/unit/dkim/reference_canon.h"

static bool is_wsp(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_crlf(struct am_span text, size_t i)
{
    return i + 1 < text.len && text.ptr[i] == '\r' && text.ptr[i + 1] == '\n';
}

/* "Ignore all whitespace at the end of lines", then "reduce all sequences of WSP within a line to a
   single SP". */
static void add_reduced(struct am_span line, struct am_buf *out)
{
    while (line.len > 0 && is_wsp(line.ptr[line.len - 1]))
        line.len--;
    for (size_t i = 0; i < line.len; i++) {
        if (!is_wsp(line.ptr[i]))
            am_buf_add_char(out, line.ptr[i]);
        else if (i == 0 || !is_wsp(line.ptr[i - 1]))
            am_buf_add_char(out, ' ');
    }
}

void reference_canon_body(enum dkim_canon canon, struct am_span body, struct am_buf *out)
{
    size_t start = out->len;
    size_t kept = start; /* the end of the last line that is not empty */
    size_t i = 0;

    while (i < body.len) {
        size_t line_start = i, before = out->len;
        while (i < body.len && !is_crlf(body, i))
            i++;
        struct am_span line = am_span_of(body.ptr + line_start, i - line_start);
        if (canon == DKIM_CANON_RELAXED)
            add_reduced(line, out);
        else
            am_buf_add(out, line);
        bool empty = out->len == before;
        /* Where there is no CRLF, one is added. */
        am_buf_add_str(out, "\r\n");
        i += 2;
        if (!empty)
            kept = out->len;
    }
    /* "Ignore all empty lines at the end of the message body." */
    out->len = kept;
    /* 3.4.3: "if there is no body ... a CRLF is added"; 3.4.4 leaves nothing. */
    if (kept == start && canon == DKIM_CANON_SIMPLE)
        am_buf_add_str(out, "\r\n");
}

/* LF and CRLF are both line ends here; the signer had CRLF. */
static void add_with_crlf(struct am_span text, struct am_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
            am_buf_add_char(out, '\r');
        am_buf_add_char(out, text.ptr[i]);
    }
}

static void add_relaxed_value(struct am_span text, struct am_buf *out)
{
    struct am_buf unfolded;

    am_buf_init(&unfolded, 0);
    /* "Unfold all header field continuation lines": the CRLF goes. */
    for (size_t i = 0; i < text.len; i++) {
        if (is_crlf(text, i))
            i++;
        else
            am_buf_add_char(&unfolded, text.ptr[i]);
    }
    /* "Convert all sequences of one or more WSP characters to a single SP"; "delete all WSP
       characters at the end of each unfolded header field value"; "delete any WSP characters
       remaining before and after the colon". */
    struct am_span value = am_buf_span(&unfolded);
    while (value.len > 0 && is_wsp(value.ptr[0]))
        value = am_span_of(value.ptr + 1, value.len - 1);
    add_reduced(value, out);
    am_buf_fini(&unfolded);
}

void reference_canon_header(enum dkim_canon canon, struct am_span name, struct am_span value,
                            struct am_span cut, struct am_buf *out)
{
    struct am_buf shortened, lines;

    am_buf_init(&shortened, 0);
    am_buf_init(&lines, 0);
    for (size_t i = 0; i < value.len; i++) {
        bool is_cut = cut.len > 0 && value.ptr + i >= cut.ptr && value.ptr + i < cut.ptr + cut.len;
        if (!is_cut)
            am_buf_add_char(&shortened, value.ptr[i]);
    }
    add_with_crlf(am_buf_span(&shortened), &lines);

    if (canon == DKIM_CANON_RELAXED) {
        while (name.len > 0 && is_wsp(name.ptr[name.len - 1]))
            name.len--;
    }
    for (size_t i = 0; i < name.len; i++)
        am_buf_add_char(out, canon == DKIM_CANON_RELAXED ? am_lower(name.ptr[i]) : name.ptr[i]);
    am_buf_add_char(out, ':');
    if (canon == DKIM_CANON_RELAXED)
        add_relaxed_value(am_buf_span(&lines), out);
    else
        am_buf_add(out, am_buf_span(&lines));
    am_buf_fini(&shortened);
    am_buf_fini(&lines);
}

static void take(void *user, const char *ptr, size_t len)
{
    am_buf_add(user, am_span_of(ptr, len));
}

struct dkim_sink reference_sink(struct am_buf *out)
{
    return (struct dkim_sink){take, out};
}
