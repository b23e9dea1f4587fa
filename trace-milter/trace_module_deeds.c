#include "trace-milter/trace_module_lines.h"

/* What modules and the framework do, told by the witness callback. */

static void add_result(struct trace_line *line, const struct am_result *result)
{
    am_trace_line_say(line, "result %s=%s", result->method, result->result);
    for (size_t i = 0; i < result->property_count; i++) {
        const struct am_property *property = &result->properties[i];
        am_trace_line_say(line, " %s.%s", property->ptype, property->property);
        if (!line->hide) {
            am_trace_line_say(line, "=");
            am_trace_line_add(line, property->value);
        }
    }
    if (result->reason != NULL)
        am_trace_line_add_content(line, am_span_str(result->reason));
}

static void add_verdict(struct trace_line *line, const struct am_deed *deed)
{
    am_trace_line_say(line, "%s at %s: %s", deed->module, deed->stage, deed->verdict_word);
    am_trace_line_add_reply(line, deed->text);
}

static void add_answer(struct trace_line *line, const struct am_deed *deed)
{
    am_trace_line_say(line, "answer %s",
                      deed->verdict == AM_CONTINUE ? "accept" : deed->verdict_word);
    if (deed->stage != NULL)
        am_trace_line_say(line, " (%s at %s)", deed->module == NULL ? "framework" : deed->module,
                          deed->stage);
    am_trace_line_add_reply(line, deed->text);
}

static void add_field(struct trace_line *line, const char *what, const struct am_deed *deed)
{
    am_trace_line_say(line, "edit: %s header ", what);
    if (deed->kind != AM_DEED_ADD_HEADER)
        am_trace_line_say(line, "%u ", deed->index);
    am_trace_line_add(line, am_span_str(deed->name));
    if (deed->value != NULL)
        am_trace_line_add_content(line, am_span_str(deed->value));
}

static void add_path(struct trace_line *line, const char *what, const struct am_deed *deed)
{
    am_trace_line_say(line, "edit: %s ", what);
    am_trace_line_add_path(line, am_span_str(deed->name));
    if (deed->value != NULL)
        am_trace_line_add_param(line, deed->value);
}

static void add_deed(struct trace_line *line, const struct am_deed *deed)
{
    switch (deed->kind) {
    case AM_DEED_RESULT:
        am_trace_line_say(line, "%s at %s: ", deed->module, deed->stage);
        add_result(line, deed->result);
        break;
    case AM_DEED_VERDICT:
        add_verdict(line, deed);
        break;
    case AM_DEED_ANSWER:
        add_answer(line, deed);
        break;
    case AM_DEED_ADD_HEADER:
        add_field(line, "add", deed);
        break;
    case AM_DEED_INSERT_HEADER:
        add_field(line, "insert", deed);
        break;
    case AM_DEED_CHANGE_HEADER:
        add_field(line, "change", deed);
        break;
    case AM_DEED_DELETE_HEADER:
        add_field(line, "delete", deed);
        break;
    case AM_DEED_ADD_RECIPIENT:
        add_path(line, "add recipient", deed);
        break;
    case AM_DEED_DELETE_RECIPIENT:
        add_path(line, "delete recipient", deed);
        break;
    case AM_DEED_CHANGE_SENDER:
        add_path(line, "change sender", deed);
        break;
    case AM_DEED_REPLACE_BODY:
        am_trace_line_say(line, "edit: replace body, %zu octets", deed->size);
        break;
    case AM_DEED_QUARANTINE:
        am_trace_line_say(line, "edit: quarantine");
        am_trace_line_add_content(line, am_span_str(deed->text));
        break;
    }
}

void am_trace_deed(struct am_ctx *ctx, const struct am_deed *deed)
{
    struct trace_line line;

    if (!am_trace_line_begin(ctx, &line, deed->kind == AM_DEED_ANSWER))
        return;
    add_deed(&line, deed);
    am_trace_line_end(&line);
}
