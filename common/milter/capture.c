#include "common/milter/capture.h"

#include <stdlib.h>

#include "common/dns/dns_recorder.h"
#include "common/mail/address.h"
#include "common/milter/capture_hash.h"
#include "common/milter/capture_hide.h"
#include "common/milter/capture_write.h"
#include "common/milter/outcome_peer.h"
#include "common/milter/runtime_modules.h"
#include "common/milter/session.h"

/* Most bytes of texts that a connection keeps beside header and body. */
#define CONNECTION_BYTES_MAX ((size_t)6 << 20)
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)

struct macro_item {
    struct macro_item *next;
    struct am_play_macro macro;
};

struct field_item {
    struct field_item *next;
    struct am_play_field field;
};

/* One message, until its end. Its arena goes with it. */
struct kept_message {
    struct am_arena *arena;
    struct am_outcome_taker taker;
    struct am_case kept;
    struct macro_item *macros;
    size_t macro_count;
    struct field_item *first, **end;
    size_t bytes; /* of header and body */
    bool header_cut, body_cut, failed;
    unsigned ended;          /* AM_STAGE_HEADER, AM_STAGE_BODY: came whole */
    const char *local;       /* part of the sender, where it is hidden */
    bool taken;              /* a recipient was */
    enum am_verdict refusal; /* of the last one that was not */
    const char *refusal_text;
    struct am_buf body;
    struct am_capture_hash *hash;
};

struct am_capture {
    const struct am_capture_options *options;
    struct am_peer_tap tap; /* in front of the MTA */
    enum am_stage stage;
    struct am_arena *arena; /* of the connection */
    struct am_dns_recording dns;
    struct am_resolver *recorder, *conn_recorder; /* for the message, for the connection */
    const char *client, *client_name, *helo;
    struct macro_item *macros;
    size_t macro_count;
    struct kept_message *message; /* NULL: none */
    bool failed;                  /* something of the connection could not be kept */
};

/* --- macros --- */

static bool is_known(const struct macro_item *list, const char *name, const char *value)
{
    for (; list != NULL; list = list->next)
        if (strcmp(list->macro.name, name) == 0)
            return strcmp(list->macro.value, value) == 0;
    return false;
}

/* A macro counts for the message once there is one. */
static void keep_macro(void *user, const char *name, const char *value)
{
    struct am_capture *self = user;
    struct kept_message *message = self->message;
    struct am_arena *arena = message == NULL ? self->arena : message->arena;
    struct macro_item **list = message == NULL ? &self->macros : &message->macros;

    if (is_known(*list, name, value) || (message != NULL && is_known(self->macros, name, value)))
        return;
    struct macro_item *item = am_arena_alloc(arena, sizeof(*item));
    if (item != NULL)
        item->macro = (struct am_play_macro){self->stage, am_arena_copy(arena, am_span_str(name)),
                                             am_arena_copy(arena, am_span_str(value))};
    if (item == NULL || item->macro.name == NULL || item->macro.value == NULL) {
        *(message == NULL ? &self->failed : &message->failed) = true;
        return;
    }
    item->next = *list;
    *list = item;
    if (message == NULL)
        self->macro_count++;
    else
        message->macro_count++;
}

/* --- the life of a connection --- */

static void drop_message(struct am_capture *self)
{
    char digits[65];

    if (self->message == NULL)
        return;
    am_buf_fini(&self->message->body);
    if (self->message->hash != NULL)
        am_capture_hash_end(self->message->hash, digits);
    am_arena_free(self->message->arena);
    self->message = NULL;
    self->tap.taker = NULL;
    am_dns_recorder_turn(self->recorder, NULL);
}

static void free_capture(struct am_capture *self)
{
    am_resolver_free(self->recorder);
    am_resolver_free(self->conn_recorder);
    am_arena_free(self->arena);
    free(self);
}

/* What was asked last about the connection is what the modules go by. */
static void begin_recording(struct am_capture *self)
{
    am_dns_recording_init(&self->dns, self->arena);
    self->dns.latest = true;
}

void am_capture_begin(struct am_session *session)
{
    const struct am_config *config = session->runtime->config;
    const struct am_capture_options *options =
        config == NULL ? NULL : am_config_section(config, am_capture_section.name);
    struct am_capture *self = options != NULL && am_capture_is_on(options) &&
                                      session->runtime->resolver != NULL &&
                                      session->runtime->reporter.report == NULL
                                  ? calloc(1, sizeof(*self))
                                  : NULL;

    if (self == NULL)
        return;
    self->options = options;
    self->tap = (struct am_peer_tap){
        .ops = session->ops, .peer = session->peer, .macro = keep_macro, .user = self};
    self->arena = am_arena_new(4096, CONNECTION_BYTES_MAX);
    self->recorder = am_dns_recorder_new(session->runtime->resolver, NULL);
    self->conn_recorder = am_dns_recorder_new(session->runtime->resolver, &self->dns);
    if (self->arena == NULL || self->recorder == NULL || self->conn_recorder == NULL) {
        free_capture(self);
        return;
    }
    begin_recording(self);
    session->ops = &am_peer_tap_ops;
    session->peer = &self->tap;
    session->resolver = self->recorder;
    session->conn_resolver = self->conn_recorder;
    session->capture = self;
}

void am_capture_end(struct am_session *session)
{
    struct am_capture *self = session->capture;

    if (self == NULL)
        return;
    session->ops = self->tap.ops;
    session->peer = self->tap.peer;
    session->resolver = NULL;
    session->conn_resolver = NULL;
    session->capture = NULL;
    drop_message(self);
    free_capture(self);
}

void am_capture_stage(struct am_session *session, enum am_stage stage)
{
    struct am_capture *self = session->capture;

    if (self == NULL)
        return;
    self->stage = stage;
    if (self->message != NULL && stage >= AM_STAGE_EOH)
        self->message->ended |= AM_STAGE_HEADER;
    if (self->message != NULL && stage == AM_STAGE_EOM)
        self->message->ended |= AM_STAGE_BODY;
}

/* Another connection on the same session begins with nothing known. */
void am_capture_connect(struct am_session *session, const char *name, const char *address)
{
    struct am_capture *self = session->capture;

    if (self == NULL)
        return;
    drop_message(self);
    am_arena_reset(self->arena);
    begin_recording(self);
    self->macros = NULL;
    self->macro_count = 0;
    self->client = am_arena_copy(self->arena, am_span_str(address));
    self->client_name = name == NULL ? NULL : am_arena_copy(self->arena, am_span_str(name));
    self->helo = NULL;
    self->failed = self->client == NULL || (name != NULL && self->client_name == NULL);
}

void am_capture_helo(struct am_session *session, const char *name)
{
    struct am_capture *self = session->capture;

    if (self == NULL || (self->helo != NULL && strcmp(self->helo, name) == 0))
        return;
    self->helo = am_arena_copy(self->arena, am_span_str(name));
    self->failed = self->failed || self->helo == NULL;
}

/* --- a message --- */

/* Keeps what words of other texts may come from; see am_capture_hide(). */
static void keep_local(struct kept_message *message, const char *sender)
{
    struct am_address address;

    (void)am_address_parse(&address, am_span_str(sender));
    message->local =
        am_arena_copy(message->arena, address.domain.len == 0 ? address.full : address.local);
    message->failed = message->failed || message->local == NULL;
}

static const char *address_text(const struct am_capture *self, struct am_arena *arena,
                                const char *text)
{
    return self->options->addresses ? am_arena_copy(arena, am_span_str(text))
                                    : am_capture_hide_address(arena, text);
}

static void add_to(struct kept_message *message, struct am_strlist *list, const char *text)
{
    if (!am_outcome_add(&message->taker, list, text))
        message->failed = true;
}

void am_capture_mail(struct am_session *session, const char *sender, const char *const *params,
                     size_t param_count)
{
    struct am_capture *self = session->capture;
    struct am_arena *arena;

    if (self == NULL)
        return;
    drop_message(self);
    /* Header and body have a bound of their own. */
    arena = am_arena_new(2048, MESSAGE_BYTES_MAX + 2 * (size_t)self->options->max_bytes);
    struct kept_message *message = arena == NULL ? NULL : am_arena_alloc(arena, sizeof(*message));
    if (message == NULL) {
        am_arena_free(arena);
        return;
    }
    message->arena = arena;
    message->taker = (struct am_outcome_taker){.arena = arena, .outcome = &message->kept.outcome};
    message->end = &message->first;
    message->kept.sender = address_text(self, arena, sender);
    message->failed = message->kept.sender == NULL;
    if (!self->options->addresses)
        keep_local(message, sender);
    am_dns_recording_init(&message->kept.dns, arena);
    for (size_t i = 0; i < param_count; i++)
        add_to(message, &message->kept.sender_params, am_arena_copy(arena, am_span_str(params[i])));
    am_buf_init(&message->body, (size_t)self->options->max_bytes);
    if (self->options->body == AM_CAPTURE_BODY_HASH)
        message->hash = am_capture_hash_new();
    message->failed =
        message->failed || (self->options->body == AM_CAPTURE_BODY_HASH && message->hash == NULL);
    self->message = message;
    self->tap.taker = &message->taker;
    am_dns_recorder_turn(self->recorder, &message->kept.dns);
}

void am_capture_rcpt(struct am_session *session, const char *recipient, enum am_verdict verdict)
{
    struct am_capture *self = session->capture;

    if (self == NULL || self->message == NULL)
        return;
    struct kept_message *message = self->message;
    const char *text = address_text(self, message->arena, recipient);
    add_to(message, &message->kept.recipients, text);
    if (verdict != AM_REJECT && verdict != AM_TEMPFAIL) {
        message->taken = true;
    } else {
        message->refusal = verdict;
        message->refusal_text = message->taker.reply;
        add_to(message, &message->kept.outcome.refused,
               am_arena_printf(message->arena, "%s %s", text == NULL ? "" : text,
                               message->taker.reply == NULL ? "" : message->taker.reply));
        message->taker.reply = NULL;
    }
}

static bool is_wanted(const struct am_capture *self, const char *name)
{
    static const char *const names[] = {"From",           "Sender",   "Date",
                                        "DKIM-Signature", "Received", "Authentication-Results",
                                        "Return-Path",    "List-Id",  "Message-ID"};

    if (self->options->header == AM_CAPTURE_HEADER_FULL)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (am_span_equal_nocase(am_span_str(names[i]), am_span_str(name)))
            return self->options->header == AM_CAPTURE_HEADER_AUTH;
    return false;
}

void am_capture_field(struct am_session *session, const char *name, const char *value)
{
    struct am_capture *self = session->capture;

    if (self == NULL || self->message == NULL || !is_wanted(self, name))
        return;
    struct kept_message *message = self->message;
    message->bytes += strlen(name) + strlen(value);
    if (message->bytes > (size_t)self->options->max_bytes) {
        message->header_cut = true;
        return;
    }
    struct field_item *item = am_arena_alloc(message->arena, sizeof(*item));
    if (item != NULL)
        item->field = (struct am_play_field){am_arena_copy(message->arena, am_span_str(name)),
                                             am_arena_copy(message->arena, am_span_str(value))};
    if (item == NULL || item->field.name == NULL || item->field.value == NULL) {
        message->failed = true;
        return;
    }
    *message->end = item;
    message->end = &item->next;
    message->kept.field_count++;
}

void am_capture_body_piece(struct am_session *session, struct am_span chunk)
{
    struct am_capture *self = session->capture;

    if (self == NULL || self->message == NULL)
        return;
    struct kept_message *message = self->message;
    message->ended |= AM_STAGE_HEADER;
    message->kept.body_octets += chunk.len;
    am_capture_hash_add(message->hash, chunk);
    if (self->options->body != AM_CAPTURE_BODY_FULL)
        return;
    message->bytes += chunk.len;
    if (message->bytes > (size_t)self->options->max_bytes || message->body_cut)
        message->body_cut = true;
    else
        am_buf_add(&message->body, chunk);
}

/* --- its end --- */

static bool is_asked_for(const struct am_capture *self, const struct am_session *session,
                         const struct am_outcome *outcome)
{
    const struct am_strlist *when = &self->options->when;
    int64_t messages = am_counters_read(session->runtime->counters, AM_COUNT_MESSAGES);

    if (self->options->sample > 0 && messages % self->options->sample == 0)
        return true;
    for (size_t i = 0; i < when->count; i++) {
        const char *word = when->items[i];

        if (strcmp(word, outcome->action) == 0 ||
            (strcmp(word, "refused") == 0 && outcome->refused.count > 0) ||
            (strcmp(word, "observed") == 0 && outcome->observed != NULL) ||
            (strcmp(word, "failure") == 0 && session->message->failures != NULL))
            return true;
        for (size_t j = 0; j < outcome->results.count; j++)
            if (strcmp(word, outcome->results.items[j].result) == 0)
                return true;
    }
    return false;
}

/* Turns the lists round, so that they read in the order things came. */
static bool fill_macros(const struct am_capture *self, struct kept_message *message)
{
    size_t count = self->macro_count + message->macro_count, at = count;

    message->kept.macros =
        am_arena_alloc(message->arena, (count + 1) * sizeof(struct am_play_macro));
    if (message->kept.macros == NULL)
        return false;
    message->kept.macro_count = count;
    for (const struct macro_item *item = message->macros; item != NULL; item = item->next)
        message->kept.macros[--at] = item->macro;
    for (const struct macro_item *item = self->macros; item != NULL; item = item->next)
        message->kept.macros[--at] = item->macro;
    return true;
}

static bool fill_fields(struct kept_message *message)
{
    size_t at = 0;

    message->kept.fields = am_arena_alloc(message->arena, (message->kept.field_count + 1) *
                                                              sizeof(struct am_play_field));
    for (const struct field_item *item = message->first;
         message->kept.fields != NULL && item != NULL; item = item->next)
        message->kept.fields[at++] = item->field;
    return message->kept.fields != NULL;
}

static bool fill_modules(const struct am_session *session, struct kept_message *message)
{
    const struct am_runtime *runtime = session->runtime;

    for (size_t i = 0; i < runtime->module_count; i++)
        add_to(message, &message->kept.modules, runtime->modules[i].module->name);
    return !message->failed;
}

static void fill_body(const struct am_capture *self, struct kept_message *message)
{
    static const char *const words[] = {"none", "hash", "full"};
    static const char *const header_words[] = {"none", "auth", "full"};
    struct am_case *kept = &message->kept;

    kept->header_kept = message->header_cut ? "cut" : header_words[self->options->header];
    kept->body_kept =
        message->body_cut || message->body.failed ? "cut" : words[self->options->body];
    /* Refused before it came: there is nothing to keep, whatever was to be kept of it. */
    if ((message->ended & AM_STAGE_HEADER) == 0)
        kept->header_kept = "not seen";
    if ((message->ended & AM_STAGE_BODY) == 0)
        kept->body_kept = "not seen";
    if (strcmp(kept->body_kept, "full") == 0)
        kept->body = am_buf_span(&message->body);
    if (message->hash != NULL) {
        char *digits = am_arena_alloc(message->arena, 65);
        message->failed = message->failed || digits == NULL;
        if (digits != NULL) {
            am_capture_hash_end(message->hash, digits);
            message->hash = NULL;
            kept->body_sha256 = digits;
        }
    }
}

static bool fill(struct am_capture *self, const struct am_session *session,
                 struct kept_message *message)
{
    struct am_case *kept = &message->kept;

    kept->number = (uint64_t)atomic_fetch_add(&session->runtime->capture_room.number, 1) + 1;
    kept->program = session->runtime->program;
    kept->release = AM_VERSION;
    kept->time_s = session->runtime->clock->wall_s(session->runtime->clock);
    kept->config = am_capture_config_text(message->arena, session->runtime->config);
    kept->config_digest = am_config_digest(session->runtime->config, NULL);
    kept->authserv_id = session->authserv_id;
    kept->queue_id = session->message->info.queue_id;
    kept->listener = session->info.listener;
    kept->role = session->info.role;
    kept->client = self->client;
    kept->client_name = self->client_name;
    kept->helo = self->helo;
    kept->addresses_kept = self->options->addresses;
    kept->conn_dns = self->dns;
    kept->outcome.reply = message->taker.reply;
    fill_body(self, message);
    return kept->config != NULL && !self->failed && fill_macros(self, message) &&
           fill_fields(message) && fill_modules(session, message) && !message->failed &&
           !message->taker.failed &&
           (self->options->addresses || am_capture_hide(message->arena, kept, message->local));
}

void am_capture_message_end(struct am_session *session, const char *action,
                            const struct am_decision *decision)
{
    struct am_capture *self = session->capture;

    if (self == NULL || self->message == NULL)
        return;
    struct kept_message *message = self->message;
    am_outcome_take_end(&message->taker, session, action, decision);
    /* Clients give a message up when no recipient was taken: that is how it was refused. */
    if (!message->taker.ended && !message->taken && message->kept.outcome.refused.count > 0) {
        message->taker.ended = true;
        message->taker.reply = message->refusal_text;
        message->kept.outcome.action = message->refusal == AM_REJECT ? "reject" : "tempfail";
    }
    if (message->taker.ended && is_asked_for(self, session, &message->kept.outcome)) {
        if (fill(self, session, message))
            am_capture_write(self->options, session->runtime, &message->kept);
        else
            am_capture_count(session->runtime, "too_large");
    }
    drop_message(self);
}
