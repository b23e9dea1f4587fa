#include "trace-milter/trace_module.h"

#include <inttypes.h>

#include "common/base/netset.h"
#include "trace-milter/trace_module_lines.h"

/* --- configuration --- */

struct trace_conf {
    struct am_netlist clients;
    bool hide;
    int64_t max_text, body_text, max_lines;
};

#define AT(MEMBER) .offset = offsetof(struct trace_conf, MEMBER)

static const struct am_option options[] = {
    {.name = "clients",
     .kind = AM_OPTION_NETS,
     AT(clients),
     .fallback = "",
     .help = "clients whose mail is traced; empty: all"},
    {.name = "private",
     .kind = AM_OPTION_BOOL,
     AT(hide),
     .fallback = "no",
     .help = "no texts, local parts and logins: names, sizes, codes and domains only"},
    {.name = "max_text",
     .kind = AM_OPTION_INT,
     AT(max_text),
     .min = 20,
     .max = TRACE_TEXT_MAX,
     .fallback = "200",
     .help = "octets of one text that are shown"},
    {.name = "body_text",
     .kind = AM_OPTION_INT,
     AT(body_text),
     .min = 0,
     .max = TRACE_TEXT_MAX,
     .fallback = "0",
     .help = "octets of each piece of the body that are shown"},
    {.name = "max_lines",
     .kind = AM_OPTION_INT,
     AT(max_lines),
     .min = 10,
     .max = 100000,
     .fallback = "1000",
     .help = "lines for one message, and for one connection beside its messages"},
    {0}};

static bool open_conf(const void *values, const struct am_conf_env *env, void **derived,
                      struct am_problem *problem)
{
    const struct trace_conf *conf = values;

    *derived = am_netset_of(env->arena, &conf->clients);
    return *derived != NULL || am_problem_set(problem, "out of memory");
}

/* It never decides, so that the mail server waits for nothing. */
static unsigned stages_answered(const void *conf, const void *derived)
{
    (void)conf;
    (void)derived;
    return 0;
}

/* What is worth to know of a connection and a message, asked of the mail server and shown. */
static const struct am_macro_need macros[] = {{AM_STAGE_CONNECT, "j"},
                                              {AM_STAGE_CONNECT, "{daemon_name}"},
                                              {AM_STAGE_CONNECT, "{daemon_addr}"},
                                              {AM_STAGE_CONNECT, "{daemon_port}"},
                                              {AM_STAGE_CONNECT, "{client_ptr}"},
                                              {AM_STAGE_HELO, "{tls_version}"},
                                              {AM_STAGE_HELO, "{cipher}"},
                                              {AM_STAGE_ENVFROM, "i"},
                                              {AM_STAGE_ENVFROM, "{auth_type}"},
                                              {AM_STAGE_ENVFROM, "{auth_authen}"},
                                              {AM_STAGE_ENVFROM, "{auth_author}"},
                                              {AM_STAGE_ENVFROM, "{mail_mailer}"},
                                              {AM_STAGE_ENVRCPT, "{rcpt_mailer}"},
                                              {AM_STAGE_ENVRCPT, "{rcpt_host}"},
                                              {AM_STAGE_EOM, "i"},
                                              {0}};

/* --- lines --- */

/* Of a connection beside its messages, and of a message. */
struct trace_state {
    int64_t lines, left_out;
};

static struct trace_state *state_of(struct am_ctx *ctx)
{
    return am_ctx_msg(ctx) == NULL ? am_ctx_conn_state(ctx) : am_ctx_msg_state(ctx);
}

static bool is_traced(struct am_ctx *ctx)
{
    const struct am_netset *clients = am_ctx_derived(ctx);

    return am_log_enabled(AM_LOG_INFO) &&
           (am_netset_is_empty(clients) ||
            am_netset_find(clients, &am_ctx_conn(ctx)->client) != AM_TABLE_NONE);
}

bool am_trace_line_begin(struct am_ctx *ctx, struct trace_line *line, bool last)
{
    const struct trace_conf *conf = am_ctx_conf(ctx);
    const struct am_msg_info *message = am_ctx_msg(ctx);
    struct trace_state *state = state_of(ctx);

    if (state == NULL || !is_traced(ctx))
        return false;
    if (state->lines >= conf->max_lines && !last) {
        state->left_out++;
        return false;
    }
    state->lines++;
    am_trace_line_init(line, (size_t)conf->max_text, conf->hide);
    if (message != NULL && message->queue_id[0] != '\0')
        am_trace_line_say(line, "%s: trace: ", message->queue_id);
    else
        am_trace_line_say(line, "connection %" PRIu64 ": trace: ", am_ctx_conn(ctx)->id);
    return true;
}

void am_trace_line_end(struct trace_line *line)
{
    am_log(AM_LOG_INFO, "%s", am_buf_str(&line->text));
    am_trace_line_fini(line);
}

/* The last line of a connection or message that had too many. */
static void say_left_out(struct am_ctx *ctx)
{
    const struct trace_state *state = state_of(ctx);
    struct trace_line line;

    if (state == NULL || state->left_out == 0 || !am_trace_line_begin(ctx, &line, true))
        return;
    am_trace_line_say(&line, "%" PRId64 " lines were left out (trace.max_lines)", state->left_out);
    am_trace_line_end(&line);
}

static void say_macros(struct am_ctx *ctx, enum am_stage stage)
{
    struct trace_line line;
    bool begun = false;

    for (const struct am_macro_need *need = macros; need->name != NULL; need++) {
        const char *value = need->stage == stage ? am_ctx_macro(ctx, need->name) : NULL;
        if (value == NULL)
            continue;
        if (!begun && !am_trace_line_begin(ctx, &line, false))
            return;
        if (!begun)
            am_trace_line_say(&line, "macros");
        begun = true;
        am_trace_line_say(&line, " %s", need->name);
        if (!line.hide) {
            am_trace_line_say(&line, "=");
            am_trace_line_add(&line, am_span_str(value));
        }
    }
    if (begun)
        am_trace_line_end(&line);
}

/* --- events --- */

static enum am_verdict on_connect(struct am_ctx *ctx)
{
    const struct am_conn_info *conn = am_ctx_conn(ctx);
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "connect [%s] ",
                          conn->client.family == 0 ? "no address" : conn->client_text);
        am_trace_line_add(&line, am_span_str(conn->client_name));
        if (conn->client_port != 0)
            am_trace_line_say(&line, " port %u", conn->client_port);
        am_trace_line_end(&line);
    }
    say_macros(ctx, AM_STAGE_CONNECT);
    return AM_CONTINUE;
}

static enum am_verdict on_helo(struct am_ctx *ctx)
{
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "helo ");
        am_trace_line_add(&line, am_span_str(am_ctx_conn(ctx)->helo));
        am_trace_line_end(&line);
    }
    say_macros(ctx, AM_STAGE_HELO);
    return AM_CONTINUE;
}

static void add_params(struct trace_line *line, const struct am_esmtp_params *params)
{
    for (size_t i = 0; i < params->count; i++)
        am_trace_line_add_param(line, params->items[i]);
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    const struct am_msg_info *message = am_ctx_msg(ctx);
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "mail ");
        am_trace_line_add_path(&line, am_span_str(message->sender_text));
        add_params(&line, &message->sender_params);
        am_trace_line_end(&line);
    }
    say_macros(ctx, AM_STAGE_ENVFROM);
    return AM_CONTINUE;
}

static enum am_verdict on_envrcpt(struct am_ctx *ctx, const struct am_address *recipient,
                                  const struct am_esmtp_params *params, bool rejected)
{
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "rcpt ");
        if (!line.hide)
            am_trace_line_say(&line, "<");
        am_trace_line_add_path(&line, recipient->full);
        if (!line.hide)
            am_trace_line_say(&line, ">");
        add_params(&line, params);
        if (rejected)
            am_trace_line_say(&line, " (refused by the mail server)");
        am_trace_line_end(&line);
    }
    say_macros(ctx, AM_STAGE_ENVRCPT);
    return AM_CONTINUE;
}

static enum am_verdict on_data(struct am_ctx *ctx)
{
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "data");
        am_trace_line_end(&line);
    }
    return AM_CONTINUE;
}

static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "header %zu ", field->index);
        am_trace_line_add(&line, field->name);
        am_trace_line_add_content(&line, am_span_trim(field->value));
        am_trace_line_end(&line);
    }
    return AM_CONTINUE;
}

static enum am_verdict on_eoh(struct am_ctx *ctx)
{
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "end of %zu header fields", am_ctx_msg(ctx)->header_count);
        am_trace_line_end(&line);
    }
    return AM_CONTINUE;
}

static enum am_verdict on_body(struct am_ctx *ctx, struct am_span chunk)
{
    const struct trace_conf *conf = am_ctx_conf(ctx);
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "body, %zu octets", chunk.len);
        if (!line.hide && conf->body_text > 0) {
            line.max_text = (size_t)conf->body_text;
            am_trace_line_add_content(&line, chunk);
        }
        am_trace_line_end(&line);
    }
    return AM_CONTINUE;
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "end of message, %zu recipients",
                          am_ctx_msg(ctx)->recipient_count);
        am_trace_line_end(&line);
    }
    say_macros(ctx, AM_STAGE_EOM);
    return AM_CONTINUE;
}

static enum am_verdict on_unknown(struct am_ctx *ctx, const char *command)
{
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, false)) {
        am_trace_line_say(&line, "unknown command");
        am_trace_line_add_content(&line, am_span_str(command));
        am_trace_line_end(&line);
    }
    return AM_CONTINUE;
}

static void on_abort(struct am_ctx *ctx)
{
    struct trace_line line;

    if (am_trace_line_begin(ctx, &line, true)) {
        am_trace_line_say(&line, "abort");
        am_trace_line_end(&line);
    }
}

static void on_conn_end(struct am_ctx *ctx)
{
    struct trace_line line;

    say_left_out(ctx);
    if (am_trace_line_begin(ctx, &line, true)) {
        am_trace_line_say(&line, "end of connection");
        am_trace_line_end(&line);
    }
}

const struct am_module am_trace_module = {
    .abi = AM_MODULE_ABI,
    .name = "trace",
    .summary = "logs every event, and what the other modules do",
    .method = "",
    .options = options,
    .conf_size = sizeof(struct trace_conf),
    .conf_open = open_conf,
    .conn_size = sizeof(struct trace_state),
    .msg_size = sizeof(struct trace_state),
    .needs = AM_NEEDS_REJECTED_RCPT,
    .macros = macros,
    .answers = stages_answered,
    .connect = on_connect,
    .helo = on_helo,
    .envfrom = on_envfrom,
    .envrcpt = on_envrcpt,
    .data = on_data,
    .header = on_header,
    .eoh = on_eoh,
    .body = on_body,
    .eom = on_eom,
    .unknown = on_unknown,
    .abort = on_abort,
    .msg_end = say_left_out,
    .conn_end = on_conn_end,
    .on_request = true,
    .witness = am_trace_deed,
};
