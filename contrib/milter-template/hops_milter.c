/*
 * hops-milter: counts the servers that a message has passed, refuses one that goes in circles and
 * writes the count into a field. A whole milter to begin yours with.
 */
#include <authmilter/milter/app.h>
#include <stdio.h>

struct hops_conf {
    int64_t most;
};

static const struct am_option options[] = {{.name = "most",
                                            .kind = AM_OPTION_INT,
                                            .offset = offsetof(struct hops_conf, most),
                                            .min = 1,
                                            .max = 1000,
                                            .fallback = "50",
                                            .help = "servers a message may have passed"},
                                           {0}};

struct hops_message {
    unsigned count;
};

static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    struct hops_message *message = am_ctx_msg_state(ctx);
    if (am_span_equal_nocase(field->name, am_span_str("Received")))
        message->count++;
    return AM_CONTINUE;
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct hops_conf *conf = am_ctx_conf(ctx);
    const struct hops_message *message = am_ctx_msg_state(ctx);
    char count[16];
    if (message->count > conf->most) {
        am_ctx_set_reply(ctx, 554, "5.4.6", "Too many hops:\nthe message goes in circles");
        return AM_REJECT;
    }
    snprintf(count, sizeof(count), "%u", message->count);
    am_ctx_note(ctx, "count", "%s", count);
    return am_eom_add_header(eom, "X-Hops", count) ? AM_CONTINUE : AM_FAIL;
}

static const struct am_module module = {.abi = AM_MODULE_ABI,
                                        .name = "hops",
                                        .summary = "counts the servers a message has passed",
                                        .method = "", /* nothing for Authentication-Results */
                                        .options = options,
                                        .conf_size = sizeof(struct hops_conf),
                                        .msg_size = sizeof(struct hops_message),
                                        .actions = AM_ACTION_ADD_HEADER,
                                        .header = on_header,
                                        .eom = on_eom};

AM_APP_MAIN("hops-milter", "Counts the servers that a message has passed.", &module)
