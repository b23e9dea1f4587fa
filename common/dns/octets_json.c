#include "common/dns/octets_json.h"

#include "common/base/log.h"

json_t *am_octets_to_json(struct am_span text)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, text);
    json_t *string = escaped.failed ? NULL : json_stringn(am_buf_str(&escaped), escaped.len);
    am_buf_fini(&escaped);
    return string;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return am_lower(c) >= 'a' && am_lower(c) <= 'f' ? am_lower(c) - 'a' + 10 : -1;
}

bool am_octets_from_json(struct am_arena *arena, const json_t *value, struct am_span *out)
{
    size_t len = json_string_length(value), used = 0;
    const char *text = json_string_value(value);
    char *copy = text == NULL ? NULL : am_arena_alloc(arena, len + 1);

    if (copy == NULL)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\\') {
            copy[used++] = text[i];
        } else if (i + 1 < len && text[i + 1] == '\\') {
            copy[used++] = '\\';
            i++;
        } else if (i + 3 < len && text[i + 1] == 'x' && digit(text[i + 2]) >= 0 &&
                   digit(text[i + 3]) >= 0) {
            copy[used++] = (char)(digit(text[i + 2]) << 4 | digit(text[i + 3]));
            i += 3;
        } else {
            return false;
        }
    }
    *out = am_span_of(copy, used);
    return true;
}
