#include <stdlib.h>

#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_key_cache.h"
#include "dkim-milter/dkim_sign.h"
#include "dkim-milter/dkim_verify.h"
#include "tests/bench/dkim/subject.h"

/* The first block of a message's arena, as the framework has it. */
#define ARENA_FIRST 4096

struct engine {
    struct am_arena *site, *message; /* the second is reset for each mail */
    const struct bench_mail *mail;
    struct am_resolver *resolver;
    struct dkim_key_cache *keys;
    struct dkim_sign_request request;
};

static void close_engine(void *state)
{
    struct engine *engine = state;

    am_arena_free(engine->message);
    am_arena_free(engine->site);
    dkim_key_cache_free(engine->keys);
    am_resolver_free(engine->resolver);
    free(engine);
}

static void *open_engine(const struct bench_mail *mail, const struct dkim_private_key *key,
                         struct am_problem *problem)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    const char *zone = NULL;

    if (engine == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    engine->mail = mail;
    engine->site = am_arena_new(4096, 0);
    engine->message = am_arena_new(ARENA_FIRST, 0);
    engine->keys = dkim_key_cache_new(64);
    if (engine->site != NULL)
        zone = bench_mail_zone(engine->site, key);
    if (zone != NULL)
        engine->resolver = am_dns_zone_parse(zone, "zone", problem);
    if (engine->resolver != NULL && engine->message != NULL && engine->keys != NULL &&
        bench_mail_request(&engine->request, engine->site, key, problem))
        return engine;
    close_engine(engine);
    return NULL;
}

static bool take_header(struct engine *engine, struct dkim_fields *fields, size_t first)
{
    dkim_fields_init(fields, engine->message, false);
    for (size_t i = first; i < engine->mail->field_count; i++)
        if (dkim_fields_add(fields, engine->mail->fields[i].name, engine->mail->fields[i].value) ==
            NULL)
            return false;
    return dkim_fields_prepare(fields);
}

/* Takes the next chunk off the body. */
static struct am_span next_chunk(struct am_span *rest)
{
    struct am_span chunk = am_span_of(rest->ptr, rest->len < BENCH_CHUNK ? rest->len : BENCH_CHUNK);

    *rest = am_span_of(rest->ptr + chunk.len, rest->len - chunk.len);
    return chunk;
}

static bool verify(void *state)
{
    struct engine *engine = state;
    const struct dkim_engine *ours = &dkim_engine_builtin;
    struct am_span rest = engine->mail->body;
    struct dkim_fields fields;
    struct dkim_verify_env env = {
        .arena = engine->message,
        .resolver = engine->resolver,
        .clock = am_clock_system(),
        .keys = engine->keys,
        .limits = &dkim_limits_default,
        .lookup_deadline_us = AM_NEVER,
    };
    struct dkim_verifier *verifier = NULL;
    const struct dkim_report *report = NULL;

    if (take_header(engine, &fields, 0))
        verifier = ours->start(&env, &fields);
    if (verifier != NULL) {
        while (rest.len > 0 && ours->wants_body(verifier))
            ours->body(verifier, next_chunk(&rest));
        report = ours->finish(verifier);
    }
    bool good = report != NULL && report->best == DKIM_PASS && report->aligned_pass;
    am_arena_reset(engine->message);
    return good;
}

static bool sign(void *state)
{
    struct engine *engine = state;
    struct am_span rest = engine->mail->body;
    struct dkim_signer *signer = NULL;
    struct am_problem problem;
    struct dkim_fields fields;
    const char *value;
    size_t made = 0;

    if (take_header(engine, &fields, 1))
        signer = dkim_signer_new(engine->message, am_clock_system(), &fields, &engine->request, 1);
    if (signer != NULL) {
        while (rest.len > 0)
            dkim_signer_body(signer, next_chunk(&rest));
        made = dkim_signer_finish(signer, &value, &problem);
    }
    am_arena_reset(engine->message);
    return made == 1;
}

const struct bench_subject bench_engine_verify = {"engine", open_engine, verify, close_engine};
const struct bench_subject bench_engine_sign = {"engine", open_engine, sign, close_engine};
