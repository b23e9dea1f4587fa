#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/milter/native_crew.h"

/* How many threads there are: each job tells that it has begun and waits until it may end. */

enum { PLACES = 2, MOST = 8 };

static struct am_native_crew crew;
static sem_t jobs, begun, leave;
static atomic_bool says_so; /* jobs announce their wait */
static atomic_bool over;

/* A page of each thread that it uses for its jobs only. */
static char *pages;
static size_t page_len;
static atomic_uint hands;

static void work(void *user)
{
    char *page = pages + atomic_fetch_add(&hands, 1) % MOST * page_len;

    (void)user;
    am_native_crew_spare(page, page_len);
    while (am_native_crew_pause()) {
        while (sem_wait(&jobs) != 0)
            continue;
        am_native_crew_took();
        if (atomic_load(&over))
            return;
        *page = 1;
        if (atomic_load(&says_so))
            am_native_crew_before_wait();
        sem_post(&begun);
        while (sem_wait(&leave) != 0)
            continue;
    }
}

static int start(void **state)
{
    struct am_problem problem;

    (void)state;
    memset(&crew, 0, sizeof(crew));
    sem_init(&jobs, 0, 0);
    sem_init(&begun, 0, 0);
    sem_init(&leave, 0, 0);
    atomic_store(&over, false);
    atomic_store(&hands, 0);
    page_len = (size_t)sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, MOST * page_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    crew.work = work;
    crew.places = PLACES;
    crew.most = MOST;
    crew.busy_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(crew.busy_fd >= 0);
    assert_true(am_native_crew_start(&crew, &problem));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    atomic_store(&over, true);
    am_native_crew_end(&crew);
    for (int i = 0; i < 2 * MOST; i++) { /* also when a test failed half way */
        sem_post(&jobs);
        sem_post(&leave);
    }
    am_native_crew_wait(&crew);
    assert_int_equal(crew.count, 0);
    close(crew.busy_fd);
    munmap(pages, MOST * page_len);
    return 0;
}

static void give(int count)
{
    for (int i = 0; i < count; i++)
        sem_post(&jobs);
}

/* Waits for a job to begin; false after so many milliseconds. */
static bool has_begun(int ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return sem_timedwait(&begun, &until) == 0;
}

static void finish(int count)
{
    for (int i = 0; i < count; i++)
        sem_post(&leave);
}

static void who_waits_gives_the_place_away(void **state)
{
    (void)state;
    atomic_store(&says_so, true);
    for (int round = 0; round < 3; round++) {
        give(MOST - PLACES);
        for (int i = 0; i < MOST - PLACES; i++)
            assert_true(has_begun(20000));
        finish(MOST - PLACES);
    }
}

static void there_are_bounds(void **state)
{
    (void)state;
    atomic_store(&says_so, true);
    give(MOST + 3);
    for (int i = 0; i < MOST; i++)
        assert_true(has_begun(20000));
    assert_false(has_begun(100));
    finish(MOST);
    for (int i = 0; i < 3; i++)
        assert_true(has_begun(20000));
    finish(3);
}

static void who_waits_in_silence_is_found_out(void **state)
{
    uint64_t count;

    (void)state;
    atomic_store(&says_so, false);
    give(PLACES + 2);
    for (int i = 0; i < PLACES; i++)
        assert_true(has_begun(20000));
    assert_false(has_begun(50));
    assert_int_equal(read(crew.busy_fd, &count, sizeof(count)), sizeof(count));
    assert_true(am_native_crew_watch(&crew));
    assert_true(am_native_crew_watch(&crew));
    assert_true(has_begun(20000));
    assert_true(am_native_crew_watch(&crew)); /* an event was taken, none has ended */
    assert_true(has_begun(20000));
    finish(PLACES + 2);
    am_native_crew_calm(&crew);
    /* Back to as many as there are places: the others rest. */
    struct timespec pause = {.tv_nsec = 100000000};
    nanosleep(&pause, NULL);
    give(PLACES + 1);
    for (int i = 0; i < PLACES; i++)
        assert_true(has_begun(20000));
    assert_false(has_begun(100));
    finish(PLACES + 1);
    assert_true(has_begun(20000));
}

/* How many of the pages take memory. */
static int resident(void)
{
    unsigned char in_memory[MOST];
    int count = 0;

    assert_int_equal(mincore(pages, MOST * page_len, in_memory), 0);
    for (int i = 0; i < MOST; i++)
        count += in_memory[i] & 1;
    return count;
}

static void who_rests_gives_memory_back(void **state)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    (void)state;
    atomic_store(&says_so, true);
    give(MOST);
    for (int i = 0; i < MOST; i++)
        assert_true(has_begun(20000));
    assert_int_equal(resident(), MOST);
    finish(MOST);
    for (int i = 0; i < 2000 && resident() > PLACES; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(resident(), PLACES);
    give(MOST);
    for (int i = 0; i < MOST; i++)
        assert_true(has_begun(20000));
    assert_int_equal(resident(), MOST);
    finish(MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_waits_gives_the_place_away, start, stop),
        cmocka_unit_test_setup_teardown(there_are_bounds, start, stop),
        cmocka_unit_test_setup_teardown(who_waits_in_silence_is_found_out, start, stop),
        cmocka_unit_test_setup_teardown(who_rests_gives_memory_back, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
