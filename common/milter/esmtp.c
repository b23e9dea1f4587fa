#include "common/milter/module.h"

const char *am_esmtp_params_find(const struct am_esmtp_params *params, const char *keyword)
{
    for (size_t i = 0; i < params->count; i++) {
        struct am_span item = am_span_str(params->items[i]);
        size_t equals = am_span_find(item, '=');
        if (am_span_equal_nocase(am_span_of(item.ptr, equals), am_span_str(keyword)))
            return equals < item.len ? item.ptr + equals + 1 : "";
    }
    return NULL;
}
