#include "trace-milter/trace_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/mail/address.h"

/* Room for a few texts; more is never asked for. */
#define LINE_MAX_BYTES 16384

void am_trace_line_init(struct trace_line *line, size_t max_text, bool hide)
{
    am_buf_init(&line->text, LINE_MAX_BYTES);
    line->max_text = max_text < TRACE_TEXT_MAX ? max_text : TRACE_TEXT_MAX;
    line->hide = hide;
}

void am_trace_line_fini(struct trace_line *line)
{
    am_buf_fini(&line->text);
}

void am_trace_line_say(struct trace_line *line, const char *format, ...)
{
    char words[512];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    am_buf_add_str(&line->text, words);
}

void am_trace_line_add(struct trace_line *line, struct am_span text)
{
    size_t shown = text.len < line->max_text ? text.len : line->max_text;

    for (size_t i = 0; i < shown; i++)
        am_buf_add_char(&line->text, text.ptr[i] == '\0' ? '?' : text.ptr[i]);
    if (shown < text.len)
        am_buf_add_str(&line->text, "[...]");
}

void am_trace_line_add_content(struct trace_line *line, struct am_span text)
{
    if (text.len == 0)
        return;
    if (line->hide) {
        am_trace_line_say(line, " (%zu octets)", text.len);
        return;
    }
    am_buf_add_str(&line->text, ": ");
    am_trace_line_add(line, text);
}

void am_trace_line_add_reply(struct trace_line *line, const char *text)
{
    if (text == NULL)
        return;
    if (!line->hide) {
        am_trace_line_add_content(line, am_span_str(text));
        return;
    }
    if (am_is_digit((unsigned char)text[0]) && am_is_digit((unsigned char)text[1]) &&
        am_is_digit((unsigned char)text[2]))
        am_trace_line_say(line, ": %.3s", text);
}

void am_trace_line_add_path(struct trace_line *line, struct am_span path)
{
    struct am_address address;

    if (!line->hide) {
        am_trace_line_add(line, path);
        return;
    }
    (void)am_address_parse(&address, path);
    if (address.is_null) {
        am_buf_add_str(&line->text, "<>");
        return;
    }
    am_buf_add_str(&line->text, address.domain.len == 0 ? "<x" : "<x@");
    am_trace_line_add(line, address.domain);
    am_buf_add_char(&line->text, '>');
}

void am_trace_line_add_param(struct trace_line *line, const char *param)
{
    struct am_span text = am_span_str(param);

    if (line->hide)
        text.len = am_span_find(text, '=');
    am_buf_add_char(&line->text, ' ');
    am_trace_line_add(line, text);
}
