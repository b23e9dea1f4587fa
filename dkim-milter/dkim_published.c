#include "dkim-milter/dkim_published.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Look-ups under way at once, and how long each batch of them may take. */
#define BATCH 32
#define BATCH_MS 20000
#define TICK_NS 20000000L

struct dkim_published {
    const struct dkim_keys *keys;
    struct am_resolver *resolver;
    const struct am_clock *clock;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
    atomic_bool
        left; /* set by the first of the two, thread and stop, that is done with the other */
    size_t fit, others, unknown;
};

/* Waits a little. Returns false when it is time to end. */
static bool tick(struct dkim_published *published)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_NS;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&published->lock);
    if (!published->stop)
        (void)pthread_cond_timedwait(&published->stopped, &published->lock, &until);
    bool go_on = !published->stop;
    pthread_mutex_unlock(&published->lock);
    return go_on;
}

static void tell(struct dkim_published *published, const struct dkim_signing_key *key,
                 const struct am_dns_answer *answer)
{
    struct am_arena *arena = am_arena_new(4096, 0);

    if (arena == NULL)
        return;
    struct dkim_published_finding finding = dkim_published_judge(arena, key, answer);
    if (finding.sentence != NULL)
        am_log(finding.level, "dkim: %s", finding.sentence);
    if (finding.fits)
        published->fit++;
    else if (finding.unknown)
        published->unknown++;
    else
        published->others++;
    am_arena_free(arena);
}

/* One look-up of a batch. */
struct slot {
    const struct dkim_signing_key *key;
    struct am_dns_query *query;
};

static struct am_dns_query *start(const struct dkim_published *published,
                                  const struct dkim_signing_key *key, int64_t deadline_us)
{
    struct am_dns_query *query = NULL;
    struct am_arena *arena = am_arena_new(512, 0);
    const char *name = arena == NULL
                           ? NULL
                           : am_arena_printf(arena, "%s._domainkey.%s", key->selector, key->domain);

    if (name != NULL)
        query = am_dns_start(published->resolver, name, AM_DNS_TXT, deadline_us);
    am_arena_free(arena);
    return query;
}

/* Tells what has come. Returns how many are still under way. */
static size_t collect(struct dkim_published *published, struct slot *slots, size_t count)
{
    size_t under_way = 0;

    for (size_t i = 0; i < count; i++) {
        if (slots[i].query == NULL)
            continue;
        const struct am_dns_answer *answer = am_dns_answer_of(slots[i].query);
        if (answer == NULL) {
            under_way++;
            continue;
        }
        tell(published, slots[i].key, answer);
        am_dns_release(slots[i].query);
        slots[i].query = NULL;
    }
    return under_way;
}

/*
 * Looks a batch up. am_dns_wait() is not for this thread: it cannot be interrupted, and tells the
 * transport that a thread of its own waits. Returns false when it is time to end.
 */
static bool run_batch(struct dkim_published *published, struct slot *slots, size_t count)
{
    static const struct am_dns_answer late = {.outcome = AM_DNS_TIMEOUT};
    int64_t end_us = am_deadline_in_ms(published->clock, BATCH_MS);
    bool go_on = true;

    for (size_t i = 0; i < count; i++)
        slots[i].query = start(published, slots[i].key, end_us);
    while (collect(published, slots, count) > 0 && am_clock_now_us(published->clock) < end_us) {
        go_on = tick(published);
        if (!go_on)
            break;
    }
    for (size_t i = 0; i < count; i++) {
        if (slots[i].query == NULL)
            continue;
        if (go_on)
            tell(published, slots[i].key, &late);
        am_dns_release(slots[i].query);
    }
    return go_on;
}

static void compare_all(struct dkim_published *published)
{
    size_t total = dkim_keys_count(published->keys), next = 0;
    size_t most = total < DKIM_PUBLISHED_MAX ? total : DKIM_PUBLISHED_MAX;

    while (next < most) {
        struct slot slots[BATCH] = {{NULL, NULL}};
        size_t count = 0;

        for (; next < most && count < BATCH; next++) {
            const struct dkim_signing_key *key = dkim_keys_item(published->keys, next);

            /* "%" stands for the domain of whoever sends: there is no name to look up. */
            if (key->domain[0] != '%')
                slots[count++].key = key;
        }
        if (!run_batch(published, slots, count))
            return;
    }
    am_log(AM_LOG_INFO,
           "dkim: keys that fit their published records: %zu; that do not: %zu; that could not be "
           "compared: %zu",
           published->fit, published->others, published->unknown);
    if (total > most)
        am_log(AM_LOG_NOTICE, "dkim: %zu more keys were not compared with their published records",
               total - most);
}

/*
 * A program that ends with connections open closes no configuration: a thread that has done its
 * work waits for nobody. After the exchange `published` may be gone.
 */
static void *run(void *user)
{
    struct dkim_published *published = user;

    compare_all(published);
    if (!atomic_exchange(&published->left, true))
        pthread_detach(pthread_self());
    return NULL;
}

static bool init_locks(struct dkim_published *published)
{
    pthread_condattr_t attributes;

    if (pthread_mutex_init(&published->lock, NULL) != 0)
        return false;
    if (pthread_condattr_init(&attributes) == 0) {
        bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                    pthread_cond_init(&published->stopped, &attributes) == 0;
        pthread_condattr_destroy(&attributes);
        if (good)
            return true;
    }
    pthread_mutex_destroy(&published->lock);
    return false;
}

static void free_all(struct dkim_published *published)
{
    pthread_cond_destroy(&published->stopped);
    pthread_mutex_destroy(&published->lock);
    free(published);
}

struct dkim_published *dkim_published_start(const struct dkim_keys *keys,
                                            struct am_resolver *resolver,
                                            const struct am_clock *clock)
{
    struct dkim_published *published;

    if (dkim_keys_count(keys) == 0)
        return NULL;
    published = calloc(1, sizeof(*published));
    if (published != NULL && !init_locks(published)) {
        free(published);
        published = NULL;
    }
    if (published != NULL) {
        published->keys = keys;
        published->resolver = resolver;
        published->clock = clock;
        if (pthread_create(&published->thread, NULL, run, published) == 0)
            return published;
        free_all(published);
    }
    am_log(AM_LOG_WARNING, "dkim: keys are not compared with their published records: memory or "
                           "threads are short");
    return NULL;
}

void dkim_published_stop(struct dkim_published *published)
{
    if (published == NULL)
        return;
    pthread_mutex_lock(&published->lock);
    published->stop = true;
    pthread_cond_signal(&published->stopped);
    pthread_mutex_unlock(&published->lock);
    if (!atomic_exchange(&published->left, true))
        pthread_join(published->thread, NULL);
    free_all(published);
}
