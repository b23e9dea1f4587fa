#include "common/milter/native_session.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/milter/reply.h"

/* Most packets with words have a handful; 512 need more room than an SMTP command line has. */
#define WORDS_MAX 512

/* A packet that is larger than anything collected before it, an edit of one field, still fits. */
#define OUT_LIMIT ((size_t)16 << 20)

void am_native_session_init(struct am_native_session *self, struct am_native_shared *shared,
                            const struct am_listener *listener, const struct am_native_sink *sink)
{
    *self = (struct am_native_session){.shared = shared, .listener = listener, .sink = *sink};
    am_buf_init(&self->out, OUT_LIMIT);
}

static void drop_agreed(struct am_native_session *self)
{
    if (self->agreed != NULL)
        am_snapshot_drop(&self->agreed->snapshot);
    self->agreed = NULL;
}

static void end_session(struct am_native_session *self)
{
    am_session_free(self->session);
    self->session = NULL;
    am_native_macros_clear(&self->macros, AM_NATIVE_MACROS_CONNECT);
}

void am_native_session_fini(struct am_native_session *self)
{
    end_session(self);
    drop_agreed(self);
    free(self->reply);
    self->reply = NULL;
    am_buf_fini(&self->out);
}

static bool fail(struct am_native_session *self, const char *why)
{
    self->why = why;
    return false;
}

/* --- beginning --- */

/* Makes the session with a reference of its own to `runtime`. */
static bool begin(struct am_native_session *self, struct am_runtime *runtime)
{
    am_snapshot_ref(&runtime->snapshot);
    const struct am_session_start start = {
        .runtime = runtime,
        .ops = &am_native_peer,
        .peer = self,
        .agreement = self->agreement,
        .id = atomic_fetch_add_explicit(&self->shared->connections, 1, memory_order_relaxed) + 1,
        .listener = self->listener == NULL ? NULL : self->listener->name,
        .role = self->listener == NULL ? AM_ROLE_AUTO : (enum am_role)self->listener->role};
    self->session = am_session_new(&start);
    return self->session != NULL || fail(self, "memory is short");
}

static struct am_plan make_plan(const struct am_native_session *self,
                                const struct am_runtime *runtime)
{
    struct am_plan plan = am_plan_make(runtime);

    /* A program that is stopping says so at MAIL, not after the whole message. */
    if (atomic_load_explicit(&self->shared->draining, memory_order_relaxed))
        plan.answers |= AM_STAGE_ENVFROM;
    return plan;
}

static bool negotiate(struct am_native_session *self, struct am_span content)
{
    end_session(self);
    drop_agreed(self);
    if (!am_native_terms_read(&self->offered, content))
        return fail(self, "its offer cannot be read, or its version is not spoken");
    self->agreed = (struct am_runtime *)am_snapshot_take(self->shared->runtime);
    if (self->agreed == NULL)
        return fail(self, "there is no configuration");

    const struct am_offer offer = am_terms_offer(&self->offered);
    const struct am_plan plan = make_plan(self, self->agreed);
    self->agreement = am_plan_negotiate(&plan, &offer);
    self->terms = am_terms_answer(&self->offered, &self->agreement);
    if (!begin(self, self->agreed))
        return false;
    if (self->agreement.missing != 0 && !atomic_exchange(&self->shared->told_missing, true))
        am_terms_tell_missing(self->agreement.missing);
    am_native_put_negotiation(&self->out, &self->terms, offer.macro_lists, self->agreed, &plan);
    return true;
}

/*
 * A second SMTP connection over the same line comes without a negotiation. It gets the
 * configuration in force now, unless that would need other terms than those agreed on.
 */
static bool begin_again(struct am_native_session *self)
{
    struct am_runtime *now = (struct am_runtime *)am_snapshot_take(self->shared->runtime);
    if (now == NULL)
        return begin(self, self->agreed);

    const struct am_offer offer = am_terms_offer(&self->offered);
    const struct am_plan plan = make_plan(self, now);
    const struct am_agreement agreement = am_plan_negotiate(&plan, &offer);
    const struct am_terms terms = am_terms_answer(&self->offered, &agreement);
    bool same = terms.steps == self->terms.steps && terms.actions == self->terms.actions;
    bool good = begin(self, same ? now : self->agreed);
    am_snapshot_drop(&now->snapshot);
    return good;
}

/* --- answers --- */

static char answer_byte(const struct am_native_session *self, enum am_verdict verdict)
{
    switch (verdict) {
    case AM_SKIP_BODY:
        return self->agreement.skip_body ? AM_NATIVE_SKIP : AM_NATIVE_CONTINUE;
    case AM_ACCEPT:
        return AM_NATIVE_ACCEPT;
    case AM_TEMPFAIL:
        return AM_NATIVE_TEMPFAIL;
    case AM_DISCARD:
        return AM_NATIVE_DISCARD;
    case AM_REJECT:
        return AM_NATIVE_REJECT;
    default:
        return AM_NATIVE_CONTINUE;
    }
}

/* A reply goes with a verdict of its class only. */
static bool reply_fits(const char *reply, enum am_verdict verdict)
{
    return reply != NULL &&
           ((verdict == AM_TEMPFAIL && *reply == '4') || (verdict == AM_REJECT && *reply == '5'));
}

/* Where none was agreed the MTA waits for no answer, and would take one for that to a later step.
 */
static bool answer(struct am_native_session *self, enum am_stage stage, enum am_verdict verdict)
{
    if (am_terms_waits(self->terms.steps, stage)) {
        bool with_reply = reply_fits(self->reply, verdict);
        size_t begin = am_native_packet_begin(&self->out, with_reply ? (char)AM_NATIVE_REPLY
                                                                     : answer_byte(self, verdict));
        if (with_reply)
            am_native_put_text(&self->out, self->reply);
        am_native_packet_end(&self->out, begin);
    }
    free(self->reply);
    self->reply = NULL;
    return true;
}

/* --- events --- */

static bool malformed(struct am_native_session *self)
{
    return fail(self, "it sent a malformed packet");
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Returns false for a family that is none, or an address that is not of its family. */
static bool read_address(struct am_span fields, union address *address, bool *known)
{
    uint16_t port;
    char family = fields.len > 0 ? fields.ptr[0] : 'U';
    *known = false;
    if (family == 'U')
        return true;
    fields = am_span_of(fields.ptr + 1, fields.len - 1);
    if (!am_native_take_u16(&fields, &port))
        return false;
    const char *text = am_native_take_text(&fields);
    if (text == NULL || (family != 'L' && family != '4' && family != '6'))
        return false;
    if (family == 'L')
        return true;

    *known = true;
    memset(address, 0, sizeof(*address));
    if (family == '4') {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return inet_pton(AF_INET, text, &address->v4.sin_addr) == 1;
    }
    if (am_span_starts_nocase(am_span_str(text), am_span_str("IPv6:")))
        text += strlen("IPv6:");
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
}

static bool on_connect(struct am_native_session *self, struct am_span fields)
{
    union address address;
    bool known;
    const char *name = am_native_take_text(&fields);

    if (name == NULL || !read_address(fields, &address, &known))
        return malformed(self);
    am_native_macros_clear(&self->macros, AM_NATIVE_MACROS_HELO);
    return answer(self, AM_STAGE_CONNECT,
                  am_session_connect(self->session, name, known ? &address.any : NULL));
}

static bool on_helo(struct am_native_session *self, struct am_span fields)
{
    const char *name = am_native_take_text(&fields);

    if (name == NULL)
        return malformed(self);
    am_native_macros_clear(&self->macros, AM_NATIVE_MACROS_MAIL);
    return answer(self, AM_STAGE_HELO, am_session_helo(self->session, name));
}

/* Splits MAIL or RCPT: an address and its parameters. Returns 0 when there is no address. */
static size_t split_words(struct am_span fields, const char *words[WORDS_MAX])
{
    size_t count = 0;

    while (fields.len > 0 && count < WORDS_MAX) {
        words[count] = am_native_take_text(&fields);
        if (words[count] == NULL)
            return 0;
        count++;
    }
    return fields.len > 0 ? 0 : count;
}

static bool on_mail(struct am_native_session *self, struct am_span fields)
{
    const char *words[WORDS_MAX];
    size_t count = split_words(fields, words);

    if (count == 0)
        return malformed(self);
    am_native_macros_clear(&self->macros, AM_NATIVE_MACROS_RCPT);
    bool draining = atomic_load_explicit(&self->shared->draining, memory_order_relaxed);
    return answer(self, AM_STAGE_ENVFROM,
                  am_session_mail(self->session, words[0], words + 1, count - 1, draining));
}

static bool on_rcpt(struct am_native_session *self, struct am_span fields)
{
    const char *words[WORDS_MAX];
    size_t count = split_words(fields, words);

    if (count == 0)
        return malformed(self);
    am_native_macros_clear(&self->macros, AM_NATIVE_MACROS_DATA);
    return answer(self, AM_STAGE_ENVRCPT,
                  am_session_rcpt(self->session, words[0], words + 1, count - 1));
}

static bool on_header(struct am_native_session *self, struct am_span fields)
{
    const char *name = am_native_take_text(&fields);
    const char *value = name == NULL ? NULL : am_native_take_text(&fields);

    if (value == NULL)
        return malformed(self);
    return answer(self, AM_STAGE_HEADER, am_session_header(self->session, name, value));
}

/* The last chunk may come with the end. */
static bool on_eom(struct am_native_session *self, struct am_span chunk)
{
    enum am_verdict verdict = AM_CONTINUE;

    if (chunk.len > 0 && (self->agreement.sent & AM_STAGE_BODY) != 0)
        verdict = am_session_body(self->session, chunk);
    if (verdict == AM_CONTINUE || verdict == AM_SKIP_BODY)
        verdict = am_session_eom(self->session);
    answer(self, AM_STAGE_EOM, verdict);
    am_native_macros_clear(&self->macros, AM_NATIVE_MACROS_MAIL);
    return true;
}

static bool on_abort(struct am_native_session *self)
{
    am_session_abort(self->session);
    am_native_macros_clear(&self->macros, AM_NATIVE_MACROS_MAIL);
    return true;
}

static bool on_unknown(struct am_native_session *self, struct am_span fields)
{
    const char *command = am_native_take_text(&fields);

    if (command == NULL)
        return malformed(self);
    return answer(self, AM_STAGE_UNKNOWN, am_session_unknown(self->session, command));
}

/* Whoever has a verdict sees no more of the chunk. */
static bool on_body(struct am_native_session *self, struct am_span piece, bool is_last)
{
    enum am_verdict verdict = self->body_verdict;

    if (verdict == AM_CONTINUE)
        verdict = am_session_body(self->session, piece);
    self->body_verdict = is_last ? AM_CONTINUE : verdict;
    return !is_last || answer(self, AM_STAGE_BODY, verdict);
}

/* The packets that belong to a session. */
static bool handle(struct am_native_session *self, const struct am_native_packet *packet)
{
    switch (packet->command) {
    case AM_NATIVE_CONNECT:
        return on_connect(self, packet->content);
    case AM_NATIVE_HELO:
        return on_helo(self, packet->content);
    case AM_NATIVE_MAIL:
        return on_mail(self, packet->content);
    case AM_NATIVE_RCPT:
        return on_rcpt(self, packet->content);
    case AM_NATIVE_DATA:
        return answer(self, AM_STAGE_DATA, am_session_data(self->session));
    case AM_NATIVE_HEADER:
        return on_header(self, packet->content);
    case AM_NATIVE_EOH:
        return answer(self, AM_STAGE_EOH, am_session_eoh(self->session));
    case AM_NATIVE_BODY:
        return on_body(self, packet->content, true);
    case AM_NATIVE_EOM:
        return on_eom(self, packet->content);
    case AM_NATIVE_UNKNOWN:
        return on_unknown(self, packet->content);
    default:
        return fail(self, "it sent a command that does not exist");
    }
}

/* Tells whether there is a session, or can be. */
static bool is_ready(struct am_native_session *self)
{
    if (self->agreed == NULL)
        return fail(self, "it does not negotiate");
    return self->session != NULL || begin_again(self);
}

bool am_native_session_packet(struct am_native_session *self, const struct am_native_packet *packet)
{
    switch (packet->command) {
    case AM_NATIVE_NEGOTIATE:
        if (!negotiate(self, packet->content))
            return false;
        break;
    case AM_NATIVE_MACRO:
        if (!am_native_macros_set(&self->macros, packet->content))
            return fail(self, "its macros are malformed or too long");
        break;
    case AM_NATIVE_ABORT:
        return self->session == NULL || on_abort(self);
    case AM_NATIVE_QUIT_NC:
        end_session(self);
        break;
    case AM_NATIVE_QUIT:
        return false;
    default:
        if (!is_ready(self) || !handle(self, packet))
            return false;
    }
    return !self->out.failed || fail(self, "memory is short");
}

bool am_native_session_body_piece(struct am_native_session *self, struct am_span piece,
                                  bool is_last)
{
    if (!is_ready(self) || !on_body(self, piece, is_last))
        return false;
    return !self->out.failed || fail(self, "memory is short");
}
