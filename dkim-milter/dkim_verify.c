#include "dkim-milter/dkim_canon_header.h"
#include "dkim-milter/dkim_selection.h"
#include "dkim-milter/dkim_verify_state.h"

const struct dkim_limits dkim_limits_default = {
    .max_signatures = 10,
    .max_keys = 10,
    .max_signed_names = 5000,
    .min_key_bits = DKIM_RSA_BITS_MIN,
    .clock_skew_s = 300,
};

static void drop(struct dkim_verifier *verifier, struct dkim_task *task, enum dkim_reason reason)
{
    task->outcome.reason = reason;
    verifier->pending--;
}

static bool is_pending(const struct dkim_task *task)
{
    return task->outcome.evaluated && task->outcome.reason == DKIM_REASON_NONE;
}

static void hash_take(void *user, const char *ptr, size_t len)
{
    dkim_hash_update(user, ptr, len);
}

/* Hashes the header as one signature has it (RFC 6376 section 3.7). */
static bool hash_header(struct dkim_task *task, struct dkim_selection *selection,
                        struct dkim_hash *hash)
{
    const struct dkim_signature *signature = &task->signature;
    struct dkim_sink sink = {hash_take, hash};

    if (!dkim_hash_init(hash))
        return false;
    dkim_selection_begin(selection, task->field);
    for (size_t i = 0; i < signature->name_count; i++) {
        const struct dkim_field *field = dkim_selection_take(selection, signature->names[i]);

        if (field != NULL)
            dkim_canon_header(signature->header_canon, field, &sink);
    }
    dkim_canon_header_signature(signature->header_canon, task->field, signature->signature_raw,
                                &sink);
    return dkim_hash_final(hash, task->digest);
}

/* Key look-ups first, so that they are under way while we hash. */
static void start_lookups(struct dkim_verifier *verifier)
{
    static const bool rounds[] = {true, false};

    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < verifier->count; i++) {
            struct dkim_task *task = &verifier->tasks[i];

            if (!is_pending(task) || task->outcome.aligned != rounds[round])
                continue;
            enum dkim_reason reason = dkim_verify_key_start(verifier, task);
            if (reason != DKIM_REASON_NONE)
                drop(verifier, task, reason);
        }
}

static void hash_headers(struct dkim_verifier *verifier)
{
    struct dkim_selection *selection = dkim_selection_new(verifier->env->arena, verifier->fields);
    struct dkim_hash hash = {.context = NULL};

    for (size_t i = 0; i < verifier->count; i++) {
        struct dkim_task *task = &verifier->tasks[i];

        if (is_pending(task) && (selection == NULL || !hash_header(task, selection, &hash)))
            drop(verifier, task, DKIM_REASON_MEMORY);
    }
    dkim_hash_fini(&hash);
}

static void request_bodies(struct dkim_verifier *verifier)
{
    verifier->body = dkim_body_hash_new(verifier->env->arena);
    for (size_t i = 0; i < verifier->count; i++) {
        struct dkim_task *task = &verifier->tasks[i];
        const struct dkim_signature *signature = &task->signature;

        if (!is_pending(task))
            continue;
        if (verifier->body != NULL)
            task->body = dkim_body_hash_want(verifier->body, signature->body_canon,
                                             signature->has_length, signature->length);
        if (task->body == NULL)
            drop(verifier, task, DKIM_REASON_MEMORY);
    }
    if (verifier->body != NULL && dkim_body_hash_start(verifier->body))
        return;
    for (size_t i = 0; i < verifier->count; i++)
        if (is_pending(&verifier->tasks[i]))
            drop(verifier, &verifier->tasks[i], DKIM_REASON_MEMORY);
}

static struct dkim_verifier *start(const struct dkim_verify_env *env,
                                   const struct dkim_fields *fields)
{
    struct dkim_verifier *verifier = am_arena_alloc(env->arena, sizeof(*verifier));
    size_t from_fields;

    if (verifier == NULL)
        return NULL;
    verifier->env = env;
    verifier->fields = fields;
    dkim_author_find(&verifier->author, env->arena, fields);
    dkim_fields_find(fields, am_span_str("from"), &from_fields);
    verifier->report.several_from = from_fields > 1;
    verifier->report.author = am_span_str(verifier->author.domain);
    if (verifier->author.kind == DKIM_AUTHOR_MEMORY || !dkim_verify_choose(verifier))
        return NULL;
    if (verifier->pending > 0) {
        start_lookups(verifier);
        hash_headers(verifier);
        request_bodies(verifier);
    }
    return verifier;
}

static bool wants_body(const struct dkim_verifier *verifier)
{
    return verifier->pending > 0;
}

static void take_body(struct dkim_verifier *verifier, struct am_span chunk)
{
    if (verifier->pending > 0)
        dkim_body_hash_update(verifier->body, chunk);
}

/* What the body says about a signature. */
static enum dkim_reason judge_body(struct dkim_task *task)
{
    const struct dkim_body_request *body = task->body;

    if (body->past_end)
        return DKIM_REASON_LENGTH_BEYOND;
    if (!body->done)
        return DKIM_REASON_CRYPTO;
    task->outcome.body_hashed = true;
    task->outcome.unsigned_octets = body->unsigned_octets;
    memcpy(task->outcome.body_hash, body->digest, sizeof(body->digest));
    if (memcmp(body->digest, task->signature.body_hash, sizeof(body->digest)) != 0)
        return DKIM_REASON_BODY_HASH_MISMATCH;
    return DKIM_REASON_NONE;
}

/*
 * A key that is no good comes first, as in RFC 6376 section 6.1; but what the body says is
 * final, while a failure of the DNS only means that we do not know yet.
 */
static enum dkim_reason judge(struct dkim_verifier *verifier, struct dkim_task *task)
{
    const struct dkim_signature *signature = &task->signature;
    struct dkim_public_key *key = NULL;
    enum dkim_reason body = verifier->env->header_only ? DKIM_REASON_NONE : judge_body(task);
    enum dkim_reason reason = dkim_verify_key_take(verifier, task, &key);

    if (reason != DKIM_REASON_NONE) {
        bool unknown = dkim_reason_result(reason) == DKIM_TEMPERROR;
        return unknown && body != DKIM_REASON_NONE ? body : reason;
    }
    reason = body != DKIM_REASON_NONE
                 ? body
                 : dkim_public_key_verify(key, task->digest, signature->signature);
    dkim_public_key_drop(key);
    if (reason == DKIM_REASON_NONE && task->outcome.unsigned_octets > 0 &&
        !verifier->env->partial_body_passes)
        return DKIM_REASON_LENGTH_INCOMPLETE;
    return reason;
}

static const struct dkim_report *finish(struct dkim_verifier *verifier)
{
    struct dkim_report *report = &verifier->report;

    if (verifier->pending > 0)
        dkim_body_hash_finish(verifier->body);
    for (size_t i = 0; i < verifier->count; i++) {
        struct dkim_task *task = &verifier->tasks[i];

        if (is_pending(task))
            task->outcome.reason = judge(verifier, task);
        task->outcome.result = dkim_reason_result(task->outcome.reason);
        if (task->outcome.result == DKIM_PASS && task->outcome.aligned)
            report->aligned_pass = true;
        verifier->outcomes[i] = task->outcome;
    }
    report->outcomes = verifier->outcomes;
    report->count = verifier->count;
    report->best = dkim_report_best(report->outcomes, report->count);
    return report;
}

const struct dkim_engine dkim_engine_builtin = {
    .name = "builtin",
    .start = start,
    .wants_body = wants_body,
    .body = take_body,
    .finish = finish,
};
