#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/dns/dns_live.h"
#include "dkim-milter/dkim_rotor_state.h"

/* A look that comes later than the interval asks for still counts as following the one before. */
#define GAP_SLACK_MS 60000

/* --- making --- */

static bool same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

bool dkim_rotor_is_from(const struct dkim_rotor *rotor, const struct dkim_rotor_options *options)
{
    const struct dkim_rotor_options *own = &rotor->options;

    if (!same(own->directory, options->directory) || !same(own->zone, options->zone) ||
        own->server_count != options->server_count || own->timeout_ms != options->timeout_ms ||
        own->check_ms != options->check_ms || own->keep_ms != options->keep_ms ||
        own->grace_ms != options->grace_ms || own->sign_unpublished != options->sign_unpublished ||
        own->reader.uid != options->reader.uid)
        return false;
    for (size_t i = 0; i < own->server_count; i++)
        if (!same(own->servers[i], options->servers[i]))
            return false;
    return true;
}

static bool copy_options(struct dkim_rotor *rotor, const struct dkim_rotor_options *options)
{
    struct dkim_rotor_options *own = &rotor->options;
    const char **servers =
        am_arena_alloc(rotor->arena, (options->server_count + 1) * sizeof(*servers));
    char host[DKIM_ROTATION_NAME_MAX + 1] = "";

    *own = *options;
    own->directory = am_arena_copy(rotor->arena, am_span_str(options->directory));
    own->zone = am_arena_copy(rotor->arena, am_span_str(options->zone));
    if (servers == NULL || own->directory == NULL || own->zone == NULL)
        return false;
    own->servers = servers;
    for (size_t i = 0; i < options->server_count; i++)
        if ((servers[i] = am_arena_copy(rotor->arena, am_span_str(options->servers[i]))) == NULL)
            return false;
    if (options->host != NULL)
        strncat(host, options->host, sizeof(host) - 1);
    else if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        strcpy(host, "localhost");
    for (char *at = host; *at != '\0'; at++)
        if (!am_is_alnum((unsigned char)*at) && (*at != '.' || at == host) && *at != '_')
            *at = '-';
    rotor->rules = (struct dkim_rotation_rules){
        .keep_s = options->keep_ms / 1000,
        .grace_us = options->grace_ms * 1000,
        .gap_us = (options->check_ms * 2 + GAP_SLACK_MS) * 1000,
        .sign_unpublished = options->sign_unpublished,
        .host = am_arena_copy(rotor->arena, am_span_str(host)),
    };
    return rotor->rules.host != NULL;
}

/* A resolver for each name server, so that none answers for another one; and without a cache, so
 * that what it says is what it knows now. */
static bool open_server(struct dkim_rotor *rotor, size_t index, struct am_problem *problem)
{
    const char *server = rotor->servers[index];
    const struct am_dns_live_options live = {
        .nameservers = &server,
        .nameserver_count = 1,
        .timeout_ms = rotor->options.timeout_ms,
        .attempts = 2,
        .clock = rotor->options.clock,
    };

    rotor->resolvers[index] = am_dns_live_new(&live, problem);
    return rotor->resolvers[index] != NULL;
}

/* The name of this machine, with a number that is another one for other name servers. */
static bool name_witness(struct dkim_rotor *rotor)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < rotor->rules.views; i++) {
        for (const char *at = rotor->servers[i]; *at != '\0'; at++)
            hash = (hash ^ (unsigned char)*at) * 16777619u;
        hash *= 16777619u;
    }
    rotor->rules.witness = am_arena_printf(rotor->arena, "%.*s-%08lx", DKIM_ROTATION_NAME_MAX - 9,
                                           rotor->rules.host, (unsigned long)hash);
    return rotor->rules.witness != NULL;
}

static bool open_resolvers(struct dkim_rotor *rotor, struct am_problem *problem)
{
    const struct dkim_rotor_options *options = &rotor->options;
    const struct am_dns_live_options live = {.nameservers = options->servers,
                                             .nameserver_count = options->server_count};
    size_t room = DKIM_ROTATION_VIEWS_MAX, count = 0;

    rotor->resolvers = am_arena_alloc(rotor->arena, room * sizeof(*rotor->resolvers));
    rotor->servers = am_arena_alloc(rotor->arena, room * sizeof(*rotor->servers));
    if (rotor->resolvers == NULL || rotor->servers == NULL)
        return am_problem_set(problem, "out of memory");
    if (options->resolver_count > 0) {
        for (; count < options->resolver_count && count < room; count++) {
            rotor->resolvers[count] = options->resolvers[count];
            strcpy(rotor->servers[count], "test");
        }
    } else if (options->zone[0] != '\0') {
        strcpy(rotor->servers[count++], "the zone file");
    } else if (!am_dns_live_list(&live, rotor->servers, room, &count, problem)) {
        return false;
    } else {
        for (size_t i = 0; i < count; i++)
            if (!open_server(rotor, i, problem))
                return false;
    }
    rotor->rules.views = count;
    return name_witness(rotor) || am_problem_set(problem, "out of memory");
}

static bool init_locks(struct dkim_rotor *rotor)
{
    pthread_condattr_t attributes;

    if (pthread_mutex_init(&rotor->lock, NULL) != 0)
        return false;
    if (pthread_condattr_init(&attributes) == 0) {
        bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                    pthread_cond_init(&rotor->stopped, &attributes) == 0;
        pthread_condattr_destroy(&attributes);
        if (good)
            return true;
    }
    pthread_mutex_destroy(&rotor->lock);
    return false;
}

static void free_all(struct dkim_rotor *rotor)
{
    for (size_t i = 0; i < rotor->count; i++)
        dkim_rotor_domain_free(rotor->domains[i]);
    free(rotor->domains);
    am_snapshot_holder_free(rotor->pictures);
    for (size_t i = 0; rotor->resolvers != NULL && rotor->options.resolver_count == 0 &&
                       i < DKIM_ROTATION_VIEWS_MAX;
         i++)
        am_resolver_free(rotor->resolvers[i]);
    am_arena_free(rotor->arena);
    free(rotor);
}

struct dkim_rotor *dkim_rotor_new(const struct dkim_rotor_options *options,
                                  struct am_problem *problem)
{
    struct dkim_rotor *rotor = calloc(1, sizeof(*rotor));
    struct dkim_store_names names;

    am_problem_set(problem, "out of memory");
    if (rotor == NULL)
        return NULL;
    atomic_init(&rotor->references, 1);
    rotor->arena = am_arena_new(4096, 0);
    rotor->pictures = am_snapshot_holder_new();
    if (rotor->arena != NULL && rotor->pictures != NULL && copy_options(rotor, options) &&
        open_resolvers(rotor, problem) &&
        dkim_store_domains(rotor->arena, rotor->options.directory, &names, problem)) {
        am_problem_set(problem, "out of memory");
        /* A domain that is not known would have its mail signed with other keys, or not at all. */
        if (dkim_rotor_read(rotor) && dkim_rotor_draw(rotor) && init_locks(rotor))
            return rotor;
    }
    free_all(rotor);
    return NULL;
}

/* --- running --- */

void dkim_rotor_round(struct dkim_rotor *rotor)
{
    (void)dkim_rotor_read(rotor);
    if (!dkim_rotor_look(rotor))
        return;
    dkim_rotor_step(rotor);
    (void)dkim_rotor_draw(rotor);
}

static void *run(void *user)
{
    struct dkim_rotor *rotor = user;

    do
        dkim_rotor_round(rotor);
    while (dkim_rotor_wait_ms(rotor, rotor->options.check_ms));
    return NULL;
}

void dkim_rotor_start(struct dkim_rotor *rotor)
{
    if (rotor->runs)
        return;
    rotor->runs = pthread_create(&rotor->thread, NULL, run, rotor) == 0;
    if (!rotor->runs)
        am_log(AM_LOG_ERROR, "dkim: managed keys are not compared with the DNS and stay as they "
                             "are: there is no thread to be had");
}

struct dkim_rotor *dkim_rotor_ref(struct dkim_rotor *rotor)
{
    atomic_fetch_add(&rotor->references, 1);
    return rotor;
}

void dkim_rotor_drop(struct dkim_rotor *rotor)
{
    if (rotor == NULL || atomic_fetch_sub(&rotor->references, 1) > 1)
        return;
    pthread_mutex_lock(&rotor->lock);
    rotor->stop = true;
    pthread_cond_signal(&rotor->stopped);
    pthread_mutex_unlock(&rotor->lock);
    if (rotor->runs)
        pthread_join(rotor->thread, NULL);
    pthread_cond_destroy(&rotor->stopped);
    pthread_mutex_destroy(&rotor->lock);
    free_all(rotor);
}
