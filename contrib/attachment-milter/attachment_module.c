#include "contrib/attachment-milter/attachment_module.h"

#include "common/milter/ruling.h"
#include "contrib/attachment-milter/attachment_options.h"
#include "contrib/mime/mime_edit.h"

/* The glue. Fields that speak of the content and the body are kept; all happens at the end. */

/* What is kept of fields; a message with more of them is not looked at. */
enum { FIELDS_BYTES_MAX = 65536, FIELDS_MAX = 64, NOTED_MAX = 10 };

struct attachment_msg_state {
    struct am_arena *arena; /* of the work at the end; freed with the message */
    struct am_buf fields, body;
    bool has_content;     /* a field says what the body is */
    const char *overflow; /* why it is not looked at; or NULL */
    struct {
        const char *name;
        unsigned index;
    } kept[FIELDS_MAX]; /* the fields, for the edit of the message's own header */
    size_t kept_count;
    struct am_ruling_state ruled;
};

static unsigned stages_answered(const void *conf, const void *derived)
{
    (void)conf;
    (void)derived;
    return 0; /* the end of the message, where every milter answers */
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    const struct attachment_conf *conf = am_ctx_conf(ctx);
    const struct attachment_derived *derived = am_ctx_derived(ctx);
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return AM_FAIL;
    am_buf_init(&state->fields, FIELDS_BYTES_MAX);
    am_buf_init(&state->body, (size_t)conf->max_size);
    if (am_netset_find(derived->exempt, &am_ctx_conn(ctx)->client) == AM_TABLE_NONE)
        return AM_CONTINUE;
    am_ctx_note(ctx, "exempt", "network");
    return AM_DONE;
}

/* MIME-Version and all that begins with "Content-". */
static enum am_verdict on_header(struct am_ctx *ctx, const struct am_header *field)
{
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);
    bool content = am_span_starts_nocase(field->name, am_span_str("Content-"));

    if (state == NULL)
        return AM_FAIL;
    if (!content && !am_span_equal_nocase(field->name, am_span_str("MIME-Version")))
        return AM_CONTINUE;
    state->has_content = state->has_content || content;
    am_buf_add(&state->fields, field->name);
    am_buf_add_char(&state->fields, ':');
    am_buf_add(&state->fields, field->value);
    am_buf_add_char(&state->fields, '\n');
    if (state->kept_count == FIELDS_MAX || state->fields.failed) {
        state->overflow = "too many fields about the content";
        return AM_CONTINUE;
    }
    state->kept[state->kept_count].name = am_arena_copy(am_ctx_arena(ctx), field->name);
    state->kept[state->kept_count].index = (unsigned)field->index;
    return state->kept[state->kept_count++].name == NULL ? AM_FAIL : AM_CONTINUE;
}

/* A message without any such field is a text, and has no attachments. */
static enum am_verdict on_eoh(struct am_ctx *ctx)
{
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return AM_FAIL;
    if (am_ctx_msg(ctx)->headers_cut)
        state->overflow = "not all fields of the header were seen";
    return state->has_content || state->overflow != NULL ? AM_CONTINUE : AM_DONE;
}

static enum am_verdict on_body(struct am_ctx *ctx, struct am_span chunk)
{
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return AM_FAIL;
    if (state->overflow == NULL)
        am_buf_add(&state->body, chunk);
    if (state->body.failed)
        state->overflow = "it is larger than attachment.max_size";
    if (state->overflow == NULL)
        return AM_CONTINUE;
    am_buf_fini(&state->body);
    return AM_SKIP_BODY;
}

/* --- what to do --- */

static enum am_verdict rule(struct am_ctx *ctx, const char *option, int action, const char *text)
{
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);
    const struct am_ruling ruling = {
        .decision = {.action = (enum am_policy_action)action, .option = option},
        .status = "7.0",
        .text = text,
    };

    return action == AM_POLICY_ACCEPT ? AM_CONTINUE
                                      : am_ruling_carry_out(ctx, &state->ruled, &ruling);
}

/* The severest of what was found calls for; a replaced attachment calls for nothing. */
static enum am_verdict rule_defects(struct am_ctx *ctx, const struct attachment_report *report)
{
    const struct attachment_conf *conf = am_ctx_conf(ctx);
    const struct {
        const char *option, *found, *text;
    } defects[] = {
        [ATTACHMENT_HIDDEN] = {"hidden", report->hidden, "A dangerous attachment"},
        [ATTACHMENT_MALFORMED] = {"malformed", report->malformed, "The message is no proper MIME"},
        [ATTACHMENT_UNSEEN] = {"unseen", report->unseen, "The attachments cannot be checked"},
    };
    enum { COUNT = sizeof(defects) / sizeof(defects[0]) };
    size_t worst = COUNT;

    for (size_t i = 0; i < COUNT; i++) {
        if (defects[i].found == NULL)
            continue;
        am_ctx_note(ctx, defects[i].option, "%s", defects[i].found);
        am_ctx_count(ctx, "defects", defects[i].option, 1);
        if (worst == COUNT ||
            am_policy_is_severer((enum am_policy_action)conf->policy.action[i],
                                 (enum am_policy_action)conf->policy.action[worst]))
            worst = i;
    }
    return worst == COUNT ? AM_CONTINUE
                          : rule(ctx, defects[worst].option, conf->policy.action[worst],
                                 am_arena_printf(am_ctx_arena(ctx), "%s: %s", defects[worst].text,
                                                 defects[worst].found));
}

static void tell(struct am_ctx *ctx, const struct attachment_report *report)
{
    am_ctx_note(ctx, "found", "%zu", report->count);
    am_ctx_note(ctx, "name", "%s", report->findings[0].name);
    am_ctx_note(ctx, "why", "%s", report->findings[0].why);
    for (size_t i = 0; i < report->count && i < NOTED_MAX; i++)
        am_ctx_log(ctx, AM_LOG_INFO, "dangerous: part %s, \"%s\": %s",
                   report->findings[i].part->path, report->findings[i].name,
                   report->findings[i].why);
    am_ctx_count(ctx, "attachments", "dangerous", report->count);
}

/* --- replacing --- */

/* The header of a message that is one dangerous file becomes that of a text. */
static bool change_header(struct am_eom_ctx *eom, const struct attachment_msg_state *state)
{
    static const struct {
        const char *name, *value;
        bool needed;
    } fields[] = {{"Content-Type", AM_MIME_NOTICE_TYPE, true},
                  {"Content-Transfer-Encoding", AM_MIME_NOTICE_ENCODING, true},
                  {"MIME-Version", "1.0", true},
                  {"Content-Disposition", "inline", false}};
    enum { COUNT = sizeof(fields) / sizeof(fields[0]) };
    bool there[COUNT] = {false}, good = true;

    for (size_t i = 0; i < state->kept_count; i++) {
        size_t k = 0;
        while (k < COUNT &&
               !am_span_equal_nocase(am_span_str(state->kept[i].name), am_span_str(fields[k].name)))
            k++;
        if (k < COUNT && state->kept[i].index == 1) {
            there[k] = true;
            good = am_eom_change_header(eom, 1, fields[k].name, fields[k].value) && good;
        } else {
            good = am_eom_delete_header(eom, state->kept[i].index, state->kept[i].name) && good;
        }
    }
    for (size_t k = 0; k < COUNT; k++) {
        if (fields[k].needed && !there[k])
            good = am_eom_add_header(eom, fields[k].name, fields[k].value) && good;
    }
    return good;
}

/* What a text in place of everything is, for the second look. */
static struct am_span fields_after(const struct attachment_msg_state *state, bool whole)
{
    return whole ? am_span_str("Content-Type: " AM_MIME_NOTICE_TYPE
                               "\nContent-Transfer-Encoding: " AM_MIME_NOTICE_ENCODING "\n")
                 : am_buf_span(&state->fields);
}

/* Makes the new body and looks at it as if it came in. Returns false when something dangerous is
 * left, or memory is short. */
static bool make_body(struct am_ctx *ctx, const struct attachment_report *report,
                      struct am_buf *body)
{
    const struct attachment_conf *conf = am_ctx_conf(ctx);
    const struct attachment_derived *derived = am_ctx_derived(ctx);
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);
    struct attachment_rules rules = derived->rules;
    struct attachment_report after;
    bool whole = attachment_is_whole(report);

    if (!attachment_replace(body, state->arena, report, am_buf_span(&state->body), conf->notice,
                            am_ctx_authserv_id(ctx)))
        return false;
    /* Texts may be longer than what they stand for. */
    rules.limits.max_bytes += body->len;
    rules.limits.max_header += body->len;
    return attachment_look(&after, state->arena, &rules, fields_after(state, whole),
                           am_buf_span(body)) &&
           after.count == 0 && (after.unseen == NULL || report->unseen != NULL);
}

/* A message that cannot be mended is held: neither delivered as it is, nor lost. */
static enum am_verdict replace(struct am_eom_ctx *eom, const struct attachment_report *report)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);
    struct am_buf body;
    bool good;

    am_buf_init(&body, 0);
    good = make_body(ctx, report, &body) && am_eom_replace_body(eom, am_buf_span(&body)) &&
           (!attachment_is_whole(report) || change_header(eom, state));
    am_buf_fini(&body);
    if (good) {
        am_ctx_note(ctx, "rule", "action");
        am_ctx_count(ctx, "attachments", "replaced", report->count);
        return AM_CONTINUE;
    }
    am_ctx_log(ctx, AM_LOG_ERROR, "a dangerous attachment cannot be replaced; the message is held");
    return rule(ctx, "action", AM_POLICY_QUARANTINE,
                "a dangerous attachment that cannot be replaced");
}

static enum am_verdict act(struct am_eom_ctx *eom, const struct attachment_report *report)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct attachment_conf *conf = am_ctx_conf(ctx);

    if (report->count == 0)
        return AM_CONTINUE;
    tell(ctx, report);
    if (conf->action == ATTACHMENT_REPLACE)
        return replace(eom, report);
    return rule(ctx, "action", conf->action,
                am_arena_printf(am_ctx_arena(ctx), "Attachment \"%s\" is dangerous (%s)",
                                report->findings[0].name, report->findings[0].why));
}

static bool has_time(void *user)
{
    struct am_ctx *ctx = user;

    return am_clock_now_us(am_ctx_clock(ctx)) < am_ctx_deadline_us(ctx);
}

static enum am_verdict on_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct attachment_derived *derived = am_ctx_derived(ctx);
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);
    struct attachment_report report = {.unseen = state == NULL ? NULL : state->overflow};
    struct attachment_rules rules = derived->rules;

    if (state == NULL)
        return AM_FAIL;
    rules.budget.goes_on = has_time;
    rules.budget.user = ctx;
    state->arena = am_arena_new(65536, 0);
    if (state->arena == NULL ||
        (state->overflow == NULL &&
         !attachment_look(&report, state->arena, &rules, am_buf_span(&state->fields),
                          am_buf_span(&state->body))))
        return AM_FAIL;
    /* One reply is set at a time. */
    enum am_verdict found = act(eom, &report);
    return found == AM_CONTINUE ? rule_defects(ctx, &report) : found;
}

static void on_msg_end(struct am_ctx *ctx)
{
    struct attachment_msg_state *state = am_ctx_msg_state(ctx);

    if (state == NULL)
        return;
    am_buf_fini(&state->fields);
    am_buf_fini(&state->body);
    am_arena_free(state->arena);
}

const struct am_module attachment_module = {
    .abi = AM_MODULE_ABI,
    .name = "attachment",
    .summary = "replaces dangerous attachments by a text",
    .method = "",
    .options = attachment_options,
    .conf_size = sizeof(struct attachment_conf),
    .conf_check = attachment_check,
    .conf_open = attachment_open,
    .msg_size = sizeof(struct attachment_msg_state),
    .actions = AM_ACTION_ADD_HEADER | AM_ACTION_CHANGE_HEADER | AM_ACTION_CHANGE_BODY |
               AM_ACTION_QUARANTINE,
    .answers = stages_answered,
    .envfrom = on_envfrom,
    .header = on_header,
    .eoh = on_eoh,
    .body = on_body,
    .eom = on_eom,
    .msg_end = on_msg_end,
};
