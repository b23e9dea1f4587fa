#include "spf-milter/spf_module_state.h"

#include "common/mail/domain.h"

/* How often one connection may fill the HELO cache with another name. */
#define HELO_FILLS_MAX 16

static struct spf_request request_for(struct am_ctx *ctx, const struct spf_msg_state *state)
{
    const struct spf_conf *conf = am_ctx_conf(ctx);
    const struct am_clock *clock = am_ctx_clock(ctx);
    int64_t deadline_us =
        am_deadline_earlier(am_ctx_deadline_us(ctx), am_deadline_in_ms(clock, conf->time_limit_ms));

    return (struct spf_request){
        .client = state->client,
        .helo = am_span_str(state->helo),
        .sender = am_ctx_msg(ctx)->sender,
        .receiver = am_ctx_authserv_id(ctx),
        .resolver = am_ctx_resolver(ctx),
        .clock = clock,
        .deadline_us = deadline_us,
        .limits = {.terms = (unsigned)conf->max_terms, .voids = (unsigned)conf->max_voids},
        .prefetch = conf->prefetch,
        .want_explanation = conf->explanation,
    };
}

/* Copies a string of an outcome; NULL stays NULL. Clears `good` when memory is short. */
static const char *keep(struct am_arena *arena, const char *text, bool *good)
{
    const char *copy = text == NULL ? NULL : am_arena_copy(arena, am_span_str(text));

    if (copy == NULL && text != NULL)
        *good = false;
    return copy;
}

/*
 * Keeps a HELO outcome for the connection's next messages. A client that changes its name
 * all the time gets no cache; an error that may pass is not kept.
 */
static void cache_helo(struct am_ctx *ctx, struct spf_conn_state *cache, const char *helo,
                       const struct spf_outcome *outcome)
{
    struct am_arena *arena = am_ctx_conn_arena(ctx);
    bool good = true;

    if (outcome->result == SPF_TEMPERROR || cache->helo_fills == HELO_FILLS_MAX)
        return;
    cache->helo_fills++;
    cache->helo = NULL;
    struct spf_outcome *copy = am_arena_alloc(arena, sizeof(*copy));
    const char *name = am_arena_copy(arena, am_span_str(helo));
    if (copy == NULL || name == NULL)
        return;
    *copy = (struct spf_outcome){
        .result = outcome->result,
        .limit = outcome->limit,
        .domain = keep(arena, outcome->domain, &good),
        .sender = keep(arena, outcome->sender, &good),
        .term = keep(arena, outcome->term, &good),
        .reason = keep(arena, outcome->reason, &good),
        .explanation = keep(arena, outcome->explanation, &good),
        .secure = outcome->secure,
    };
    if (!good)
        return;
    cache->helo = name;
    cache->helo_outcome = copy;
}

/* Runs up to two requests, together where the engine can. */
static bool evaluate(struct am_ctx *ctx, const struct spf_request *requests,
                     const struct spf_outcome **outcomes, size_t count)
{
    const struct spf_derived *derived = am_ctx_derived(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);
    struct spf_check *checks[SPF_IDENTITY_COUNT] = {NULL, NULL};

    if (derived->engine != &spf_engine_builtin) {
        for (size_t i = 0; i < count; i++)
            outcomes[i] = derived->engine->evaluate(arena, &requests[i]);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        checks[i] = spf_check_start(arena, &requests[i]);
        if (checks[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < count; i++)
        outcomes[i] = spf_check_finish(checks[i]);
    return true;
}

static void add_finding(struct spf_msg_state *state, enum spf_identity identity,
                        const struct spf_outcome *outcome)
{
    state->findings[state->finding_count++] = (struct spf_finding){identity, outcome};
}

bool spf_module_check(struct am_ctx *ctx, struct spf_msg_state *state,
                      struct spf_conn_state *cached)
{
    const struct spf_conf *conf = am_ctx_conf(ctx);
    bool null_sender = am_ctx_msg(ctx)->sender.is_null;
    /* RFC 7208 section 2.3: only a fully qualified name can be checked. */
    bool helo_valid = am_domain_is_multi_label(am_span_str(state->helo));
    /* RFC 7208 section 2.4: with a null sender the MAIL FROM identity is the HELO one. */
    bool need_helo = helo_valid && (conf->check_helo || null_sender);
    bool need_mailfrom = conf->check_mailfrom && !(null_sender && helo_valid);
    struct spf_request requests[SPF_IDENTITY_COUNT];
    const struct spf_outcome *outcomes[SPF_IDENTITY_COUNT] = {NULL}, *helo = NULL, *mailfrom = NULL;
    size_t count = 0;

    if (need_helo && cached != NULL && cached->helo != NULL &&
        strcmp(cached->helo, state->helo) == 0)
        helo = cached->helo_outcome;
    if (need_mailfrom) {
        requests[count] = request_for(ctx, state);
        requests[count++].identity = SPF_MAILFROM;
    }
    if (need_helo && helo == NULL) {
        requests[count] = request_for(ctx, state);
        if (cached != NULL)
            requests[count].resolver = am_ctx_conn_resolver(ctx);
        requests[count++].identity = SPF_HELO;
    }
    if (!evaluate(ctx, requests, outcomes, count))
        return false;

    if (need_mailfrom)
        mailfrom = outcomes[0];
    if (need_helo && helo == NULL) {
        helo = outcomes[count - 1];
        if (cached != NULL)
            cache_helo(ctx, cached, state->helo, helo);
    }
    if (null_sender && helo_valid && conf->check_mailfrom)
        mailfrom = helo;
    if (mailfrom != NULL)
        add_finding(state, SPF_MAILFROM, mailfrom);
    if (helo != NULL && conf->check_helo)
        add_finding(state, SPF_HELO, helo);
    state->evaluated = true;
    return true;
}
