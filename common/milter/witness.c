#include "common/milter/witness.h"

#include <stdlib.h>

#include "common/milter/ctx.h"

struct am_witness {
    struct am_session *session;
    const struct am_peer_ops *ops; /* the real ones */
    void *peer;
};

static bool is_witness(const struct am_runtime_module *entry)
{
    return entry->module->witness != NULL && entry->wants != 0;
}

static void tell(struct am_session *session, const struct am_deed *deed)
{
    const struct am_runtime *runtime = session->runtime;

    for (size_t i = 0; i < runtime->module_count; i++) {
        struct am_ctx ctx = {.session = session,
                             .entry = &runtime->modules[i],
                             .number = i,
                             .stage = AM_STAGE_EOM,
                             .deadline_us = am_clock_now_us(runtime->clock)};
        if (is_witness(ctx.entry))
            ctx.entry->module->witness(&ctx, deed);
    }
}

/* --- what modules say --- */

void am_witness_result(struct am_session *session, enum am_stage stage, const char *module,
                       const struct am_result *result)
{
    if (session->witness != NULL)
        tell(session, &(struct am_deed){.kind = AM_DEED_RESULT,
                                        .stage = am_stage_word(stage),
                                        .module = module,
                                        .result = result});
}

static const char *reply_text(struct am_session *session, const struct am_reply *reply)
{
    struct am_message *message = session->message;

    return reply == NULL ? NULL
                         : am_reply_text(message == NULL ? session->arena : message->arena, reply);
}

void am_witness_verdict(struct am_session *session, enum am_stage stage, const char *module,
                        enum am_verdict verdict, const struct am_reply *reply)
{
    if (session->witness == NULL || verdict == AM_CONTINUE)
        return;
    const char *text = reply_text(session, reply);
    if (verdict == AM_QUARANTINE && session->message != NULL)
        text = session->message->quarantine;
    tell(session, &(struct am_deed){.kind = AM_DEED_VERDICT,
                                    .stage = am_stage_word(stage),
                                    .module = module,
                                    .verdict = verdict,
                                    .verdict_word = am_verdict_word(verdict),
                                    .text = text});
}

void am_witness_answer(struct am_session *session, const struct am_decision *decision)
{
    if (session->witness == NULL)
        return;
    bool replies = decision != NULL && am_verdict_takes_reply(decision->verdict, decision->reply);
    tell(session, &(struct am_deed){.kind = AM_DEED_ANSWER,
                                    .stage = decision == NULL ? NULL : decision->stage,
                                    .module = decision == NULL ? NULL : decision->module,
                                    .verdict = decision == NULL ? AM_CONTINUE : decision->verdict,
                                    .verdict_word = am_verdict_word(
                                        decision == NULL ? AM_CONTINUE : decision->verdict),
                                    .text = replies ? reply_text(session, decision->reply)
                                            : decision == NULL ? NULL
                                                               : decision->why});
}

/* --- the peer that stands before the real one, and tells what is sent --- */

static const char *macro(void *peer, const char *name)
{
    struct am_witness *self = peer;

    return self->ops->macro(self->peer, name);
}

static bool set_reply(void *peer, const struct am_reply *reply)
{
    struct am_witness *self = peer;

    return self->ops->set_reply(self->peer, reply);
}

static bool tell_sent(struct am_witness *self, bool sent, const struct am_deed *deed)
{
    if (sent)
        tell(self->session, deed);
    return sent;
}

static bool add_header(void *peer, const char *name, const char *value)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {.kind = AM_DEED_ADD_HEADER, .name = name, .value = value};

    return tell_sent(self, self->ops->add_header(self->peer, name, value), &deed);
}

static bool insert_header(void *peer, unsigned index, const char *name, const char *value)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {
        .kind = AM_DEED_INSERT_HEADER, .index = index, .name = name, .value = value};

    return tell_sent(self, self->ops->insert_header(self->peer, index, name, value), &deed);
}

static bool change_header(void *peer, unsigned index, const char *name, const char *value)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {.kind =
                                     value == NULL ? AM_DEED_DELETE_HEADER : AM_DEED_CHANGE_HEADER,
                                 .index = index,
                                 .name = name,
                                 .value = value};

    return tell_sent(self, self->ops->change_header(self->peer, index, name, value), &deed);
}

static bool add_recipient(void *peer, const char *recipient, const char *params)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {.kind = AM_DEED_ADD_RECIPIENT, .name = recipient, .value = params};

    return tell_sent(self, self->ops->add_recipient(self->peer, recipient, params), &deed);
}

static bool delete_recipient(void *peer, const char *recipient)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {.kind = AM_DEED_DELETE_RECIPIENT, .name = recipient};

    return tell_sent(self, self->ops->delete_recipient(self->peer, recipient), &deed);
}

static bool change_sender(void *peer, const char *sender, const char *params)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {.kind = AM_DEED_CHANGE_SENDER, .name = sender, .value = params};

    return tell_sent(self, self->ops->change_sender(self->peer, sender, params), &deed);
}

static bool replace_body(void *peer, struct am_span chunk)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {.kind = AM_DEED_REPLACE_BODY, .size = chunk.len};

    return tell_sent(self, self->ops->replace_body(self->peer, chunk), &deed);
}

static bool quarantine(void *peer, const char *reason)
{
    struct am_witness *self = peer;
    const struct am_deed deed = {.kind = AM_DEED_QUARANTINE, .text = reason};

    return tell_sent(self, self->ops->quarantine(self->peer, reason), &deed);
}

static bool progress(void *peer)
{
    struct am_witness *self = peer;

    return self->ops->progress(self->peer);
}

static const struct am_peer_ops proxy = {
    .macro = macro,
    .set_reply = set_reply,
    .add_header = add_header,
    .insert_header = insert_header,
    .change_header = change_header,
    .add_recipient = add_recipient,
    .delete_recipient = delete_recipient,
    .change_sender = change_sender,
    .replace_body = replace_body,
    .quarantine = quarantine,
    .progress = progress,
};

/* --- the life of a connection --- */

void am_witness_begin(struct am_session *session)
{
    bool wanted = false;

    if (session->runtime->reporter.report != NULL)
        return;
    for (size_t i = 0; i < session->runtime->module_count; i++)
        wanted = wanted || is_witness(&session->runtime->modules[i]);
    struct am_witness *self = wanted ? calloc(1, sizeof(*self)) : NULL;
    if (self == NULL)
        return;
    *self = (struct am_witness){.session = session, .ops = session->ops, .peer = session->peer};
    session->ops = &proxy;
    session->peer = self;
    session->witness = self;
}

void am_witness_end(struct am_session *session)
{
    struct am_witness *self = session->witness;

    if (self == NULL)
        return;
    session->ops = self->ops;
    session->peer = self->peer;
    session->witness = NULL;
    free(self);
}
