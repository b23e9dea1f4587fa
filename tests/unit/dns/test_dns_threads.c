#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/unit/dns/live_fixture.h"

#define THREADS 200

struct crowd {
    struct am_resolver *resolver;
    pthread_barrier_t barrier;
    int answered[THREADS];
};

struct member {
    struct crowd *crowd;
    int index;
};

static void run_crowd(struct crowd *crowd, void *(*body)(void *))
{
    pthread_t threads[THREADS];
    struct member members[THREADS];

    pthread_barrier_init(&crowd->barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        members[i] = (struct member){crowd, i};
        assert_int_equal(pthread_create(&threads[i], NULL, body, &members[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&crowd->barrier);
}

static void *ask_the_same(void *argument)
{
    struct member *member = argument;

    pthread_barrier_wait(&member->crowd->barrier);
    struct am_dns_query *query = am_dns_start(member->crowd->resolver, "mail.example.com", AM_DNS_A,
                                              am_deadline_in_ms(am_clock_system(), 60000));
    member->crowd->answered[member->index] = am_dns_wait(query)->outcome == AM_DNS_OK;
    am_dns_release(query);
    return NULL;
}

static void test_two_hundred_threads_one_query(void **state)
{
    struct crowd crowd = {0};
    struct fixture f;
    int answered = 0;

    (void)state;
    fixture_init(&f);
    dns_server_set_delay(f.servers[0], 100);
    fixture_open(&f, 1, 30000, 1, 100);
    crowd.resolver = f.resolver;
    run_crowd(&crowd, ask_the_same);
    for (int i = 0; i < THREADS; i++)
        answered += crowd.answered[i];
    struct am_dns_live_stats stats = fixture_stats(&f);
    assert_int_equal(answered, THREADS);
    assert_int_equal(dns_server_count(f.servers[0], "mail.example.com"), 1);
    assert_int_equal(stats.queries_udp, 1);
    assert_int_equal(stats.joined + stats.cache_hits, THREADS - 1);
    fixture_fini(&f);
}

/* Asks, waits, gives up, all mixed: what matters is that nothing is lost, freed twice or raced. */
static void *ask_this_and_that(void *argument)
{
    struct member *member = argument;
    struct am_resolver *resolver = member->crowd->resolver;
    unsigned random = (unsigned)member->index * 7919 + 1;
    char name[64];

    pthread_barrier_wait(&member->crowd->barrier);
    for (int i = 0; i < 30; i++) {
        struct am_dns_query *queries[3];
        for (int j = 0; j < 3; j++) {
            random = random * 1103515245 + 12345;
            unsigned pick = random >> 16;
            snprintf(name, sizeof(name),
                     pick % 9 == 0 ? "silent.example.com" : "n%u.many.example.com", pick % 40);
            queries[j] = am_dns_start(resolver, name, AM_DNS_A,
                                      am_deadline_in_ms(am_clock_system(), pick % 60));
        }
        if (i % 3 != 0)
            am_dns_wait_any(queries, 3);
        for (int j = 0; j < 3; j++) {
            if ((i + j) % 2 == 0)
                member->crowd->answered[member->index] += am_dns_wait(queries[j]) != NULL;
            am_dns_release(queries[j]);
        }
    }
    return NULL;
}

static void test_disorder(void **state)
{
    struct crowd crowd = {0};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    dns_server_set_delay(f.servers[0], 5);
    fixture_open(&f, 1, 40, 2, 20);
    crowd.resolver = f.resolver;
    run_crowd(&crowd, ask_this_and_that);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(crowd.answered[i], 45);
    fixture_fini(&f);
}

struct sleeper {
    struct am_dns_query *query;
    pthread_barrier_t *barrier;
};

static void *sleep_on(void *argument)
{
    struct sleeper *sleeper = argument;

    pthread_barrier_wait(sleeper->barrier);
    enum am_dns_outcome outcome = am_dns_wait(sleeper->query)->outcome;
    am_dns_release(sleeper->query);
    return (void *)(intptr_t)outcome;
}

static void test_freeing_wakes_sleepers(void **state)
{
    pthread_barrier_t barrier;
    pthread_t thread;
    struct fixture f;
    void *outcome;

    (void)state;
    fixture_init(&f);
    fixture_open(&f, 1, 60000, 1, 10);
    pthread_barrier_init(&barrier, NULL, 2);
    struct sleeper sleeper = {am_dns_start(f.resolver, "silent.example.com", AM_DNS_A, AM_NEVER),
                              &barrier};
    assert_int_equal(pthread_create(&thread, NULL, sleep_on, &sleeper), 0);
    pthread_barrier_wait(&barrier);
    while (dns_server_count(f.servers[0], NULL) == 0)
        sched_yield();
    struct timespec pause = {.tv_nsec = 50000000};
    nanosleep(&pause, NULL); /* it sleeps by now: nobody may begin to wait after the free */
    am_resolver_free(f.resolver);
    f.resolver = NULL;
    pthread_join(thread, &outcome);
    assert_int_equal((intptr_t)outcome, AM_DNS_SERVFAIL);
    pthread_barrier_destroy(&barrier);
    fixture_fini(&f);
}

/* Names that nobody answers for keep their sockets, and leave enough for the others. */
static void test_silence_for_many_delays_nobody_else(void **state)
{
    enum { SILENT = 1100 };
    static struct am_dns_query *silent[SILENT];
    static const enum am_dns_type types[] = {AM_DNS_A, AM_DNS_AAAA, AM_DNS_MX, AM_DNS_TXT};
    struct rlimit limit;
    struct fixture f;
    bool answered = false;

    (void)state;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < (rlim_t)5 * SILENT)
        skip();
    fixture_init(&f);
    dns_server_set_fault(f.servers[0], DNS_FAULT_SILENT);
    dns_server_script(f.servers[0], "mail.example.com", DNS_FAULT_NONE, 0);
    fixture_open(&f, 1, 60000, 1, 0);
    for (int i = 0; i < SILENT; i++) {
        char name[32];
        snprintf(name, sizeof(name), "s%d.example.com", i);
        silent[i] =
            am_dns_start(f.resolver, name, AM_DNS_A, am_deadline_in_ms(am_clock_system(), 60000));
    }
    /* A datagram may get lost in the crowd: each question is another one. */
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !answered; i++) {
        struct am_dns_query *query = am_dns_start(f.resolver, "mail.example.com", types[i],
                                                  am_deadline_in_ms(am_clock_system(), 5000));
        enum am_dns_outcome outcome = am_dns_wait(query)->outcome;
        answered = outcome == AM_DNS_OK || outcome == AM_DNS_NODATA;
        am_dns_release(query);
    }
    assert_true(answered);
    for (int i = 0; i < SILENT; i++)
        am_dns_release(silent[i]);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_hundred_threads_one_query),
        cmocka_unit_test(test_silence_for_many_delays_nobody_else),
        cmocka_unit_test(test_disorder),
        cmocka_unit_test(test_freeing_wakes_sleepers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
