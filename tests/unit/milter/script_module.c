#include "script_module.h"

#include <stdio.h>
#include <string.h>

static struct script *script_of(struct am_ctx *ctx)
{
    return (struct script *)(uintptr_t)am_ctx_conf(ctx);
}

/* The name of the module is not part of the public context; its state holds the script's address.
 */
static enum am_verdict play(struct am_ctx *ctx, const char *stage, enum am_verdict verdict)
{
    struct script *script = script_of(ctx);
    unsigned char *conn = am_ctx_conn_state(ctx);
    unsigned char *msg = am_ctx_msg_state(ctx);

    am_buf_printf(script->calls, "%s.%s\n", (const char *)am_ctx_derived(ctx), stage);
    if (conn != NULL)
        conn[0]++;
    if (msg != NULL)
        msg[0]++;
    script->fixture->now_us += script->takes_us;
    if (script->code != 0 && verdict != AM_CONTINUE)
        (void)am_ctx_set_reply(ctx, script->code, script->xcode, script->text);
    if (script->quarantine != NULL)
        am_ctx_set_quarantine(ctx, script->quarantine);
    return verdict;
}

static void publish(struct am_ctx *ctx, const char *text)
{
    char method[64];
    char word[64];

    if (text == NULL || sscanf(text, "%63[^=]=%63s", method, word) != 2)
        return;
    struct am_result result = {.method = method, .result = word};
    (void)am_result_add_property(&result, "smtp", "mailfrom", am_span_str("a@b.example"));
    am_ctx_publish(ctx, &result);
}

static enum am_verdict on_connect(struct am_ctx *ctx)
{
    return play(ctx, "connect", script_of(ctx)->at_connect);
}

static enum am_verdict on_helo(struct am_ctx *ctx)
{
    publish(ctx, script_of(ctx)->publish_at_helo);
    return play(ctx, "helo", script_of(ctx)->at_helo);
}

static enum am_verdict on_mail(struct am_ctx *ctx)
{
    struct script *script = script_of(ctx);

    publish(ctx, script->publish_at_mail);
    if (script->observe != NULL)
        am_ctx_observe(ctx, AM_REJECT, script->observe);
    am_ctx_note(ctx, "Key-1", "%d", 42);
    return play(ctx, "mail", script->at_mail);
}

static enum am_verdict on_rcpt(struct am_ctx *ctx, const struct am_address *recipient,
                               const struct am_esmtp_params *params, bool rejected)
{
    (void)recipient, (void)params;
    script_of(ctx)->rejected_rcpts += rejected;
    return play(ctx, "rcpt", script_of(ctx)->at_rcpt);
}

static enum am_verdict on_data(struct am_ctx *ctx)
{
    return play(ctx, "data", script_of(ctx)->at_data);
}

static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    struct script *script = script_of(ctx);

    snprintf(script->last_header, sizeof(script->last_header), "%.*s#%zu:%.*s",
             (int)field->name.len, field->name.ptr, field->index, (int)field->value.len,
             field->value.ptr);
    return play(ctx, "header", script->at_header);
}

static enum am_verdict on_eoh(struct am_ctx *ctx)
{
    return play(ctx, "eoh", script_of(ctx)->at_eoh);
}

static enum am_verdict on_body(struct am_ctx *ctx, struct am_span chunk)
{
    (void)chunk;
    return play(ctx, "body", script_of(ctx)->at_body);
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    struct script *script = script_of(ctx);

    publish(ctx, script->publish_at_eom);
    if (script->edit != NULL)
        script->edit(eom);
    return play(ctx, "eom", script->at_eom);
}

static enum am_verdict on_unknown(struct am_ctx *ctx, const char *command)
{
    (void)command;
    return play(ctx, "unknown", script_of(ctx)->at_unknown);
}

static void on_abort(struct am_ctx *ctx)
{
    (void)play(ctx, "abort", AM_CONTINUE);
}

static void on_msg_end(struct am_ctx *ctx)
{
    (void)play(ctx, "msg_end", AM_CONTINUE);
}

static void on_conn_end(struct am_ctx *ctx)
{
    (void)play(ctx, "conn_end", AM_CONTINUE);
}

#define SCRIPT_MODULE(NAME)                                                                        \
    {                                                                                              \
        .abi = AM_MODULE_ABI, .name = NAME, .summary = "does as told", .conn_size = 16,            \
        .msg_size = 16, .actions = 0xff, .needs = AM_NEEDS_REJECTED_RCPT, .connect = on_connect,   \
        .helo = on_helo, .envfrom = on_mail, .envrcpt = on_rcpt, .data = on_data,                  \
        .header = on_header, .eoh = on_eoh, .body = on_body, .eom = on_eom, .unknown = on_unknown, \
        .abort = on_abort, .msg_end = on_msg_end, .conn_end = on_conn_end,                         \
    }

const struct am_module script_a = SCRIPT_MODULE("a");
const struct am_module script_b = SCRIPT_MODULE("b");
const struct am_module script_c = SCRIPT_MODULE("c");

void script_add(struct fixture *fixture, const struct am_module *module, struct script *script,
                struct am_buf *calls, unsigned wants, unsigned answers)
{
    fixture_add(fixture, module, answers);
    struct am_runtime_module *entry = &fixture->modules[fixture->runtime.module_count - 1];
    entry->wants &= wants;
    entry->answers &= wants;
    entry->conf = script;
    entry->derived = (void *)(uintptr_t)module->name;
    script->fixture = fixture;
    script->calls = calls;
}
