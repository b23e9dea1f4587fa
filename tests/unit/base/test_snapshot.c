#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/snapshot.h"
#include "tests/support/failing_alloc.h"

struct object {
    struct am_snapshot snapshot; /* must be first */
    int value;
};

static atomic_int alive;

static void destroy(struct am_snapshot *self)
{
    ((struct object *)self)->value = -1;
    free(self);
    atomic_fetch_sub(&alive, 1);
}

static struct am_snapshot *make(int value)
{
    struct object *object = malloc(sizeof(*object));

    am_snapshot_init(&object->snapshot, destroy);
    object->value = value;
    atomic_fetch_add(&alive, 1);
    return &object->snapshot;
}

static void the_last_drop_destroys(void **state)
{
    struct am_snapshot_holder *holder = am_snapshot_holder_new();
    struct am_snapshot *first;

    (void)state;
    assert_null(am_snapshot_take(holder));
    am_snapshot_swap(holder, make(1));
    first = am_snapshot_take(holder);
    am_snapshot_ref(first);
    am_snapshot_swap(holder, make(2));
    assert_int_equal(alive, 2);
    am_snapshot_drop(first);
    assert_int_equal(((struct object *)first)->value, 1);
    am_snapshot_drop(first);
    assert_int_equal(alive, 1);
    am_snapshot_swap(holder, NULL);
    assert_int_equal(alive, 0);
    am_snapshot_drop(NULL);
    am_snapshot_holder_free(holder);
    am_snapshot_holder_free(NULL);
}

static atomic_bool stop;

static void *reader(void *argument)
{
    struct am_snapshot_holder *holder = argument;
    intptr_t wrong = 0;

    while (!atomic_load(&stop)) {
        struct am_snapshot *taken = am_snapshot_take(holder);
        wrong += ((struct object *)taken)->value <= 0;
        am_snapshot_drop(taken);
    }
    return (void *)wrong;
}

static void swaps_and_takes_race_safely(void **state)
{
    struct am_snapshot_holder *holder = am_snapshot_holder_new();
    pthread_t threads[4];
    void *wrong;

    (void)state;
    am_snapshot_swap(holder, make(1));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, holder), 0);
    for (int i = 0; i < 2000; i++)
        am_snapshot_swap(holder, make(i + 1));
    atomic_store(&stop, true);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    am_snapshot_holder_free(holder);
    assert_int_equal(alive, 0);
}

static void holder_reports_short_memory(void **state)
{
    (void)state;
    failing_alloc_start(0);
    assert_null(am_snapshot_holder_new());
    assert_true(failing_alloc_stop());
}

static int64_t fixed_us(const struct am_clock *self)
{
    (void)self;
    return 1000;
}

static void deadlines_do_not_overflow(void **state)
{
    const struct am_clock fixed = {fixed_us, fixed_us};
    int64_t before = am_clock_now_us(am_clock_system());

    (void)state;
    assert_int_equal(am_deadline_in_ms(&fixed, 2), 3000);
    assert_int_equal(am_deadline_in_ms(&fixed, -1), 0);
    assert_true(am_deadline_in_ms(&fixed, INT64_MAX) == AM_NEVER);
    assert_true(am_deadline_in_ms(&fixed, INT64_MAX / 1000) == AM_NEVER);
    assert_true(am_deadline_earlier(AM_NEVER, 5) == 5);
    assert_true(am_clock_now_us(am_clock_system()) >= before);
    assert_true(am_clock_system()->wall_s(am_clock_system()) > 1600000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_drop_destroys),
        cmocka_unit_test(swaps_and_takes_race_safely),
        cmocka_unit_test(holder_reports_short_memory),
        cmocka_unit_test(deadlines_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
