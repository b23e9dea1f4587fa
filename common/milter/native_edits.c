#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/milter/native_session.h"

/* What a session sends to its MTA, as packets. */

static const char *get_macro(void *peer, const char *name)
{
    const struct am_native_session *self = peer;

    return am_native_macros_find(&self->macros, name);
}

/*
 * The texts come with each % doubled, as the protocol wants it of a reply. A reply of several lines
 * needs an enhanced code on each of them, so the class's plain one stands in for a missing one.
 */
static bool set_reply(void *peer, const struct am_reply *reply)
{
    struct am_native_session *self = peer;
    const char *xcode = reply->xcode;
    struct am_buf text;

    if (*xcode == '\0' && reply->line_count > 1)
        xcode = reply->code < 500 ? "4.0.0" : "5.0.0";
    am_buf_init(&text, 0);
    for (size_t i = 0; i < reply->line_count; i++) {
        bool last = i + 1 == reply->line_count;
        am_buf_printf(&text, "%03u%c%s%s%s%s", (unsigned)reply->code % 1000u, last ? ' ' : '-',
                      xcode, *xcode == '\0' ? "" : " ", reply->lines[i], last ? "" : "\r\n");
    }
    free(self->reply);
    self->reply = text.failed ? NULL : text.data;
    if (text.failed)
        am_buf_fini(&text);
    return self->reply != NULL;
}

/* --- packets of an edit --- */

static bool allowed(const struct am_native_session *self, unsigned action)
{
    return (self->agreement.actions & action) != 0;
}

/* Edits are sent while they are made as soon as many wait: no message's edits fill the memory. */
static bool finish(struct am_native_session *self, size_t begin)
{
    am_native_packet_end(&self->out, begin);
    if (self->out.failed)
        return false;
    return self->out.len <= AM_NATIVE_OUT_MAX || self->sink.flush(self->sink.user, &self->out);
}

static bool send_texts(struct am_native_session *self, char answer, const char *text,
                       const char *more)
{
    size_t begin = am_native_packet_begin(&self->out, answer);

    am_native_put_text(&self->out, text);
    if (more != NULL)
        am_native_put_text(&self->out, more);
    return finish(self, begin);
}

/*
 * The only place where a field's value goes to the MTA, and so the only one that knows whose
 * business the blank after the colon is: ours when raw values were agreed on, else the MTA's.
 */
static bool put_value(struct am_native_session *self, size_t begin, const char *name,
                      const char *value)
{
    bool has_blank = *value == ' ' || *value == '\t' || *value == '\n';

    am_native_put_text(&self->out, name);
    if (self->agreement.raw_headers && !has_blank && *value != '\0')
        am_buf_add_char(&self->out, ' ');
    else if (!self->agreement.raw_headers && *value == ' ')
        value++;
    am_native_put_text(&self->out, value);
    return finish(self, begin);
}

static bool add_header(void *peer, const char *name, const char *value)
{
    struct am_native_session *self = peer;

    return allowed(self, AM_ACTION_ADD_HEADER) &&
           put_value(self, am_native_packet_begin(&self->out, AM_NATIVE_ADD_HEADER), name, value);
}

static bool put_numbered(struct am_native_session *self, char answer, unsigned index,
                         const char *name, const char *value)
{
    size_t begin = am_native_packet_begin(&self->out, answer);

    am_native_put_u32(&self->out, index);
    return put_value(self, begin, name, value);
}

static bool insert_header(void *peer, unsigned index, const char *name, const char *value)
{
    return allowed(peer, AM_ACTION_ADD_HEADER) &&
           put_numbered(peer, AM_NATIVE_INSERT_HEADER, index, name, value);
}

static bool change_header(void *peer, unsigned index, const char *name, const char *value)
{
    return allowed(peer, AM_ACTION_CHANGE_HEADER) &&
           put_numbered(peer, AM_NATIVE_CHANGE_HEADER, index, name, value == NULL ? "" : value);
}

static bool add_recipient(void *peer, const char *recipient, const char *params)
{
    if (params == NULL)
        return allowed(peer, AM_ACTION_ADD_RCPT) &&
               send_texts(peer, AM_NATIVE_ADD_RCPT, recipient, NULL);
    return allowed(peer, AM_ACTION_ADD_RCPT_PARAMS) &&
           send_texts(peer, AM_NATIVE_ADD_RCPT_PARAMS, recipient, params);
}

static bool delete_recipient(void *peer, const char *recipient)
{
    return allowed(peer, AM_ACTION_DELETE_RCPT) &&
           send_texts(peer, AM_NATIVE_DELETE_RCPT, recipient, NULL);
}

static bool change_sender(void *peer, const char *sender, const char *params)
{
    return allowed(peer, AM_ACTION_CHANGE_FROM) &&
           send_texts(peer, AM_NATIVE_CHANGE_FROM, sender, params);
}

static bool replace_body(void *peer, struct am_span chunk)
{
    struct am_native_session *self = peer;
    bool good = true;

    if (!allowed(self, AM_ACTION_CHANGE_BODY))
        return false;
    do { /* an empty chunk says that the body is empty */
        struct am_span piece = chunk;
        if (piece.len > AM_NATIVE_CHUNK_MAX) {
            piece.len = AM_NATIVE_CHUNK_MAX;
            chunk.ptr += piece.len;
        }
        chunk.len -= piece.len;
        size_t begin = am_native_packet_begin(&self->out, AM_NATIVE_REPLACE_BODY);
        am_buf_add(&self->out, piece);
        good = good && finish(self, begin);
    } while (good && chunk.len > 0);
    return good;
}

static bool quarantine(void *peer, const char *reason)
{
    return allowed(peer, AM_ACTION_QUARANTINE) &&
           send_texts(peer, AM_NATIVE_QUARANTINE, reason, NULL);
}

/* Of use only when it is sent at once. */
static bool progress(void *peer)
{
    struct am_native_session *self = peer;

    am_native_packet_end(&self->out, am_native_packet_begin(&self->out, AM_NATIVE_PROGRESS));
    return !self->out.failed && self->sink.flush(self->sink.user, &self->out);
}

const struct am_peer_ops am_native_peer = {
    .macro = get_macro,
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
