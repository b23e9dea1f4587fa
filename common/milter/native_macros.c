#include "common/milter/native_macros.h"

#include <stdlib.h>
#include <string.h>

#include "common/milter/native_packet.h"

/* Returns AM_NATIVE_MACRO_STAGES for a command without macros of its own. */
static enum am_native_macro_stage stage_of(char command)
{
    switch (command) {
    case AM_NATIVE_CONNECT:
        return AM_NATIVE_MACROS_CONNECT;
    case AM_NATIVE_HELO:
        return AM_NATIVE_MACROS_HELO;
    case AM_NATIVE_MAIL:
        return AM_NATIVE_MACROS_MAIL;
    case AM_NATIVE_RCPT:
        return AM_NATIVE_MACROS_RCPT;
    case AM_NATIVE_DATA:
        return AM_NATIVE_MACROS_DATA;
    case AM_NATIVE_EOM:
        return AM_NATIVE_MACROS_EOM;
    case AM_NATIVE_EOH:
        return AM_NATIVE_MACROS_EOH;
    default:
        return AM_NATIVE_MACRO_STAGES;
    }
}

static void drop(struct am_native_macros *self, size_t stage)
{
    free(self->texts[stage]);
    self->texts[stage] = NULL;
    self->lengths[stage] = 0;
}

bool am_native_macros_set(struct am_native_macros *self, struct am_span content)
{
    if (content.len == 0 || content.len > AM_NATIVE_MACROS_MAX)
        return false;
    enum am_native_macro_stage stage = stage_of(content.ptr[0]);
    struct am_span pairs = am_span_of(content.ptr + 1, content.len - 1);
    if (pairs.len > 0 && pairs.ptr[pairs.len - 1] != '\0')
        return false;
    if (stage == AM_NATIVE_MACRO_STAGES)
        return true;
    drop(self, stage);
    if (pairs.len == 0)
        return true;
    self->texts[stage] = malloc(pairs.len);
    if (self->texts[stage] == NULL)
        return false;
    memcpy(self->texts[stage], pairs.ptr, pairs.len);
    self->lengths[stage] = (unsigned)pairs.len;
    return true;
}

/* The name without the braces around it. */
static struct am_span bare(const char *name)
{
    struct am_span text = am_span_str(name);

    if (text.len > 2 && text.ptr[0] == '{' && text.ptr[text.len - 1] == '}')
        return am_span_of(text.ptr + 1, text.len - 2);
    return text;
}

const char *am_native_macros_find(const struct am_native_macros *self, const char *name)
{
    struct am_span wanted = bare(name);

    for (size_t stage = AM_NATIVE_MACRO_STAGES; stage-- > 0;) {
        struct am_span pairs = am_span_of(self->texts[stage], self->lengths[stage]);
        const char *key, *value;
        while ((key = am_native_take_text(&pairs)) != NULL &&
               (value = am_native_take_text(&pairs)) != NULL) {
            if (am_span_equal(bare(key), wanted))
                return value;
        }
    }
    return NULL;
}

void am_native_macros_clear(struct am_native_macros *self, enum am_native_macro_stage from)
{
    for (size_t stage = from; stage < AM_NATIVE_MACRO_STAGES; stage++)
        drop(self, stage);
}
