#include "dmarc-milter/dmarc_list.h"

#include "common/mail/domain.h"

const char *dmarc_list_id(struct am_arena *arena, struct am_span value)
{
    size_t open = am_span_find_last(value, '<');

    if (open < value.len) {
        value = am_span_of(value.ptr + open + 1, value.len - open - 1);
        size_t close = am_span_find(value, '>');
        if (close == value.len)
            return NULL;
        value.len = close;
    }
    value = am_span_trim(value);
    if (value.len == 0 || value.len > AM_DOMAIN_MAX)
        return NULL;
    const char *name = am_domain_to_ascii(arena, value);
    return name != NULL && am_domain_is_valid(am_span_str(name)) ? name : NULL;
}
