#include "tests/scenarios/play.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define WAIT_MS 20000
#define TICK_MS 20

/* Makes the folders on the way to a file. */
static bool make_folders(char *path, size_t from, struct am_problem *problem)
{
    for (char *slash = strchr(path + from, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (!made)
            am_problem_set(problem, "%s: %s", path, strerror(errno));
        *slash = '/';
        if (!made)
            return false;
    }
    return true;
}

/* Appends `text` with @DIR@ replaced. */
static void substitute_dir(struct am_buf *out, const char *text, const char *dir)
{
    static const char mark[] = "@DIR@";
    for (const char *at; (at = strstr(text, mark)) != NULL; text = at + strlen(mark)) {
        am_buf_add(out, am_span_of(text, (size_t)(at - text)));
        am_buf_add_str(out, dir);
    }
    am_buf_add_str(out, text);
}

bool play_write_file(const struct play *play, const char *name, const struct am_buf *text,
                     struct am_problem *problem)
{
    char path[256];
    struct am_buf out, keys;
    am_buf_init(&out, 0);
    am_buf_init(&keys, 0);
    sign_substitute_keys(&keys, am_buf_str(text));
    substitute_dir(&out, am_buf_str(&keys), play->daemon.dir);
    snprintf(path, sizeof(path), "%s/%s", play->daemon.dir, name);
    mode_t former = umask(077); /* keys are refused when others can read them */
    bool ok = make_folders(path, strlen(play->daemon.dir) + 1, problem) &&
              mta_write_file(path, am_buf_str(&out), problem);
    umask(former);
    am_buf_fini(&out);
    am_buf_fini(&keys);
    return ok;
}

static unsigned count(const char *log, const char *text)
{
    unsigned found = 0;
    for (const char *at = log; (at = strstr(at, text)) != NULL; at += strlen(text))
        found++;
    return found;
}

bool play_wait_log(const struct play *play, const char *text, unsigned times)
{
    for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += TICK_MS) {
        char *log = mta_daemon_read_log(&play->daemon);
        bool found = log != NULL && count(log, text) >= times;
        free(log);
        if (found)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = TICK_MS * 1000000L}, NULL);
    }
    return false;
}
