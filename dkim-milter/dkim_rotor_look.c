#include <time.h>

#include "common/base/log.h"
#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_published.h"
#include "dkim-milter/dkim_rotor_state.h"

/* Questions under way at once, and how long each batch of them may take. */
#define BATCH 32
#define BATCH_MS 10000
#define TICK_MS 10

bool dkim_rotor_wait_ms(struct dkim_rotor *rotor, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&rotor->lock);
    int waited = 0;
    while (!rotor->stop && waited == 0)
        waited = pthread_cond_timedwait(&rotor->stopped, &rotor->lock, &until);
    bool go_on = !rotor->stop;
    pthread_mutex_unlock(&rotor->lock);
    return go_on;
}

/* A key, one name server, and what it shows. */
struct question {
    struct dkim_rotor_domain *domain;
    size_t key, view;
    struct am_dns_query *query;
    enum dkim_sight sight;
    uint32_t ttl_s;
};

static void ask(struct dkim_rotor *rotor, struct question *question, int64_t deadline_us)
{
    const struct dkim_rotation_key *key = &question->domain->states.keys[question->key];
    struct am_arena *arena = am_arena_new(512, 0);
    const char *name = arena == NULL ? NULL
                                     : am_arena_printf(arena, "%s._domainkey.%s", key->selector,
                                                       question->domain->name);

    question->sight = DKIM_SIGHT_NONE;
    if (name != NULL && rotor->resolvers[question->view] != NULL)
        question->query =
            am_dns_start(rotor->resolvers[question->view], name, AM_DNS_TXT, deadline_us);
    am_arena_free(arena);
}

static void judge(struct question *question, const struct am_dns_answer *answer)
{
    const struct dkim_rotor_key *key = question->domain->keys[question->key];
    struct am_arena *arena = am_arena_new(4096, 0);

    if (arena != NULL && key != NULL) {
        question->sight = dkim_published_judge(arena, &key->row, answer).sight;
        if (question->sight == DKIM_SIGHT_RIGHT)
            question->ttl_s = answer->ttl_s;
    }
    am_arena_free(arena);
}

/* Takes the answers that have come. Returns how many have not. */
static size_t collect(struct question *questions, size_t count)
{
    size_t under_way = 0;

    for (size_t i = 0; i < count; i++) {
        if (questions[i].query == NULL)
            continue;
        const struct am_dns_answer *answer = am_dns_answer_of(questions[i].query);
        if (answer == NULL) {
            under_way++;
            continue;
        }
        judge(&questions[i], answer);
        am_dns_release(questions[i].query);
        questions[i].query = NULL;
    }
    return under_way;
}

/* What does not answer in time shows nothing. Returns false when it is time to end. */
static bool run_batch(struct dkim_rotor *rotor, struct question *questions, size_t count)
{
    const struct am_clock *clock = rotor->options.clock;
    int64_t end_us = am_deadline_in_ms(clock, BATCH_MS);
    bool go_on = true;

    for (size_t i = 0; i < count; i++)
        ask(rotor, &questions[i], end_us);
    while (go_on && collect(questions, count) > 0 && am_clock_now_us(clock) < end_us)
        go_on = dkim_rotor_wait_ms(rotor, TICK_MS);
    for (size_t i = 0; i < count; i++)
        am_dns_release(questions[i].query);
    return go_on;
}

/* Notes what the questions of one key have shown. */
static void note(const struct dkim_rotor *rotor, const struct question *questions, int64_t now_us)
{
    struct dkim_rotation_key *key = &questions->domain->states.keys[questions->key];
    enum dkim_sight sights[DKIM_ROTATION_VIEWS_MAX];
    uint32_t ttl_s = 0;

    for (size_t i = 0; i < rotor->rules.views; i++) {
        sights[i] = questions[i].sight;
        if (questions[i].ttl_s > ttl_s)
            ttl_s = questions[i].ttl_s;
    }
    dkim_rotation_note(key, &rotor->rules, sights, ttl_s, now_us);
}

/* A zone that cannot be read just now shows nothing. */
static void open_zone(struct dkim_rotor *rotor)
{
    struct am_problem problem;

    if (rotor->options.zone[0] == '\0')
        return;
    am_resolver_free(rotor->resolvers[0]);
    rotor->resolvers[0] = am_dns_zone_load(rotor->options.zone, &problem);
    if (rotor->resolvers[0] == NULL)
        am_log(AM_LOG_WARNING, "dkim: %s", problem.text);
}

/* Walks over the keys that are worth asking for: all but those whose time is over. */
static bool next_key(const struct dkim_rotor *rotor, size_t *domain, size_t *key)
{
    int64_t now_s = rotor->options.clock->wall_s(rotor->options.clock);

    for (; *domain < rotor->count; (*domain)++, *key = 0)
        for (; *key < rotor->domains[*domain]->states.count; (*key)++)
            if (rotor->domains[*domain]->keys[*key] != NULL &&
                !dkim_rotation_is_over(&rotor->domains[*domain]->states.keys[*key], now_s))
                return true;
    return false;
}

bool dkim_rotor_look(struct dkim_rotor *rotor)
{
    size_t domain = 0, key = 0, views = rotor->rules.views;
    bool more = true;

    open_zone(rotor);
    while (more) {
        struct question questions[BATCH + DKIM_ROTATION_VIEWS_MAX] = {{.query = NULL}};
        size_t count = 0;

        while (count < BATCH && (more = next_key(rotor, &domain, &key))) {
            for (size_t view = 0; view < views; view++)
                questions[count++] =
                    (struct question){.domain = rotor->domains[domain], .key = key, .view = view};
            key++;
        }
        if (!run_batch(rotor, questions, count))
            return false;
        int64_t now_us = am_clock_now_us(rotor->options.clock);
        for (size_t i = 0; i < count; i += views)
            note(rotor, &questions[i], now_us);
    }
    return true;
}
