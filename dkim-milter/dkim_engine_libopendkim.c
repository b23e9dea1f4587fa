#include "dkim-milter/dkim_engine_libopendkim.h"

#include <stdatomic.h>

#include "dkim-milter/dkim_author.h"
#include "dkim-milter/dkim_key_record.h"
#include "dkim-milter/dkim_peer_pool.h"
#include "dkim-milter/dkim_peer_wire.h"

static atomic_ulong failures;

unsigned long dkim_engine_libopendkim_failures(void)
{
    return atomic_load(&failures);
}

struct dkim_verifier {
    const struct dkim_verify_env *env;
    struct dkim_peer_worker worker; /* none when nothing is to be done, or it has failed */
    struct am_buf frame;
    struct dkim_signature *signatures;
    struct dkim_outcome *outcomes;
    struct dkim_report report;
};

/* Every signature that is not settled yet comes out so. */
static void settle(struct dkim_verifier *verifier, enum dkim_reason reason)
{
    for (size_t i = 0; i < verifier->report.count; i++)
        if (!verifier->outcomes[i].evaluated && verifier->outcomes[i].reason == DKIM_REASON_NONE)
            verifier->outcomes[i].reason = reason;
}

static void fail(struct dkim_verifier *verifier)
{
    atomic_fetch_add(&failures, 1);
    if (verifier->worker.pid != 0)
        dkim_peer_pool_kill(&verifier->worker);
    settle(verifier, DKIM_REASON_ENGINE);
}

/* Sends a frame, if there is still somebody to take it. */
static void say(struct dkim_verifier *verifier, enum dkim_peer_type type, struct am_span content)
{
    if (verifier->worker.pid != 0 && !dkim_peer_send(verifier->worker.fd, type, content))
        fail(verifier);
}

static void release(void *object)
{
    struct dkim_verifier *verifier = object;

    if (verifier->worker.pid != 0) /* the message was given up */
        dkim_peer_pool_kill(&verifier->worker);
    am_buf_fini(&verifier->frame);
}

/* A milter gets LF where the signer had CRLF. */
static void say_field(struct dkim_verifier *verifier, const struct dkim_field *field)
{
    struct am_buf *text = &verifier->frame;

    am_buf_clear(text);
    for (size_t i = 0; i < field->raw.len; i++) {
        if (field->raw.ptr[i] == '\n' && (i == 0 || field->raw.ptr[i - 1] != '\r'))
            am_buf_add_char(text, '\r');
        am_buf_add_char(text, field->raw.ptr[i]);
    }
    if (text->failed)
        fail(verifier);
    else
        say(verifier, DKIM_PEER_FIELD, am_buf_span(text));
}

static bool list_signatures(struct dkim_verifier *verifier, const struct dkim_fields *fields)
{
    struct am_arena *arena = verifier->env->arena;
    size_t found;
    const struct dkim_field *const *list =
        dkim_fields_find(fields, am_span_str("dkim-signature"), &found);
    size_t count = found < DKIM_OUTCOMES_MAX ? found : DKIM_OUTCOMES_MAX;

    verifier->report.count = count;
    verifier->report.more = found - count;
    verifier->signatures = am_arena_alloc(arena, count * sizeof(*verifier->signatures));
    verifier->outcomes = am_arena_alloc(arena, count * sizeof(*verifier->outcomes));
    verifier->report.outcomes = verifier->outcomes;
    if (count > 0 && (verifier->signatures == NULL || verifier->outcomes == NULL))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct dkim_signature *signature = &verifier->signatures[i];

        (void)dkim_signature_parse(signature, arena, list[i]->value);
        verifier->outcomes[i] = (struct dkim_outcome){
            .parts = signature,
            .field = list[i]->position,
            .aligned =
                signature->ascii_domain != NULL &&
                dkim_is_aligned(am_span_str(signature->ascii_domain), verifier->report.author),
        };
    }
    return true;
}

static void begin(struct dkim_verifier *verifier, const struct dkim_fields *fields)
{
    const struct dkim_limits *limits = verifier->env->limits;
    const struct dkim_peer_begin head = {
        .clock_skew_s = limits->clock_skew_s,
        .min_key_bits = limits->min_key_bits,
        .max_signatures = (uint32_t)limits->max_signatures,
    };

    if (!dkim_peer_pool_take(&verifier->worker)) {
        fail(verifier);
        return;
    }
    say(verifier, DKIM_PEER_BEGIN, am_span_of((const char *)&head, sizeof(head)));
    for (const struct dkim_field *field = fields->first; field != NULL; field = field->below)
        say_field(verifier, field);
}

static struct dkim_verifier *start(const struct dkim_verify_env *env,
                                   const struct dkim_fields *fields)
{
    struct dkim_verifier *verifier = am_arena_alloc(env->arena, sizeof(*verifier));
    struct dkim_author author;
    size_t from_fields;

    if (verifier == NULL || !am_arena_defer(env->arena, release, verifier))
        return NULL;
    verifier->env = env;
    am_buf_init(&verifier->frame, DKIM_PEER_FRAME_MAX);
    dkim_author_find(&author, env->arena, fields);
    dkim_fields_find(fields, am_span_str("from"), &from_fields);
    verifier->report.author = am_span_str(author.domain);
    verifier->report.several_from = from_fields > 1;
    if (!list_signatures(verifier, fields))
        return NULL;
    if (from_fields != 1) /* the library looks at the topmost, and asks for none */
        settle(verifier, from_fields == 0 ? DKIM_REASON_NO_FROM : DKIM_REASON_SEVERAL_FROM);
    else if (env->headers_cut)
        settle(verifier, DKIM_REASON_HEADER_TOO_LARGE);
    else if (verifier->report.count > 0)
        begin(verifier, fields);
    return verifier;
}

static bool wants_body(const struct dkim_verifier *verifier)
{
    return verifier->worker.pid != 0;
}

static void take_body(struct dkim_verifier *verifier, struct am_span chunk)
{
    if (chunk.len > 0)
        say(verifier, DKIM_PEER_BODY, chunk);
}

/* The question is in the frame; the answer is written over it. */
static void answer(struct dkim_verifier *verifier)
{
    const struct dkim_verify_env *env = verifier->env;
    uint32_t number;

    if (verifier->frame.len < sizeof(number)) {
        fail(verifier);
        return;
    }
    memcpy(&number, verifier->frame.data, sizeof(number));
    struct am_dns_query *query =
        am_dns_start(env->resolver, am_buf_str(&verifier->frame) + sizeof(number), AM_DNS_TXT,
                     env->lookup_deadline_us);
    const struct am_dns_answer *found = am_dns_wait(query);
    uint32_t reason = dkim_key_answer_judge(found);

    if (number < verifier->report.count) {
        verifier->outcomes[number].dns = found->outcome;
        verifier->outcomes[number].secure = found->secure;
    }
    am_buf_clear(&verifier->frame);
    am_buf_add(&verifier->frame, am_span_of((const char *)&reason, sizeof(reason)));
    if (reason == DKIM_REASON_NONE)
        am_buf_add(&verifier->frame, found->records[0].text);
    am_dns_release(query);
    say(verifier, DKIM_PEER_ANSWER, am_buf_span(&verifier->frame));
}

/* Takes what the worker says about the next signature. */
static bool take_result(struct dkim_verifier *verifier, size_t number)
{
    struct dkim_peer_result result;

    if (verifier->frame.len != sizeof(result))
        return false;
    memcpy(&result, verifier->frame.data, sizeof(result));
    if (number >= verifier->report.count) /* not listed */
        return true;
    struct dkim_outcome *outcome = &verifier->outcomes[number];
    outcome->evaluated = result.evaluated;
    outcome->reason = (enum dkim_reason)result.reason;
    outcome->key_bits = result.key_bits;
    outcome->testing = result.testing;
    outcome->unsigned_octets = result.unsigned_octets;
    if (outcome->reason == DKIM_REASON_NONE && result.unsigned_octets > 0 &&
        !verifier->env->partial_body_passes)
        outcome->reason = DKIM_REASON_LENGTH_INCOMPLETE;
    return true;
}

/* Answers questions until all is said. */
static void listen(struct dkim_verifier *verifier)
{
    enum dkim_peer_type type;
    size_t results = 0;

    say(verifier, DKIM_PEER_END, am_span_of(NULL, 0));
    while (verifier->worker.pid != 0) {
        bool good = dkim_peer_receive(verifier->worker.fd, &type, &verifier->frame);
        if (good && type == DKIM_PEER_DONE) {
            dkim_peer_pool_give(&verifier->worker);
            settle(verifier, DKIM_REASON_ENGINE);
        } else if (good && type == DKIM_PEER_QUESTION) {
            answer(verifier);
        } else if (!good || type != DKIM_PEER_RESULT || !take_result(verifier, results++)) {
            fail(verifier);
        }
    }
}

static const struct dkim_report *finish(struct dkim_verifier *verifier)
{
    struct dkim_report *report = &verifier->report;

    listen(verifier);
    for (size_t i = 0; i < report->count; i++) {
        struct dkim_outcome *outcome = &verifier->outcomes[i];

        outcome->result = dkim_reason_result(outcome->reason);
        if (outcome->result == DKIM_PASS && outcome->aligned)
            report->aligned_pass = true;
    }
    report->best = dkim_report_best(report->outcomes, report->count);
    return report;
}

const struct dkim_engine dkim_engine_libopendkim = {
    .name = "libopendkim",
    .start = start,
    .wants_body = wants_body,
    .body = take_body,
    .finish = finish,
};
