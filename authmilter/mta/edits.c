#include "authmilter/mta/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void mta_texts_add(struct mta_texts *texts, const char *text)
{
    char **items = reallocarray(texts->items, texts->count + 1, sizeof(*items));
    char *copy = strdup(text);
    if (items != NULL)
        texts->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        return;
    }
    texts->items[texts->count++] = copy;
}

void mta_texts_remove(struct mta_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (strcasecmp(texts->items[i], text) != 0)
            continue;
        free(texts->items[i]);
        memmove(&texts->items[i], &texts->items[i + 1],
                (texts->count - i - 1) * sizeof(*texts->items));
        texts->count--;
        return;
    }
}

void mta_texts_clear(struct mta_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct mta_texts){0};
}

void mta_message_clear(struct mta_message *message)
{
    mta_headers_clear(&message->headers);
    mta_texts_clear(&message->recipients);
    mta_texts_clear(&message->log);
    free(message->sender);
    free(message->sender_params);
    free(message->quarantine);
    am_buf_fini(&message->body);
    *message = (struct mta_message){0};
    am_buf_init(&message->body, 0);
}

/* Which action an edit needs to have been negotiated; 0 for what is no edit. */
static uint32_t needed_action(char answer)
{
    switch (answer) {
    case MTA_ANS_ADD_HEADER:
    case MTA_ANS_INSERT_HEADER:
        return MTA_ACT_ADD_HEADERS;
    case MTA_ANS_CHANGE_HEADER:
        return MTA_ACT_CHANGE_HEADERS;
    case MTA_ANS_REPLACE_BODY:
        return MTA_ACT_CHANGE_BODY;
    case MTA_ANS_ADD_RCPT:
        return MTA_ACT_ADD_RCPT;
    case MTA_ANS_ADD_RCPT_PAR:
        return MTA_ACT_ADD_RCPT_PAR;
    case MTA_ANS_DEL_RCPT:
        return MTA_ACT_DELETE_RCPT;
    case MTA_ANS_CHANGE_FROM:
        return MTA_ACT_CHANGE_FROM;
    case MTA_ANS_QUARANTINE:
        return MTA_ACT_QUARANTINE;
    default:
        return 0;
    }
}

static void edit_header(struct mta_session *session, char answer, struct mta_fields *fields)
{
    struct mta_message *message = &session->message;
    uint32_t index = answer == MTA_ANS_ADD_HEADER ? 0 : mta_fields_u32(fields);
    const char *name = mta_fields_string(fields);
    const char *value = mta_fields_string(fields);
    if (!mta_fields_done(fields) || name[0] == '\0' || index > INT32_MAX) {
        fields->bad = true;
        return;
    }

    /* Without leading blanks negotiated, the MTA puts one there. */
    bool blank = (session->terms.steps & MTA_STEP_HEADER_SPACE) == 0 && value[0] != '\0';
    struct am_buf full;
    am_buf_init(&full, 0);
    am_buf_printf(&full, "%s%s", blank ? " " : "", value);
    if (answer == MTA_ANS_ADD_HEADER)
        mta_headers_append(&message->headers, name, am_buf_str(&full), false);
    else if (answer == MTA_ANS_INSERT_HEADER)
        mta_headers_insert(&message->headers, index, name, am_buf_str(&full));
    else
        mta_headers_change(&message->headers, index, name, am_buf_str(&full));

    struct am_buf line;
    am_buf_init(&line, 0);
    am_buf_printf(&line, "%s %u %s:%s",
                  answer == MTA_ANS_ADD_HEADER      ? "add"
                  : answer == MTA_ANS_INSERT_HEADER ? "insert"
                  : value[0] == '\0'                ? "delete"
                                                    : "change",
                  index, name, am_buf_str(&full));
    mta_texts_add(&message->log, am_buf_str(&line));
    am_buf_fini(&line);
    am_buf_fini(&full);
}

static void edit_sender(struct mta_message *message, struct mta_fields *fields)
{
    const char *sender = mta_fields_string(fields);
    const char *params = fields->rest.len > 0 ? mta_fields_string(fields) : "";
    if (!mta_fields_done(fields))
        return;
    free(message->sender);
    free(message->sender_params);
    message->sender = strdup(sender);
    message->sender_params = strdup(params);
}

static void edit_recipient(struct mta_message *message, char answer, struct mta_fields *fields)
{
    const char *recipient = mta_fields_string(fields);
    if (answer == MTA_ANS_ADD_RCPT_PAR && fields->rest.len > 0)
        mta_fields_string(fields);
    if (!mta_fields_done(fields))
        return;
    if (answer == MTA_ANS_DEL_RCPT)
        mta_texts_remove(&message->recipients, recipient);
    else
        mta_texts_add(&message->recipients, recipient);
}

bool mta_edit_apply(struct mta_session *session, char answer, struct am_span content)
{
    uint32_t action = needed_action(answer);
    struct mta_message *message = &session->message;
    struct mta_fields fields = mta_fields_of(content);
    if (action == 0)
        return false;
    if ((session->terms.actions & action) == 0) {
        mta_session_fail(session, "edit '%c' was not negotiated", answer);
        return true;
    }
    session->edits += answer != MTA_ANS_REPLACE_BODY;
    session->edit_bytes += content.len;
    if (session->edits > MTA_EDITS_MAX || session->edit_bytes > MTA_EDIT_BYTES_MAX) {
        mta_session_fail(session, "the milter asks for too many edits");
        return true;
    }
    switch (answer) {
    case MTA_ANS_REPLACE_BODY:
        if (!message->body_replaced)
            am_buf_clear(&message->body);
        message->body_replaced = true;
        am_buf_add(&message->body, content);
        return true;
    case MTA_ANS_QUARANTINE:
        free(message->quarantine);
        message->quarantine = strdup(mta_fields_string(&fields));
        break;
    case MTA_ANS_CHANGE_FROM:
        edit_sender(message, &fields);
        break;
    case MTA_ANS_ADD_RCPT:
    case MTA_ANS_ADD_RCPT_PAR:
    case MTA_ANS_DEL_RCPT:
        edit_recipient(message, answer, &fields);
        break;
    default:
        edit_header(session, answer, &fields);
        break;
    }
    if (!mta_fields_done(&fields))
        mta_session_fail(session, "malformed edit '%c'", answer);
    return true;
}
