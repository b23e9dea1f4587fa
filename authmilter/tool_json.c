#include "authmilter/tool_json.h"

#include "common/base/log.h"

json_t *tool_json_text(struct am_span text)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, text);
    json_t *value = escaped.failed ? NULL : json_string(am_buf_str(&escaped));
    am_buf_fini(&escaped);
    return value;
}

json_t *tool_json_str(const char *text)
{
    return text == NULL ? json_null() : tool_json_text(am_span_str(text));
}

bool tool_json_print(json_t *object, FILE *out)
{
    if (object == NULL)
        return false;
    bool written = json_dumpf(object, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
    json_decref(object);
    return written;
}
