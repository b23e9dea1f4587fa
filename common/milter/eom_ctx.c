#include "common/milter/ctx.h"

/* Edits: what a module may do at end of message, judged before it is queued. */

struct am_ctx *am_eom_ctx_base(struct am_eom_ctx *ctx)
{
    return &ctx->base;
}

/* Tells whether an edit may be made: declared by the module and granted by the MTA. */
static bool may(struct am_ctx *base, unsigned action, const char *what)
{
    if ((base->entry->module->actions & action) == 0) {
        am_ctx_log(base, AM_LOG_ERROR, "%s refused: the module does not declare that action", what);
        return false;
    }
    /* What is added is kept for the comparison, and never sent; all else is held back. */
    if (am_shadow_is_on(base->session))
        return true;
    if ((base->session->agreement.actions & action) == 0) {
        am_ctx_log(base, AM_LOG_ERROR, "%s refused: the MTA does not offer that action", what);
        return false;
    }
    return true;
}

/* An observer adds fields, for people to read, and changes nothing else. */
static bool held_back(struct am_ctx *base, unsigned action, const char *what)
{
    if (action == AM_ACTION_ADD_HEADER || !am_ctx_is_observed(base))
        return false;
    am_counters_add(base->session->runtime->counters, AM_COUNT_OBSERVED, 1);
    am_ctx_log(base, AM_LOG_INFO, "%s held back: observe mode", what);
    return true;
}

static bool queue_at(struct am_ctx *ctx, unsigned action, bool acceptable, const char *what,
                     const struct am_edit *edit)
{
    struct am_message *message = ctx->session->message;

    if (!may(ctx, action, what))
        return false;
    if (!acceptable) {
        am_ctx_log(ctx, AM_LOG_ERROR, "%s refused: its text may not stand in a message", what);
        return false;
    }
    if (held_back(ctx, action, what))
        return true;
    if (message == NULL || !am_edits_add(&message->edits, message->arena, edit)) {
        am_ctx_log(ctx, AM_LOG_ERROR, "%s refused: memory is short", what);
        return false;
    }
    return true;
}

static bool queue(struct am_eom_ctx *ctx, unsigned action, bool acceptable, const char *what,
                  const struct am_edit *edit)
{
    return queue_at(&ctx->base, action, acceptable, what, edit);
}

/* --- at the end of the header --- */

bool am_ctx_change_field(struct am_ctx *ctx, unsigned index, const char *name, const char *value)
{
    const struct am_edit edit = {.kind = index == 0 ? AM_EDIT_ADD_HEADER : AM_EDIT_CHANGE_HEADER,
                                 .index = index,
                                 .name = name,
                                 .value = value};
    bool acceptable = am_edit_name_ok(name) &&
                      (value == NULL ? index > 0 : am_edit_value_ok(value) && *value != '\0');

    if (ctx->stage != AM_STAGE_EOH) {
        am_ctx_log(ctx, AM_LOG_ERROR, "changing a field refused: not at the end of the header");
        return false;
    }
    /* A new field is a part of the change here, and nothing for people to read. */
    if (held_back(ctx, AM_ACTION_CHANGE_HEADER, "changing a field"))
        return true;
    return queue_at(ctx, index == 0 ? AM_ACTION_ADD_HEADER : AM_ACTION_CHANGE_HEADER, acceptable,
                    "changing a field", &edit);
}

bool am_ctx_field_changes(const struct am_ctx *ctx, const void **at, struct am_field_change *change)
{
    const struct am_message *message = ctx->session->message;
    const struct am_edit *edit = *at;

    if (message == NULL)
        return false;
    edit = edit == NULL ? message->edits.first : edit->next;
    while (edit != NULL && edit->kind != AM_EDIT_ADD_HEADER && edit->kind != AM_EDIT_CHANGE_HEADER)
        edit = edit->next;
    if (edit == NULL)
        return false;
    *at = edit;
    *change = (struct am_field_change){.index = edit->kind == AM_EDIT_ADD_HEADER ? 0 : edit->index,
                                       .name = edit->name,
                                       .value = edit->value};
    return true;
}

/* --- at the end of the message --- */

bool am_eom_add_header(struct am_eom_ctx *ctx, const char *name, const char *value)
{
    const struct am_edit edit = {.kind = AM_EDIT_ADD_HEADER, .name = name, .value = value};

    return queue(ctx, AM_ACTION_ADD_HEADER, am_edit_name_ok(name) && am_edit_value_ok(value),
                 "adding a header field", &edit);
}

bool am_eom_insert_header(struct am_eom_ctx *ctx, unsigned index, const char *name,
                          const char *value)
{
    const struct am_edit edit = {
        .kind = AM_EDIT_INSERT_HEADER, .index = index, .name = name, .value = value};

    return queue(ctx, AM_ACTION_ADD_HEADER, am_edit_name_ok(name) && am_edit_value_ok(value),
                 "inserting a header field", &edit);
}

bool am_eom_change_header(struct am_eom_ctx *ctx, unsigned index, const char *name,
                          const char *value)
{
    const struct am_edit edit = {
        .kind = AM_EDIT_CHANGE_HEADER, .index = index, .name = name, .value = value};

    return queue(ctx, AM_ACTION_CHANGE_HEADER,
                 index > 0 && am_edit_name_ok(name) && am_edit_value_ok(value) && *value != '\0',
                 "changing a header field", &edit);
}

bool am_eom_delete_header(struct am_eom_ctx *ctx, unsigned index, const char *name)
{
    const struct am_edit edit = {.kind = AM_EDIT_CHANGE_HEADER, .index = index, .name = name};

    return queue(ctx, AM_ACTION_CHANGE_HEADER, index > 0 && am_edit_name_ok(name),
                 "deleting a header field", &edit);
}

bool am_eom_add_recipient(struct am_eom_ctx *ctx, const char *recipient, const char *params)
{
    const struct am_edit edit = {.kind = AM_EDIT_ADD_RECIPIENT, .name = recipient, .value = params};
    unsigned action = params == NULL ? AM_ACTION_ADD_RCPT : AM_ACTION_ADD_RCPT_PARAMS;

    return queue(ctx, action,
                 am_edit_address_ok(recipient) && (params == NULL || am_edit_address_ok(params)),
                 "adding a recipient", &edit);
}

bool am_eom_delete_recipient(struct am_eom_ctx *ctx, const char *recipient)
{
    const struct am_edit edit = {.kind = AM_EDIT_DELETE_RECIPIENT, .name = recipient};

    return queue(ctx, AM_ACTION_DELETE_RCPT, am_edit_address_ok(recipient), "deleting a recipient",
                 &edit);
}

bool am_eom_change_sender(struct am_eom_ctx *ctx, const char *sender, const char *params)
{
    const struct am_edit edit = {.kind = AM_EDIT_CHANGE_SENDER, .name = sender, .value = params};

    return queue(ctx, AM_ACTION_CHANGE_FROM,
                 am_edit_address_ok(sender) && (params == NULL || am_edit_address_ok(params)),
                 "changing the sender", &edit);
}

bool am_eom_replace_body(struct am_eom_ctx *ctx, struct am_span chunk)
{
    const struct am_edit edit = {.kind = AM_EDIT_REPLACE_BODY, .chunk = chunk};

    return queue(ctx, AM_ACTION_CHANGE_BODY, true, "replacing the body", &edit);
}

bool am_eom_progress(struct am_eom_ctx *ctx)
{
    return ctx->base.session->ops->progress(ctx->base.session->peer);
}
