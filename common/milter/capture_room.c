#include "common/milter/capture_room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/milter/capture.h"

#define FRESH_S 60
#define FULL_FRESH_S 5

/* Counts what was begun and never finished, too. */
static bool read_directory(const char *path, long long *count, long long *bytes,
                           struct am_problem *problem)
{
    DIR *directory = opendir(path);
    struct stat status;

    if (directory == NULL)
        return am_problem_set(problem, "%s: %s", path, strerror(errno));
    *count = *bytes = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, AM_CAPTURE_PREFIX, strlen(AM_CAPTURE_PREFIX)) != 0)
            continue;
        ++*count;
        if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            *bytes += status.st_size;
    }
    closedir(directory);
    return true;
}

static enum am_capture_space judge(const struct am_capture_options *options, long long count,
                                   long long bytes, struct am_problem *problem)
{
    const char *option = count > options->max_cases        ? "capture.max_cases of them"
                         : bytes > options->max_total_size ? "capture.max_total_size of them"
                                                           : NULL;

    if (option == NULL)
        return AM_CAPTURE_SPACE;
    am_problem_set(problem, "%s: it holds %s", options->directory, option);
    return AM_CAPTURE_FULL;
}

/* One more case of at least one byte. */
static enum am_capture_space look(const struct am_capture_room *room,
                                  const struct am_capture_options *options,
                                  struct am_problem *problem)
{
    return judge(options, atomic_load(&room->count) + 1, atomic_load(&room->bytes) + 1, problem);
}

enum am_capture_space am_capture_room_look(struct am_capture_room *room,
                                           const struct am_capture_options *options, int64_t now_s,
                                           struct am_problem *problem)
{
    long long read_s = atomic_load(&room->read_s), count, bytes;
    enum am_capture_space space = read_s == 0 ? AM_CAPTURE_FULL : look(room, options, problem);
    int64_t fresh_s = space == AM_CAPTURE_FULL ? FULL_FRESH_S : FRESH_S;

    if (read_s != 0 && now_s >= read_s && now_s - read_s < fresh_s)
        return space;
    /* One thread reads; the others go by what is known. */
    if (!atomic_compare_exchange_strong(&room->read_s, &read_s, now_s > 0 ? now_s : 1))
        return look(room, options, problem);
    if (!read_directory(options->directory, &count, &bytes, problem)) {
        atomic_store(&room->read_s, 0);
        return AM_CAPTURE_FAILED;
    }
    atomic_store(&room->count, count);
    atomic_store(&room->bytes, bytes);
    return look(room, options, problem);
}

enum am_capture_space am_capture_room_take(struct am_capture_room *room,
                                           const struct am_capture_options *options, size_t bytes,
                                           struct am_problem *problem)
{
    long long size = (long long)bytes;
    long long count = atomic_fetch_add(&room->count, 1) + 1;
    enum am_capture_space space =
        judge(options, count, atomic_fetch_add(&room->bytes, size) + size, problem);

    if (space != AM_CAPTURE_SPACE)
        am_capture_room_give(room, bytes);
    return space;
}

void am_capture_room_give(struct am_capture_room *room, size_t bytes)
{
    atomic_fetch_sub(&room->count, 1);
    atomic_fetch_sub(&room->bytes, (long long)bytes);
}

bool am_capture_room_may_say(struct am_capture_room *room, int64_t now_s)
{
    long long said_s = atomic_load(&room->said_s);

    return (said_s == 0 || now_s - said_s >= 60) &&
           atomic_compare_exchange_strong(&room->said_s, &said_s, now_s);
}
