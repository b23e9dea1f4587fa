#include "common/dns/dns_live.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/dns/dns_cache.h"
#include "common/dns/dns_key.h"
#include "common/dns/dns_loop.h"
#include "common/dns/dns_server_list.h"

/*
 * The callers' side of the resolver. One lock guards the cache, the look-ups
 * under way and who waits for them; it is held for a few hundred nanoseconds at a
 * time and never while waiting or while anything is sent.
 */

/* Different questions under way at once; more are answered AM_DNS_SERVFAIL at once. */
#define LOOKUPS_MAX 4096
#define LOOKUP_BUCKETS 512 /* a power of two */

#define TIMEOUT_DEFAULT_MS 2000
#define ATTEMPTS_MAX 10
#define BYTES_PER_ENTRY 1024

struct live_query;
TAILQ_HEAD(query_list, live_query);

/* A question under way and everybody who asked it. */
struct lookup {
    struct am_dns_job job; /* first: the loop hands it back */
    struct lookup *chain;
    uint64_t hash;
    struct query_list queries;
};

/* A caller that sleeps. */
struct waiter {
    pthread_cond_t news;
};

struct live {
    struct am_resolver base;
    const struct am_clock *clock;
    void (*before_wait)(void);
    struct am_dns_loop *loop;
    struct am_dns_key_seed seed;
    pthread_condattr_t monotonic;

    pthread_mutex_t lock;
    struct am_dns_cache *cache; /* NULL: switched off */
    struct lookup *lookups[LOOKUP_BUCKETS];
    size_t lookup_count;
    size_t sleeping; /* callers inside live_wait_any() */
    pthread_cond_t all_left;
    uint64_t started, hits, joined;
};

struct live_query {
    struct am_dns_query base;
    struct am_dns_answer answer;
    struct am_dns_set *set; /* what `answer` shows; NULL when it has no records */
    struct live *live;
    int64_t deadline_us;
    /* While there is no answer: */
    struct lookup *lookup;
    TAILQ_ENTRY(live_query) link;
    struct waiter *waiter; /* its owner sleeps here */
};

/* --- answers --- */

/* Makes the answer visible to the owner, who may free the query right after. */
static void publish(struct live_query *query)
{
    __atomic_store_n(&query->base.answer, &query->answer, __ATOMIC_RELEASE);
}

static void publish_outcome(struct live_query *query, enum am_dns_outcome outcome)
{
    query->answer = (struct am_dns_answer){.outcome = outcome};
    publish(query);
}

/* Gives everybody who waits for the look-up its set. */
static void deliver(struct lookup *lookup, struct am_dns_set *set)
{
    struct live_query *query;

    while ((query = TAILQ_FIRST(&lookup->queries)) != NULL) {
        struct waiter *waiter = query->waiter;
        TAILQ_REMOVE(&lookup->queries, query, link);
        query->lookup = NULL;
        if (set != NULL) {
            query->set = am_dns_set_take(set);
            am_dns_set_show(set, &query->answer);
            publish(query);
        } else {
            publish_outcome(query, AM_DNS_SERVFAIL);
        }
        if (waiter != NULL)
            pthread_cond_signal(&waiter->news);
    }
}

/* --- look-ups under way --- */

static struct lookup **bucket_of(struct live *live, uint64_t hash)
{
    return &live->lookups[hash & (LOOKUP_BUCKETS - 1)];
}

static struct lookup *find_lookup(struct live *live, uint64_t hash, const struct am_dns_name *name,
                                  enum am_dns_type type)
{
    for (struct lookup *lookup = *bucket_of(live, hash); lookup != NULL; lookup = lookup->chain) {
        if (lookup->hash == hash && lookup->job.type == type &&
            am_dns_name_equal(&lookup->job.name, name))
            return lookup;
    }
    return NULL;
}

static struct lookup *add_lookup(struct live *live, uint64_t hash, const struct am_dns_name *name,
                                 enum am_dns_type type)
{
    if (live->lookup_count >= LOOKUPS_MAX)
        return NULL;
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return NULL;
    lookup->job.name = *name;
    lookup->job.type = type;
    lookup->hash = hash;
    TAILQ_INIT(&lookup->queries);
    struct lookup **bucket = bucket_of(live, hash);
    lookup->chain = *bucket;
    *bucket = lookup;
    live->lookup_count++;
    return lookup;
}

static void remove_lookup(struct live *live, struct lookup *lookup)
{
    struct lookup **link = bucket_of(live, lookup->hash);

    while (*link != lookup)
        link = &(*link)->chain;
    *link = lookup->chain;
    live->lookup_count--;
}

static void join(struct lookup *lookup, struct live_query *query)
{
    TAILQ_INSERT_TAIL(&lookup->queries, query, link);
    query->lookup = lookup;
    atomic_store_explicit(&lookup->job.wanted, true, memory_order_relaxed);
}

/* The query's owner waits no longer. Without any other the look-up is given up. */
static void leave(struct live_query *query)
{
    struct lookup *lookup = query->lookup;

    TAILQ_REMOVE(&lookup->queries, query, link);
    query->lookup = NULL;
    if (TAILQ_EMPTY(&lookup->queries))
        atomic_store_explicit(&lookup->job.wanted, false, memory_order_relaxed);
}

/* The network thread is done with a job. */
static void job_done(void *context, struct am_dns_job *job, struct am_dns_set *set)
{
    struct live *live = context;
    struct lookup *lookup = (struct lookup *)job;

    pthread_mutex_lock(&live->lock);
    if (job->abandoned && !TAILQ_EMPTY(&lookup->queries)) {
        /* Somebody came at the very moment it was given up. */
        am_dns_loop_submit(live->loop, job);
        pthread_mutex_unlock(&live->lock);
        return;
    }
    remove_lookup(live, lookup);
    if (set != NULL && set->storable && live->cache != NULL)
        am_dns_cache_store(live->cache, lookup->hash, &job->name, job->type, set,
                           am_clock_now_us(live->clock));
    deliver(lookup, set);
    pthread_mutex_unlock(&live->lock);
    am_dns_set_drop(set);
    free(lookup);
}

/* --- the resolver interface --- */

static bool answer_from_cache(struct live *live, struct live_query *query, uint64_t hash,
                              const struct am_dns_name *name, enum am_dns_type type, int64_t now_us)
{
    uint32_t ttl_s = 0;

    if (live->cache != NULL)
        query->set = am_dns_cache_find(live->cache, hash, name, type, now_us, &ttl_s);
    if (query->set == NULL)
        return false;
    live->hits++;
    am_dns_set_show(query->set, &query->answer);
    query->answer.from_cache = true;
    query->answer.ttl_s = ttl_s;
    query->base.answer = &query->answer;
    return true;
}

/* With the lock held: answers from the cache, joins a look-up or begins one. */
static void place(struct live *live, struct live_query *query, const struct am_dns_name *name,
                  enum am_dns_type type)
{
    uint64_t hash = am_dns_key_hash(&live->seed, name, type);
    int64_t now_us = am_clock_now_us(live->clock);

    live->started++;
    if (answer_from_cache(live, query, hash, name, type, now_us))
        return;
    if (query->deadline_us <= now_us) {
        publish_outcome(query, AM_DNS_TIMEOUT);
        return;
    }
    struct lookup *lookup = find_lookup(live, hash, name, type);
    if (lookup != NULL) {
        live->joined++;
        join(lookup, query);
        return;
    }
    lookup = add_lookup(live, hash, name, type);
    if (lookup == NULL) {
        publish_outcome(query, AM_DNS_SERVFAIL);
        return;
    }
    join(lookup, query);
    am_dns_loop_submit(live->loop, &lookup->job);
}

static struct am_dns_query *live_start(struct am_resolver *self, const char *text,
                                       enum am_dns_type type, int64_t deadline_us)
{
    struct live *live = (struct live *)self;
    struct live_query *query = calloc(1, sizeof(*query));
    struct am_dns_name name;

    if (query == NULL)
        return NULL;
    query->base.ops = self->ops;
    query->live = live;
    query->deadline_us = deadline_us;
    if (!am_dns_name_parse(&name, text)) {
        publish_outcome(query, AM_DNS_NXDOMAIN);
        return &query->base;
    }
    pthread_mutex_lock(&live->lock);
    place(live, query, &name, type);
    pthread_mutex_unlock(&live->lock);
    return &query->base;
}

/*
 * With the lock held: tells whether there is news for the caller, ends queries
 * whose time is over, and finds the earliest deadline of the others.
 */
static bool look(const struct live *live, struct am_dns_query *const *queries, size_t count,
                 int64_t *earliest_us)
{
    int64_t now_us = am_clock_now_us(live->clock);
    bool news = false, pending = false;

    *earliest_us = AM_NEVER;
    for (size_t i = 0; i < count; i++) {
        struct live_query *query = (struct live_query *)queries[i];
        if (query->base.answer == NULL && query->deadline_us <= now_us) {
            leave(query);
            publish_outcome(query, AM_DNS_TIMEOUT);
        }
        if (query->base.answer == NULL) {
            pending = true;
            *earliest_us = am_deadline_earlier(*earliest_us, query->deadline_us);
        } else if (!query->base.seen) {
            news = true;
        }
    }
    return news || !pending;
}

static void set_waiter(struct am_dns_query *const *queries, size_t count, struct waiter *waiter)
{
    for (size_t i = 0; i < count; i++)
        ((struct live_query *)queries[i])->waiter = waiter;
}

/* Sleeps until there is news or the deadline, which counts on the resolver's clock. */
static void sleep_until(struct live *live, struct waiter *waiter, int64_t deadline_us)
{
    struct timespec until;

    if (deadline_us == AM_NEVER) {
        pthread_cond_wait(&waiter->news, &live->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t left_us = deadline_us - am_clock_now_us(live->clock);
    int64_t nanoseconds = until.tv_nsec + left_us % 1000000 * 1000;
    until.tv_sec += left_us / 1000000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    if (left_us > 0)
        pthread_cond_timedwait(&waiter->news, &live->lock, &until);
}

static void live_wait_any(struct am_dns_query *const *queries, size_t count)
{
    struct live *live = ((struct live_query *)queries[0])->live;
    struct waiter waiter;
    int64_t earliest_us;

    if (live->before_wait != NULL)
        live->before_wait();
    pthread_cond_init(&waiter.news, &live->monotonic);
    pthread_mutex_lock(&live->lock);
    live->sleeping++;
    set_waiter(queries, count, &waiter);
    while (!look(live, queries, count, &earliest_us))
        sleep_until(live, &waiter, earliest_us);
    set_waiter(queries, count, NULL);
    if (--live->sleeping == 0)
        pthread_cond_signal(&live->all_left);
    pthread_mutex_unlock(&live->lock);
    pthread_cond_destroy(&waiter.news);
}

static void live_release(struct am_dns_query *base)
{
    struct live_query *query = (struct live_query *)base;

    /* An answered query has nothing to do with the resolver any more. */
    if (__atomic_load_n(&query->base.answer, __ATOMIC_ACQUIRE) == NULL) {
        struct live *live = query->live;
        pthread_mutex_lock(&live->lock);
        if (query->base.answer == NULL)
            leave(query);
        pthread_mutex_unlock(&live->lock);
    }
    am_dns_set_drop(query->set);
    free(query);
}

/* --- life --- */

static void destroy(struct live *live)
{
    am_dns_cache_free(live->cache);
    pthread_cond_destroy(&live->all_left);
    pthread_condattr_destroy(&live->monotonic);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

static void live_free(struct am_resolver *self)
{
    struct live *live = (struct live *)self;

    am_dns_loop_free(live->loop);
    /* Every query has its answer now; let those who slept go before their lock goes. */
    pthread_mutex_lock(&live->lock);
    while (live->sleeping > 0)
        pthread_cond_wait(&live->all_left, &live->lock);
    pthread_mutex_unlock(&live->lock);
    destroy(live);
}

static const struct am_resolver_ops live_ops = {
    .start = live_start,
    .wait_any = live_wait_any,
    .release = live_release,
    .free = live_free,
};

static struct live *make(const struct am_dns_live_options *options)
{
    struct live *live = calloc(1, sizeof(*live));

    if (live == NULL)
        return NULL;
    live->base.ops = &live_ops;
    live->clock = options->clock != NULL ? options->clock : am_clock_system();
    live->before_wait = options->before_wait;
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->all_left, NULL);
    pthread_condattr_init(&live->monotonic);
    pthread_condattr_setclock(&live->monotonic, CLOCK_MONOTONIC);
    size_t bytes = options->cache_bytes;
    if (bytes == 0)
        bytes = options->cache_entries * BYTES_PER_ENTRY;
    if (options->cache_entries > 0)
        live->cache = am_dns_cache_new(options->cache_entries, bytes);
    if ((options->cache_entries > 0 && live->cache == NULL) || !am_dns_key_seed_make(&live->seed)) {
        destroy(live);
        return NULL;
    }
    return live;
}

bool am_dns_live_check_nameserver(const char *text, struct am_problem *problem)
{
    const struct am_dns_live_options options = {.nameservers = &text, .nameserver_count = 1};
    struct am_dns_server_list list;

    return am_dns_server_list_read(&list, &options, problem);
}

struct am_resolver *am_dns_live_new(const struct am_dns_live_options *options,
                                    struct am_problem *problem)
{
    struct am_dns_loop_options loop = {.done = job_done};

    if (!am_dns_server_list_read(&loop.servers, options, problem))
        return NULL;
    struct live *live = make(options);
    if (live == NULL) {
        am_problem_set(problem, "the resolver cannot start: memory is short");
        return NULL;
    }
    loop.timeout_us = 1000 * (options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS);
    loop.attempts = options->attempts < 1 ? 1 : options->attempts;
    if (loop.attempts > ATTEMPTS_MAX)
        loop.attempts = ATTEMPTS_MAX;
    loop.clock = live->clock;
    loop.context = live;
    live->loop = am_dns_loop_new(&loop, problem);
    if (live->loop == NULL) {
        destroy(live);
        return NULL;
    }
    return &live->base;
}

void am_dns_live_read_stats(const struct am_resolver *resolver, struct am_dns_live_stats *stats)
{
    struct live *live = (struct live *)resolver;
    struct am_dns_cache_figures cache = {0};
    struct am_dns_loop_figures loop;

    pthread_mutex_lock(&live->lock);
    uint64_t started = live->started, hits = live->hits, joined = live->joined;
    if (live->cache != NULL)
        am_dns_cache_read_figures(live->cache, &cache);
    pthread_mutex_unlock(&live->lock);
    am_dns_loop_read_figures(live->loop, &loop);
    *stats = (struct am_dns_live_stats){
        .lookups = started,
        .cache_hits = hits,
        .joined = joined,
        .queries_udp = loop.queries_udp,
        .queries_tcp = loop.queries_tcp,
        .timeouts = loop.timeouts,
        .spoofed = loop.spoofed,
        .servfails = loop.servfails,
        .cache_entries = cache.entries,
        .cache_bytes = cache.bytes,
        .cache_evicted = cache.evicted,
    };
}
