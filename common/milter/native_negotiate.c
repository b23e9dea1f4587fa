#include "common/milter/native_negotiate.h"

#include "common/milter/native_packet.h"

/* What an MTA can do that names nothing: the protocol's first version had no words for it. */
#define V1_ACTIONS 0x0fu
#define V1_STEPS 0x3fu

bool am_native_terms_read(struct am_terms *terms, struct am_span content)
{
    if (!am_native_take_u32(&content, &terms->version) ||
        !am_native_take_u32(&content, &terms->actions) ||
        !am_native_take_u32(&content, &terms->steps))
        return false;
    if (terms->actions == 0)
        terms->actions = V1_ACTIONS;
    if (terms->steps == 0)
        terms->steps = V1_STEPS;
    return terms->version >= AM_NATIVE_VERSION_MIN;
}

static void put_macro_list(void *user, int stage, const char *names)
{
    struct am_buf *out = user;

    if (names == NULL) {
        out->failed = true;
        return;
    }
    am_native_put_u32(out, (uint32_t)stage);
    am_native_put_text(out, names);
}

void am_native_put_negotiation(struct am_buf *out, const struct am_terms *answer, bool macro_lists,
                               const struct am_runtime *runtime, const struct am_plan *plan)
{
    size_t begin = am_native_packet_begin(out, AM_NATIVE_NEGOTIATE);

    am_native_put_u32(out,
                      answer->version < AM_NATIVE_VERSION ? answer->version : AM_NATIVE_VERSION);
    am_native_put_u32(out, answer->actions);
    am_native_put_u32(out, answer->steps);
    if (macro_lists)
        am_terms_macro_lists(runtime, plan, put_macro_list, out);
    am_native_packet_end(out, begin);
}
