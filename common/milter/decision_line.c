#include "common/milter/decision_line.h"

#include <string.h>

static void add_text(struct am_log_line *line, const char *key, const char *value)
{
    if (value != NULL && *value != '\0')
        am_log_line_str(line, key, value);
}

/*
 * Longest text of the client that is shown whole; the longest address of RFC 5321 section 4.5.3.1
 * fits. Each octet may take four in the line: without an end, a long HELO would push out of it
 * what was decided.
 */
#define FOREIGN_MAX 320

/* Adds what the client said, cut with a mark. */
static void add_foreign(struct am_log_line *line, const char *key, const char *value)
{
    static const char mark[] = "[...]";
    char text[FOREIGN_MAX + sizeof(mark)];

    if (strlen(value) <= FOREIGN_MAX) {
        am_log_line_str(line, key, value);
        return;
    }
    memcpy(text, value, FOREIGN_MAX);
    memcpy(text + FOREIGN_MAX, mark, sizeof(mark));
    am_log_line_str(line, key, text);
}

static void add_queue_id(struct am_log_line *line, const struct am_session *session)
{
    if (session->message != NULL)
        add_text(line, "queue_id", session->message->info.queue_id);
    am_log_line_int(line, "conn", (int64_t)session->info.id);
}

static void add_client(struct am_log_line *line, const struct am_session *session)
{
    const struct am_conn_info *info = &session->info;

    add_queue_id(line, session);
    add_text(line, "listener", info->listener);
    add_text(line, "client", info->client_text);
    if (*info->client_name != '\0')
        add_foreign(line, "client_name", info->client_name);
    if (*info->helo != '\0')
        add_foreign(line, "helo", info->helo);
}

static void add_decision(struct am_log_line *line, const struct am_decision *decision)
{
    if (decision == NULL)
        return;
    add_text(line, "module", decision->module);
    add_text(line, "stage", decision->stage);
    if (decision->reply != NULL) {
        am_log_line_int(line, "code", decision->reply->code);
        add_text(line, "xcode", decision->reply->xcode);
    }
    add_text(line, "why", decision->why);
}

/* "spf=pass spf=none dkim=fail", in the order of publication. */
static void add_results(struct am_log_line *line, const struct am_results *results)
{
    struct am_buf text;

    if (results->count == 0)
        return;
    am_buf_init(&text, 0);
    for (size_t i = 0; i < results->count; i++) {
        if (i > 0)
            am_buf_add_char(&text, ' ');
        am_buf_add_str(&text, results->items[i].method);
        am_buf_add_char(&text, '=');
        am_buf_add_str(&text, results->items[i].result);
    }
    am_log_line_text(line, "results", am_buf_span(&text));
    am_buf_fini(&text);
}

static void add_rest(struct am_log_line *line, const struct am_message *message)
{
    add_results(line, &message->results);
    add_text(line, "observed", message->observed);
    add_text(line, "failures", message->failures);
    for (const struct am_note *note = message->notes; note != NULL; note = note->next)
        am_log_line_str(line, note->key, note->value);
    if (am_scrub_count(&message->scrub) > 0)
        am_log_line_int(line, "scrubbed", (int64_t)am_scrub_count(&message->scrub));
    if (message->shadow.compared) {
        am_log_line_int(line, "shadow_same", (int64_t)message->shadow.same);
        am_log_line_int(line, "shadow_differs", (int64_t)message->shadow.differs);
    }
    if (message->info.headers_cut)
        am_log_line_int(line, "headers_cut", (int64_t)message->info.header_count);
    am_log_line_int(line, "time_us", message->spent_us);
}

/* A line that is written to the log and kept in memory; `fill` adds its values. */
struct line {
    const struct am_session *session;
    const char *event, *action, *recipient;
    const struct am_decision *decision;
    void (*fill)(const struct line *self, struct am_log_line *line);
};

static void keep(const struct line *self, struct am_log_line *line)
{
    const struct am_runtime *runtime = self->session->runtime;

    am_log_line_close_text(line);
    am_recent_add(runtime->recent, runtime->clock->wall_s(runtime->clock), am_log_line_span(line));
}

/* What is kept is key=value, whatever the log is like: it is made anew where that differs. */
static void write_line(const struct line *self)
{
    bool kept = self->session->runtime->recent == NULL;
    struct am_log_line line;

    if (am_log_enabled(AM_LOG_INFO)) {
        am_log_line_begin(&line, AM_LOG_INFO, self->event);
        self->fill(self, &line);
        if (!kept && !line.json) {
            keep(self, &line);
            kept = true;
        }
        am_log_line_end(&line);
    }
    if (kept)
        return;
    am_log_line_begin_text(&line, self->event);
    self->fill(self, &line);
    keep(self, &line);
    am_log_line_drop(&line);
}

static void fill_message(const struct line *self, struct am_log_line *line)
{
    const struct am_session *session = self->session;
    const struct am_message *message = session->message;

    add_client(line, session);
    add_foreign(line, "from", message->info.sender_text);
    if (session->agreement.sent & AM_STAGE_ENVRCPT)
        am_log_line_int(line, "rcpts", (int64_t)message->info.recipient_count);
    if (message->rejected_rcpts > 0)
        am_log_line_int(line, "rcpts_refused", (int64_t)message->rejected_rcpts);
    if (*session->info.auth_user != '\0')
        add_foreign(line, "user", session->info.auth_user);
    am_log_line_str(line, "action", self->action);
    add_decision(line, self->decision);
    add_rest(line, message);
}

static void fill_connection(const struct line *self, struct am_log_line *line)
{
    add_client(line, self->session);
    am_log_line_str(line, "action", self->action);
    add_decision(line, self->decision);
}

static void fill_recipient(const struct line *self, struct am_log_line *line)
{
    add_queue_id(line, self->session);
    add_foreign(line, "recipient", self->recipient);
    am_log_line_str(line, "action", self->action);
    add_decision(line, self->decision);
}

void am_decision_line_message(const struct am_session *session, const char *action,
                              const struct am_decision *decision)
{
    const struct line line = {.session = session,
                              .event = "message",
                              .action = action,
                              .decision = decision,
                              .fill = fill_message};

    write_line(&line);
}

void am_decision_line_connection(const struct am_session *session,
                                 const struct am_decision *decision)
{
    const struct line line = {.session = session,
                              .event = "connection",
                              .action = am_verdict_word(decision->verdict),
                              .decision = decision,
                              .fill = fill_connection};

    write_line(&line);
}

void am_decision_line_recipient(const struct am_session *session, const char *recipient,
                                const struct am_decision *decision)
{
    const struct line line = {.session = session,
                              .event = "recipient",
                              .recipient = recipient,
                              .action = am_verdict_word(decision->verdict),
                              .decision = decision,
                              .fill = fill_recipient};

    write_line(&line);
}
