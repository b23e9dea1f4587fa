#include "tests/system/robust.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "authmilter/mta/wire.h"

enum { SENDERS = 8, SWAPS = 200, PER_CONNECTION = 5, BUDGET_US = 20 * 1000000, GROWTH_KIB = 4096 };

struct sender {
    pthread_t thread;
    const struct rig *rig;
    atomic_bool *stop;
    unsigned sent, lost;
    int64_t slowest_us;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

static void *send_all_the_time(void *argument)
{
    struct sender *sender = argument;
    while (!atomic_load(sender->stop)) {
        struct mta_session *session = rig_connect(sender->rig);
        sender->lost += session == NULL;
        for (int i = 0; session != NULL && i < PER_CONNECTION; i++) {
            int64_t start_us = now_us();
            bool ok = rig_begin_message(session) && rig_end_message(session);
            int64_t took_us = now_us() - start_us;
            sender->sent++;
            sender->lost += !ok;
            if (took_us > sender->slowest_us)
                sender->slowest_us = took_us;
        }
        mta_close(session);
    }
    return NULL;
}

static const char *configuration(int swap)
{
    if (swap % 3 == 2)
        return "spf { mailfrom_fail = nonsense }\n";
    return swap % 2 == 0 ? "spf { received_spf = yes }\n" : "spf { max_voids = 3 }\n";
}

/* Does a new client's mail get the field that only the last configuration asks for? */
static bool last_one_counts(const struct rig *rig)
{
    for (int i = 0; i < 100; i++) {
        struct mta_session *session = rig_connect(rig);
        bool sent = session != NULL && rig_begin_message(session) && rig_end_message(session);
        bool found = sent && mta_headers_find(&mta_message(session)->headers, "Received-SPF", 1);
        mta_close(session);
        if (found || !sent)
            return found;
        pause_ms(100);
    }
    return rig_fail("the last configuration is not in force");
}

static bool swap_under_load(struct rig *rig, struct sender *senders)
{
    atomic_bool stop = false;
    unsigned started = 0;
    bool ok = true;
    for (; started < SENDERS; started++) {
        senders[started] = (struct sender){.rig = rig, .stop = &stop};
        if (pthread_create(&senders[started].thread, NULL, send_all_the_time, &senders[started]) !=
            0)
            break;
    }
    for (int swap = 0; ok && swap < SWAPS; swap++) {
        ok = rig_configure(rig, configuration(swap));
        mta_daemon_signal(&rig->daemon, SIGHUP);
        pause_ms(10);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < started; i++)
        pthread_join(senders[i].thread, NULL);
    return ok && started == SENDERS;
}

bool test_reload(struct rig *rig)
{
    struct sender senders[SENDERS];
    struct sender all = {.sent = 0};
    if (!rig_start(rig))
        return false;
    /* One round warms up: threads of the pool, memory of eight connections. */
    if (!swap_under_load(rig, senders))
        return rig_fail("the load could not be run");
    long descriptors = mta_process_descriptors(rig->daemon.pid);
    long rss = mta_process_figure(rig->daemon.pid, "VmRSS");
    if (!swap_under_load(rig, senders))
        return rig_fail("the load could not be run");
    for (int i = 0; i < SENDERS; i++) {
        all.sent += senders[i].sent;
        all.lost += senders[i].lost;
        if (senders[i].slowest_us > all.slowest_us)
            all.slowest_us = senders[i].slowest_us;
    }
    long grown = mta_process_figure(rig->daemon.pid, "VmRSS") - rss;
    printf("  %u messages, %u lost, the slowest took %ld ms; RSS %+ld KiB\n", all.sent, all.lost,
           (long)(all.slowest_us / 1000), grown);
    if (all.sent == 0 || all.lost > 0)
        return rig_fail("messages were lost");
    if (all.slowest_us > BUDGET_US)
        return rig_fail("a message took longer than its budget");
    if (rig_memory_counts(rig) && grown > GROWTH_KIB)
        return rig_fail("memory grew by %ld KiB", grown);
    if (!rig_configure(rig, "spf { received_spf = yes }\n"))
        return false;
    mta_daemon_signal(&rig->daemon, SIGHUP);
    if (!last_one_counts(rig) || !rig_descriptors_settle(rig, descriptors))
        return false;
    char *log = mta_daemon_read_log(&rig->daemon);
    bool told = log != NULL && strstr(log, "nonsense") != NULL;
    free(log);
    return told || rig_fail("the log does not say what was wrong with the broken ones");
}

enum { IN_FLIGHT = 20 };

bool test_drain(struct rig *rig)
{
    struct mta_session *sessions[IN_FLIGHT];
    bool ok = rig_start(rig);
    for (int i = 0; i < IN_FLIGHT; i++) {
        sessions[i] = ok ? rig_connect(rig) : NULL;
        /* Steps without an answer are sent with the next one that has one, unless pushed. */
        ok = sessions[i] != NULL && rig_begin_message(sessions[i]) && mta_socket(sessions[i]) >= 0;
    }
    if (ok) {
        pause_ms(500);
        mta_daemon_signal(&rig->daemon, SIGTERM);
        pause_ms(500);
    }
    for (int i = 0; ok && i < IN_FLIGHT; i++)
        ok = rig_end_message(sessions[i]) || rig_fail("message %d was lost at TERM", i);
    struct mta_wire wire;
    if (ok && mta_wire_open(&wire, rig->daemon.socket, 1000, NULL)) {
        /* A connection may still be queued; it must not be served. */
        mta_wire_close(&wire);
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        mta_close(sessions[i]);
    if (!ok)
        return false;
    if (!mta_daemon_wait(&rig->daemon, 30000))
        return rig_fail("it did not end within 30 s of TERM");
    return (WIFEXITED(rig->daemon.status) && WEXITSTATUS(rig->daemon.status) == 0) ||
           rig_fail("it ended with status 0x%x", (unsigned)rig->daemon.status);
}
