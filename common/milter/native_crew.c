#include "common/milter/native_crew.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"

/* A thread that has rested for so long gives memory back, and for so long ends. */
#define LIGHT_REST_MS 100
#define REST_MS 10000

/* Of the stack below the function that gives it back: what that, and what it calls, may use. */
#define STACK_KEPT 2048

/* A thread of a crew; lives on its stack. */
struct am_native_hand {
    struct am_native_crew *crew;
    struct am_native_hand *next; /* among those that rest */
    pthread_cond_t called;
    bool resting, serving;
    bool waiting; /* it gave its place away in this event */
    char *stack;  /* its lowest address; NULL = not known */
    void *spare;  /* see am_native_crew_spare(); NULL = nothing */
    size_t spare_len;
};

/* Which hand of which crew this thread is; NULL in others. */
static _Thread_local struct am_native_hand *self;

/* With the lock held. */
static void set_running(struct am_native_crew *crew, unsigned running)
{
    crew->running = running;
    atomic_store_explicit(&crew->surplus, running > crew->places, memory_order_relaxed);
}

static void leave(struct am_native_crew *crew)
{
    crew->count--;
    if (crew->count == 0)
        pthread_cond_signal(&crew->empty);
}

static char *find_stack(void)
{
    pthread_attr_t attributes;
    void *stack = NULL;
    size_t size;

    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return NULL;
    if (pthread_attr_getstack(&attributes, &stack, &size) != 0)
        stack = NULL;
    pthread_attr_destroy(&attributes);
    return stack;
}

/*
 * Gives back the pages that events used: after a burst there are many threads that rest, and this
 * is most of what each costs.
 */
static void give_memory_back(const struct am_native_hand *hand)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)hand->stack;
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - STACK_KEPT) & ~(page - 1);

    if (hand->stack != NULL && end > start)
        (void)madvise(hand->stack, end - start, MADV_DONTNEED);
    if (hand->spare != NULL)
        (void)madvise(hand->spare, hand->spare_len, MADV_DONTNEED);
}

/*
 * Each thread that ends joins the one that ended before it, and who waits for the crew joins the
 * last: then what libraries keep for each thread is given back, too, before the program ends.
 */
static void *hand_main(void *user)
{
    struct am_native_crew *crew = user;
    struct am_native_hand hand = {.crew = crew, .stack = find_stack()};
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&hand.called, &monotonic);
    pthread_condattr_destroy(&monotonic);
    self = &hand;
    crew->work(crew->user);
    self = NULL;
    pthread_cond_destroy(&hand.called);

    pthread_mutex_lock(&crew->lock);
    bool joins = crew->any_left;
    pthread_t before = crew->left;
    crew->any_left = true;
    crew->left = pthread_self();
    leave(crew);
    pthread_mutex_unlock(&crew->lock);
    if (joins)
        pthread_join(before, NULL);
    return NULL;
}

/* Starts a thread that is counted already; takes it off the count when there is none to be had. */
static int start_hand(struct am_native_crew *crew)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, hand_main, crew);
    if (error == 0)
        return 0;
    pthread_mutex_lock(&crew->lock);
    set_running(crew, crew->running - 1);
    leave(crew);
    pthread_mutex_unlock(&crew->lock);
    return error;
}

bool am_native_crew_start(struct am_native_crew *crew, struct am_problem *problem)
{
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->empty, NULL);
    crew->count = crew->places;
    set_running(crew, crew->places);
    for (unsigned i = 0; i < crew->places; i++) {
        int error = start_hand(crew);
        if (error == 0)
            continue;
        pthread_mutex_lock(&crew->lock);
        crew->count -= crew->places - i - 1;
        set_running(crew, crew->running - (crew->places - i - 1));
        pthread_mutex_unlock(&crew->lock);
        return am_problem_set(problem, "cannot start a thread: %s", strerror(error));
    }
    return true;
}

/* The latest one: it is the likeliest to be in the processor's caches, and the others get old. */
static bool call_resting(struct am_native_crew *crew)
{
    struct am_native_hand *hand = crew->resting;
    if (hand == NULL)
        return false;
    crew->resting = hand->next;
    hand->resting = false;
    pthread_cond_signal(&hand->called);
    return true;
}

void am_native_crew_end(struct am_native_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->ending = true;
    while (call_resting(crew))
        continue;
    pthread_mutex_unlock(&crew->lock);
}

void am_native_crew_wait(struct am_native_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->count > 0)
        pthread_cond_wait(&crew->empty, &crew->lock);
    bool joins = crew->any_left;
    crew->any_left = false;
    pthread_mutex_unlock(&crew->lock);
    if (joins)
        pthread_join(crew->left, NULL);
}

static void stop_resting(struct am_native_crew *crew, const struct am_native_hand *hand)
{
    struct am_native_hand **at = &crew->resting;

    while (*at != hand)
        at = &(*at)->next;
    *at = hand->next;
}

static struct timespec time_after(const struct timespec *start, long ms)
{
    long long ns = start->tv_nsec + ms * 1000000LL;

    return (struct timespec){start->tv_sec + (time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

/* Waits until called. Returns false when nobody calls until then. */
static bool await_call(struct am_native_hand *hand, const struct timespec *until)
{
    while (hand->resting)
        if (pthread_cond_timedwait(&hand->called, &hand->crew->lock, until) == ETIMEDOUT)
            break;
    return !hand->resting;
}

/* Rests until called, which gives a place, or for REST_MS. Returns false when nobody called. */
static bool rest(struct am_native_crew *crew, struct am_native_hand *hand)
{
    struct timespec start, lighter, until;

    clock_gettime(CLOCK_MONOTONIC, &start);
    lighter = time_after(&start, LIGHT_REST_MS);
    until = time_after(&start, REST_MS);
    hand->resting = true;
    hand->next = crew->resting;
    crew->resting = hand;
    if (await_call(hand, &lighter))
        return true;
    give_memory_back(hand);
    if (await_call(hand, &until))
        return true;
    stop_resting(crew, hand);
    return false;
}

/* Takes a place again, or rests when there are more threads than places. */
static bool take_place(struct am_native_crew *crew, struct am_native_hand *hand)
{
    bool stays = false;

    pthread_mutex_lock(&crew->lock);
    if (!hand->waiting)
        set_running(crew, crew->running - 1);
    hand->waiting = false;
    if (!crew->ending && crew->running < crew->places) {
        set_running(crew, crew->running + 1);
        stays = true;
    } else if (!crew->ending) {
        stays = rest(crew, hand) && !crew->ending;
    }
    pthread_mutex_unlock(&crew->lock);
    return stays;
}

void am_native_crew_spare(void *memory, size_t len)
{
    self->spare = memory;
    self->spare_len = len;
}

bool am_native_crew_pause(void)
{
    struct am_native_hand *hand = self;
    struct am_native_crew *crew = hand->crew;

    /* One that just started is the surplus on purpose: those that come back make room for it. */
    bool surplus = hand->serving && atomic_load_explicit(&crew->surplus, memory_order_relaxed);
    if (hand->serving)
        atomic_fetch_add_explicit(&crew->ended, 1, memory_order_relaxed);
    hand->serving = false;
    if ((hand->waiting || surplus) && !take_place(crew, hand))
        return false;
    atomic_fetch_add_explicit(&crew->free, 1, memory_order_relaxed);
    return true;
}

void am_native_crew_took(void)
{
    struct am_native_crew *crew = self->crew;

    self->serving = true;
    if (atomic_fetch_sub_explicit(&crew->free, 1, memory_order_relaxed) == 1 &&
        !atomic_exchange_explicit(&crew->busy_is_told, true, memory_order_relaxed))
        (void)!write(crew->busy_fd, &(uint64_t){1}, sizeof(uint64_t));
}

/* Finds somebody for a place. Returns true when a thread is to be started. */
static bool fill_place(struct am_native_crew *crew, bool *full)
{
    if (call_resting(crew)) {
        set_running(crew, crew->running + 1);
        return false;
    }
    if (crew->count >= crew->most) {
        *full = !crew->told_full;
        crew->told_full = true;
        return false;
    }
    crew->count++;
    set_running(crew, crew->running + 1);
    return true;
}

static void conclude(struct am_native_crew *crew, bool start, bool full)
{
    if (full)
        am_log(AM_LOG_WARNING, "%u threads wait: further mail waits for them", crew->most);
    if (start && start_hand(crew) != 0)
        am_log(AM_LOG_WARNING, "no further thread can be started: mail waits for other mail");
}

void am_native_crew_before_wait(void)
{
    struct am_native_hand *hand = self;
    bool full = false;

    if (hand == NULL || hand->waiting)
        return;
    struct am_native_crew *crew = hand->crew;
    hand->waiting = true;
    pthread_mutex_lock(&crew->lock);
    set_running(crew, crew->running - 1);
    bool start = !crew->ending && crew->running < crew->places && fill_place(crew, &full);
    pthread_mutex_unlock(&crew->lock);
    conclude(crew, start, full);
}

bool am_native_crew_watch(struct am_native_crew *crew)
{
    unsigned long long ended = atomic_load_explicit(&crew->ended, memory_order_relaxed);
    bool busy = atomic_load_explicit(&crew->free, memory_order_relaxed) == 0;
    bool stuck = busy && crew->was_busy && ended == crew->watched;
    bool full = false;

    crew->was_busy = busy;
    crew->watched = ended;
    if (stuck) {
        pthread_mutex_lock(&crew->lock);
        bool start = !crew->ending && fill_place(crew, &full);
        pthread_mutex_unlock(&crew->lock);
        conclude(crew, start, full);
    }
    return busy;
}

void am_native_crew_calm(struct am_native_crew *crew)
{
    uint64_t count;

    crew->was_busy = false;
    (void)!read(crew->busy_fd, &count, sizeof(count));
    atomic_store_explicit(&crew->busy_is_told, false, memory_order_relaxed);
}
