#include "tests/system/robust.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authmilter/mta/fields.h"
#include "authmilter/mta/wire.h"

enum { PEERS = 1000, GROWTH_KIB = 4096 };

/* Lets the program settle before figures are taken: threads started, libraries touched. */
static bool warm_up(struct rig *rig, long *descriptors, long *rss)
{
    for (int i = 0; i < 20; i++) {
        if (!rig_serves(rig))
            return false;
    }
    *descriptors = mta_process_descriptors(rig->daemon.pid);
    *rss = mta_process_figure(rig->daemon.pid, "VmRSS");
    return true;
}

static bool unchanged(const struct rig *rig, long descriptors, long rss)
{
    if (!rig_serves(rig) || !rig_descriptors_settle(rig, descriptors))
        return false;
    long now = mta_process_figure(rig->daemon.pid, "VmRSS");
    printf("  RSS %ld KiB before, %ld KiB after\n", rss, now);
    return !rig_memory_counts(rig) || now - rss < GROWTH_KIB ||
           rig_fail("memory grew by %ld KiB", now - rss);
}

bool test_probes(struct rig *rig)
{
    long descriptors, rss;
    struct am_problem problem = {""};
    if (!rig_start(rig) || !warm_up(rig, &descriptors, &rss))
        return false;
    for (int i = 0; i < PEERS; i++) {
        struct mta_wire wire;
        if (!mta_wire_open(&wire, rig->daemon.socket, 10000, &problem))
            return rig_fail("probe %d: %s", i, problem.text);
        mta_wire_close(&wire);
    }
    return unchanged(rig, descriptors, rss);
}

/* A negotiation, then cut or spoilt in one of several ways. */
static void spoil(struct am_buf *out, int way)
{
    struct am_buf content;
    am_buf_init(&content, 0);
    mta_put_u32(&content, 6);
    mta_put_u32(&content, MTA_ACT_ALL);
    mta_put_u32(&content, MTA_STEP_ALL);
    mta_put_packet(out, MTA_CMD_NEGOTIATE, am_buf_span(&content));
    am_buf_fini(&content);
    switch (way % 5) {
    case 0: /* half of it */
        out->len = out->len / 2;
        break;
    case 1: /* only the length */
        out->len = 4;
        break;
    case 2: /* a length that never comes true */
        memcpy(out->data, "\x7f\xff\xff\xff", 4);
        break;
    case 3: /* a length of nothing */
        memset(out->data, 0, 4);
        break;
    default: /* whole, and then a command without its NUL */
        mta_put_packet(out, MTA_CMD_MAIL, am_span_str("<user@example.com"));
        break;
    }
}

bool test_half_sent(struct rig *rig)
{
    long descriptors, rss;
    struct am_problem problem = {""};
    if (!rig_start(rig) || !warm_up(rig, &descriptors, &rss))
        return false;
    for (int i = 0; i < PEERS; i++) {
        struct mta_wire wire;
        struct am_buf bytes;
        am_buf_init(&bytes, 0);
        spoil(&bytes, i);
        bool opened = mta_wire_open(&wire, rig->daemon.socket, 10000, &problem);
        if (opened) {
            /* The program may have closed already: that is its right. */
            (void)!mta_wire_send(&wire, am_buf_span(&bytes), NULL);
            mta_wire_close(&wire);
        }
        am_buf_fini(&bytes);
        if (!opened)
            return rig_fail("peer %d: %s", i, problem.text);
    }
    return unchanged(rig, descriptors, rss);
}

bool test_second_instance(struct rig *rig)
{
    struct am_problem problem = {""};
    if (!rig_start(rig))
        return false;
    struct rig second = *rig;
    second.daemon.pid = 0;
    snprintf(second.daemon.log, sizeof(second.daemon.log), "%s/log2", rig->daemon.dir);
    const char *argv[] = {rig->program, "-f", "-c", rig->conf, "-s", rig->daemon.socket, NULL};
    /* The socket answers, for the first instance; so the second one is waited for. */
    (void)!mta_daemon_start(&second.daemon, argv, &problem);
    bool ended = mta_daemon_wait(&second.daemon, 10000);
    char *words = mta_daemon_read_log(&second.daemon);
    printf("  it says: %s", words == NULL ? "\n" : words);
    bool said = words != NULL && strstr(words, "/s") != NULL;
    free(words);
    if (!ended || !WIFEXITED(second.daemon.status) || WEXITSTATUS(second.daemon.status) == 0)
        return rig_fail("the second instance did not end with an error");
    if (!said)
        return rig_fail("its sentence does not name the socket");
    return rig_serves(rig);
}

bool test_stale_socket(struct rig *rig)
{
    const char *path = rig->daemon.socket + strlen("unix:");
    struct am_problem problem = {""};
    struct stat before, after;
    if (!rig_start(rig) || !rig_serves(rig))
        return false;
    mta_daemon_signal(&rig->daemon, SIGKILL);
    mta_daemon_wait(&rig->daemon, 10000);
    if (stat(path, &before) < 0)
        return rig_fail("the killed program left no socket behind");
    if (!rig_start(rig) || !rig_serves(rig))
        return rig_fail("a stale socket was in the way");
    if (!mta_daemon_stop(&rig->daemon))
        return rig_fail("no clean end");
    unlink(path);

    /* A file that is no socket is somebody's data. */
    if (!mta_write_file(path, "precious", &problem))
        return rig_fail("%s", problem.text);
    const char *argv[] = {rig->program, "-f", "-c", rig->conf, "-s", rig->daemon.socket, NULL};
    if (mta_daemon_start(&rig->daemon, argv, &problem))
        return rig_fail("served on a path that is a file");
    if (stat(path, &after) < 0 || !S_ISREG(after.st_mode) || after.st_size != 8)
        return rig_fail("the file is gone or changed");
    unlink(path);
    return rig_start(rig);
}
