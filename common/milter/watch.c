#include "common/milter/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/base/log.h"

#define WARNINGS_MAX 10

struct file {
    int directory; /* inotify's number of it */
    char *name;    /* "": any */
    uint32_t events;
};

struct am_watch {
    int fd;
    struct file *files;
    size_t count, capacity;
};

struct am_watch *am_watch_new(struct am_problem *problem)
{
    struct am_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        am_problem_set(problem, "memory is short");
        return NULL;
    }
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        am_problem_set(problem, "cannot watch files: %s", strerror(errno));
        free(watch);
        return NULL;
    }
    return watch;
}

static int compare(const void *a, const void *b)
{
    int left = ((const struct file *)a)->directory, right = ((const struct file *)b)->directory;
    return (left > right) - (left < right);
}

/* The list must be in order. */
static bool has_directory(const struct am_watch *watch, int directory)
{
    const struct file key = {.directory = directory};
    return watch->count > 0 &&
           bsearch(&key, watch->files, watch->count, sizeof(key), compare) != NULL;
}

/* Frees a former list; a directory that is watched again keeps its number and its queued events. */
static void forget(const struct am_watch *watch, struct file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!has_directory(watch, files[i].directory))
            (void)inotify_rm_watch(watch->fd, files[i].directory);
        free(files[i].name);
    }
    free(files);
}

void am_watch_free(struct am_watch *watch)
{
    if (watch == NULL)
        return;
    for (size_t i = 0; i < watch->count; i++)
        free(watch->files[i].name);
    free(watch->files);
    close(watch->fd);
    free(watch);
}

int am_watch_fd(const struct am_watch *watch)
{
    return watch->fd;
}

static uint32_t events_of(const char *name, bool writes)
{
    if (writes)
        return IN_MODIFY | IN_MOVED_TO;
    if (name[0] == '\0')
        return IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM;
    return IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;
}

static bool add(struct am_watch *watch, const char *path, bool writes)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || strlen(path) >= sizeof(directory)) {
        errno = EINVAL;
        return false;
    }
    memcpy(directory, path, (size_t)(slash - path) + 1);
    directory[slash - path + 1] = '\0';
    if (watch->count == watch->capacity) {
        size_t capacity = watch->capacity == 0 ? 8 : watch->capacity * 2;
        struct file *files = realloc(watch->files, capacity * sizeof(*files));
        if (files == NULL)
            return false;
        watch->files = files;
        watch->capacity = capacity;
    }
    char *name = strdup(slash + 1);
    uint32_t events = events_of(slash + 1, writes);
    /* Several files of one directory share its watch: what each asks for is added. */
    int number = name == NULL
                     ? -1
                     : inotify_add_watch(watch->fd, directory, events | IN_ONLYDIR | IN_MASK_ADD);
    if (number < 0) {
        free(name);
        return false;
    }
    watch->files[watch->count++] = (struct file){number, name, events};
    return true;
}

void am_watch_set(struct am_watch *watch, const struct am_watch_path *paths, size_t count)
{
    struct file *former = watch->files;
    size_t former_count = watch->count, failed = 0;
    watch->files = NULL;
    watch->count = watch->capacity = 0;
    for (size_t i = 0; i < count; i++) {
        char target[PATH_MAX];
        const char *path = paths[i].path;
        bool good = add(watch, path, paths[i].writes);
        /* A symbolic link changes where it stands or where it leads to. */
        if (good && path[strlen(path) - 1] != '/' && realpath(path, target) != NULL &&
            strcmp(target, path) != 0)
            good = add(watch, target, paths[i].writes);
        if (!good && failed++ < WARNINGS_MAX)
            am_log(AM_LOG_WARNING, "cannot watch %s for changes: %s", path, strerror(errno));
    }
    if (failed > WARNINGS_MAX)
        am_log(AM_LOG_WARNING,
               "cannot watch %zu files for changes, the ones above among them; "
               "fs.inotify.max_user_watches may be too small",
               failed);
    if (watch->count > 0)
        qsort(watch->files, watch->count, sizeof(*watch->files), compare);
    forget(watch, former, former_count);
}

static bool is_ours(const struct am_watch *watch, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        return watch->count > 0;
    for (size_t i = 0; i < watch->count; i++) {
        const struct file *file = &watch->files[i];
        if (event->len > 0 && file->directory == event->wd && (event->mask & file->events) != 0 &&
            (file->name[0] == '\0' || strcmp(file->name, event->name) == 0))
            return true;
    }
    return false;
}

bool am_watch_read(struct am_watch *watch)
{
    _Alignas(struct inotify_event) char events[4096];
    bool changed = false;
    ssize_t length;
    while ((length = read(watch->fd, events, sizeof(events))) > 0) {
        for (char *at = events; at < events + length;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            changed = is_ours(watch, event) || changed;
            at += sizeof(*event) + event->len;
        }
    }
    return changed;
}
