/*
 * Two modules that take every event and do what the MTA tells them, to prove the contract of
 * common/milter/module.h over the real socket.
 *
 * What they are told comes as a macro, "{probe}" or "{second}", with lines "STAGE WORD ...": a
 * verdict or an act of probe_script.c. What they are given goes to the file of option `trace`.
 * `wants` and `answers` name the stages. `probe` declares every action and need, `second` only
 * that it adds fields; it stands first in the program and asks to come after `probe`.
 */

#include "tests/support/probe/probe.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/milter/app.h"

/* Per connection and per message: must be all zero when it begins. */
struct state {
    unsigned events;
    unsigned char fill[60];
};

static const char *const stage_names[] = {"connect", "helo", "mail", "rcpt", "data",
                                          "header",  "eoh",  "body", "eom",  "unknown"};

static unsigned stages_named(const struct am_strlist *names)
{
    unsigned stages = 0;

    for (size_t i = 0; i < names->count; i++) {
        for (size_t bit = 0; bit < sizeof(stage_names) / sizeof(stage_names[0]); bit++) {
            if (strcmp(names->items[i], stage_names[bit]) == 0 ||
                strcmp(names->items[i], "all") == 0)
                stages |= 1u << bit;
        }
    }
    return stages;
}

static unsigned probe_wants(const void *conf, const void *derived)
{
    (void)derived;
    return stages_named(&((const struct probe_conf *)conf)->wants);
}

static unsigned probe_answers(const void *conf, const void *derived)
{
    (void)derived;
    return stages_named(&((const struct probe_conf *)conf)->answers);
}

static bool open_trace(const struct probe_conf *conf, const struct am_conf_env *env,
                       const char *name, void **derived, struct am_problem *problem)
{
    struct probe *probe = am_arena_alloc(env->arena, sizeof(*probe));
    if (probe == NULL)
        return am_problem_set(problem, "memory is short");
    *probe = (struct probe){.name = name, .trace = -1};
    if (conf->trace[0] != '\0')
        probe->trace = open(conf->trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    *derived = probe;
    return conf->trace[0] == '\0' || probe->trace >= 0 ||
           am_problem_set(problem, "%s.trace: cannot open %s", name, conf->trace);
}

static bool probe_open(const void *conf, const struct am_conf_env *env, void **derived,
                       struct am_problem *problem)
{
    return open_trace(conf, env, "probe", derived, problem);
}

static bool second_open(const void *conf, const struct am_conf_env *env, void **derived,
                        struct am_problem *problem)
{
    return open_trace(conf, env, "second", derived, problem);
}

static void probe_close(void *derived)
{
    struct probe *probe = derived;
    if (probe->trace >= 0)
        close(probe->trace);
}

void probe_trace(struct am_ctx *ctx, const char *format, ...)
{
    const struct probe *probe = am_ctx_derived(ctx);
    struct am_buf line;
    va_list args;

    am_buf_init(&line, 0);
    va_start(args, format);
    char *made = am_arena_vprintf(am_ctx_arena(ctx), format, args);
    va_end(args);
    am_buf_printf(&line, "%" PRIu64 " %s ", am_ctx_conn(ctx)->id, probe->name);
    for (const char *c = made == NULL ? "" : made; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            am_buf_printf(&line, "\\x%02x", (unsigned char)*c);
        else
            am_buf_add_char(&line, *c);
    }
    am_buf_add_char(&line, '\n');
    if (probe->trace >= 0 && write(probe->trace, am_buf_str(&line), line.len) < 0)
        am_ctx_log(ctx, AM_LOG_ERROR, "the trace cannot be written");
    am_buf_fini(&line);
}

/* Counts an event in a state that began all zero. */
static unsigned count_in(struct am_ctx *ctx, struct state *state, const char *whose)
{
    if (state == NULL)
        return 0;
    for (size_t i = 0; i < sizeof(state->fill); i++) {
        if (state->fill[i] != (state->events == 0 ? 0 : 0xa5))
            probe_trace(ctx, "the state of the %s is not its own", whose);
    }
    memset(state->fill, 0xa5, sizeof(state->fill));
    return ++state->events;
}

static enum am_verdict run(struct am_ctx *ctx, struct am_eom_ctx *eom, const char *stage)
{
    count_in(ctx, am_ctx_conn_state(ctx), "connection");
    if (am_ctx_msg(ctx) != NULL)
        count_in(ctx, am_ctx_msg_state(ctx), "message");
    return probe_script_run(ctx, eom, stage);
}

static char *join(struct am_ctx *ctx, const struct am_esmtp_params *params)
{
    char *text = am_arena_printf(am_ctx_arena(ctx), "%s", "");
    for (size_t i = 0; i < params->count; i++)
        text = am_arena_printf(am_ctx_arena(ctx), "%s %s", text, params->items[i]);
    return text;
}

static enum am_verdict probe_connect(struct am_ctx *ctx)
{
    const struct am_conn_info *conn = am_ctx_conn(ctx);
    probe_trace(ctx, "connect family %d [%s] %s%s%s%s", conn->client.family, conn->client_text,
                conn->client_name, conn->is_local ? " local" : "",
                *conn->daemon_name == '\0' ? "" : " at ", conn->daemon_name);
    return run(ctx, NULL, "connect");
}

static enum am_verdict probe_helo(struct am_ctx *ctx)
{
    probe_trace(ctx, "helo %s", am_ctx_conn(ctx)->helo);
    return run(ctx, NULL, "helo");
}

static enum am_verdict probe_envfrom(struct am_ctx *ctx)
{
    const struct am_msg_info *msg = am_ctx_msg(ctx);
    const char *user = am_ctx_conn(ctx)->auth_user;
    probe_trace(ctx, "mail %s %.*s%s%s%s%s", msg->sender_text, (int)msg->sender.full.len,
                msg->sender.full.ptr == NULL ? "" : msg->sender.full.ptr,
                join(ctx, &msg->sender_params), msg->smtputf8 ? " (utf8)" : "",
                *user == '\0' ? "" : " by ", user);
    return run(ctx, NULL, "mail");
}

static enum am_verdict probe_envrcpt(struct am_ctx *ctx, const struct am_address *recipient,
                                     const struct am_esmtp_params *params, bool rejected)
{
    probe_trace(ctx, "rcpt %.*s%s%s", (int)recipient->full.len,
                recipient->full.ptr == NULL ? "" : recipient->full.ptr, join(ctx, params),
                rejected ? " (refused)" : "");
    return run(ctx, NULL, "rcpt");
}

static enum am_verdict probe_data(struct am_ctx *ctx)
{
    probe_trace(ctx, "data %s", am_ctx_msg(ctx)->queue_id);
    return run(ctx, NULL, "data");
}

static enum am_verdict probe_header(struct am_ctx *ctx, const struct am_header *field)
{
    probe_trace(ctx, "header %.*s %zu [%.*s]", (int)field->name.len, field->name.ptr, field->index,
                (int)field->value.len, field->value.ptr);
    return run(ctx, NULL, "header");
}

static enum am_verdict probe_eoh(struct am_ctx *ctx)
{
    probe_trace(ctx, "eoh %zu", am_ctx_msg(ctx)->header_count);
    return run(ctx, NULL, "eoh");
}

static enum am_verdict probe_body(struct am_ctx *ctx, struct am_span chunk)
{
    int shown = chunk.len < 20 ? (int)chunk.len : 20;
    probe_trace(ctx, "body %zu [%.*s]", chunk.len, shown, chunk.ptr);
    return run(ctx, NULL, "body");
}

static enum am_verdict probe_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    probe_trace(ctx, "eom %zu", am_ctx_msg(ctx)->recipient_count);
    return run(ctx, eom, "eom");
}

static enum am_verdict probe_unknown(struct am_ctx *ctx, const char *command)
{
    probe_trace(ctx, "unknown %s", command);
    return run(ctx, NULL, "unknown");
}

static void probe_abort(struct am_ctx *ctx)
{
    probe_trace(ctx, "abort");
}

static void probe_msg_end(struct am_ctx *ctx)
{
    probe_trace(ctx, "msg_end after %u", count_in(ctx, am_ctx_msg_state(ctx), "message") - 1);
}

static void probe_conn_end(struct am_ctx *ctx)
{
    probe_trace(ctx, "conn_end after %u", count_in(ctx, am_ctx_conn_state(ctx), "connection") - 1);
}

#define OPTIONS(WANTS)                                                                             \
    {                                                                                              \
        {.name = "trace",                                                                          \
         .kind = AM_OPTION_TEXT,                                                                   \
         .offset = offsetof(struct probe_conf, trace),                                             \
         .fallback = "",                                                                           \
         .help = "file that events are appended to"},                                              \
            {.name = "wants",                                                                      \
             .kind = AM_OPTION_LIST,                                                               \
             .offset = offsetof(struct probe_conf, wants),                                         \
             .fallback = WANTS,                                                                    \
             .help = "stages to be called at"},                                                    \
            {.name = "answers",                                                                    \
             .kind = AM_OPTION_LIST,                                                               \
             .offset = offsetof(struct probe_conf, answers),                                       \
             .fallback = "all",                                                                    \
             .help = "stages at which a verdict may come"},                                        \
            {0},                                                                                   \
    }

static const struct am_option probe_options[] = OPTIONS("all");
static const struct am_option second_options[] = OPTIONS("");
static const struct am_macro_need probe_macros[] = {{AM_STAGE_CONNECT, "{probe}"},
                                                    {AM_STAGE_HELO, "{tls_version}"},
                                                    {AM_STAGE_ENVFROM, "{probe}"},
                                                    {AM_STAGE_ENVRCPT, "{probe}"},
                                                    {AM_STAGE_ENVRCPT, "{rcpt_address}"},
                                                    {AM_STAGE_DATA, "i"},
                                                    {AM_STAGE_EOH, "{eoh}"},
                                                    {AM_STAGE_EOM, "{eom}"},
                                                    {AM_STAGE_EOM, "{eo}"},
                                                    {0}};
static const struct am_macro_need second_macros[] = {
    {AM_STAGE_CONNECT, "{second}"}, {AM_STAGE_ENVFROM, "{second}"}, {0}};
static const char *const after_probe[] = {"probe", "absent", NULL};

#define CALLBACKS                                                                                  \
    .abi = AM_MODULE_ABI, .conf_size = sizeof(struct probe_conf), .conf_close = probe_close,       \
    .conn_size = sizeof(struct state), .msg_size = sizeof(struct state), .answers = probe_answers, \
    .wants = probe_wants, .connect = probe_connect, .helo = probe_helo, .envfrom = probe_envfrom,  \
    .envrcpt = probe_envrcpt, .data = probe_data, .header = probe_header, .eoh = probe_eoh,        \
    .body = probe_body, .eom = probe_eom, .unknown = probe_unknown, .abort = probe_abort,          \
    .msg_end = probe_msg_end, .conn_end = probe_conn_end

static const struct am_module probe_module = {
    CALLBACKS,
    .name = "probe",
    .summary = "takes every event",
    .method = "x-probe",
    .options = probe_options,
    .conf_open = probe_open,
    .needs = AM_NEEDS_RAW_HEADERS | AM_NEEDS_REJECTED_RCPT,
    .actions = (AM_ACTION_QUARANTINE << 1) - 1,
    .macros = probe_macros,
};

static const struct am_module second_module = {
    CALLBACKS,
    .name = "second",
    .summary = "comes after the first",
    .method = "x-second",
    .options = second_options,
    .conf_open = second_open,
    .actions = AM_ACTION_ADD_HEADER,
    .after = after_probe,
    .macros = second_macros,
};

int main(int argc, char **argv)
{
    static const struct am_module *const modules[] = {&second_module, &probe_module, NULL};
    static const struct am_app app = {
        .program = "probe-milter", .summary = "takes every event, for tests", .modules = modules};
    return am_app_main(argc, argv, &app);
}
