#include "common/milter/capture_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

#define PREFIX "case-"

const char *am_capture_config_text(struct am_arena *arena, const struct am_config *config)
{
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    const char *copy = NULL;

    if (stream == NULL)
        return NULL;
    am_config_print(config, true, stream);
    if (fclose(stream) == 0)
        copy = am_arena_copy(arena, am_span_of(text, len));
    free(text);
    return copy;
}

void am_capture_count(const struct am_runtime *runtime, const char *what)
{
    am_counters_module(runtime->counters, "capture", "cases", what, 1);
}

/* Returns how many cases there are, or -1. */
static int64_t count_cases(const char *path)
{
    DIR *directory = opendir(path);
    int64_t count = 0;

    if (directory == NULL)
        return -1;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0;
    closedir(directory);
    return count;
}

/* Under a name of its own at first: who reads the directory sees whole cases only. */
static bool write_file(const char *path, json_t *object)
{
    char temporary[4200];

    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool good = json_dumpfd(object, fd, JSON_INDENT(1)) == 0 && write(fd, "\n", 1) == 1;
    good = close(fd) == 0 && good;
    good = good && rename(temporary, path) == 0;
    if (!good)
        (void)unlink(temporary);
    return good;
}

/* Tells whether a minute has gone by since something was said of cases. */
static bool may_say(struct am_runtime *runtime)
{
    int64_t now_s = runtime->clock->wall_s(runtime->clock);
    long long said_s = atomic_load(&runtime->capture_said_s);

    return (said_s == 0 || now_s - said_s >= 60) &&
           atomic_compare_exchange_strong(&runtime->capture_said_s, &said_s, now_s);
}

bool am_capture_try_directory(const struct am_capture_options *options, struct am_problem *problem)
{
    if (!am_capture_is_on(options))
        return true;
    if (access(options->directory, W_OK | X_OK) == 0 && count_cases(options->directory) >= 0)
        return true;
    return am_problem_set(
        problem,
        "capture.directory: %s: %s; make it with 'install -d -m 0700 -o USER %s', "
        "USER being the user of the program",
        options->directory, strerror(errno), options->directory);
}

void am_capture_write(const struct am_capture_options *options, struct am_runtime *runtime,
                      const struct am_case *kept)
{
    int64_t count = count_cases(options->directory);
    char path[4096];

    if (count < 0 || count >= options->max_cases) {
        am_capture_count(runtime, count < 0 ? "failed" : "full");
        if (may_say(runtime))
            am_log(AM_LOG_WARNING, "no case is kept: %s: %s", options->directory,
                   count < 0 ? strerror(errno) : "it holds capture.max_cases of them");
        return;
    }
    int len = snprintf(path, sizeof(path), "%s/" PREFIX "%lld-%d-%llu.json", options->directory,
                       (long long)kept->time_s, (int)getpid(), (unsigned long long)kept->number);
    json_t *object = len > 0 && (size_t)len < sizeof(path) - 8 ? am_case_to_json(kept) : NULL;
    bool good = object != NULL && write_file(path, object);
    if (!good && may_say(runtime))
        am_log(AM_LOG_WARNING, "a case cannot be kept as %s: %s", path, strerror(errno));
    am_capture_count(runtime, good ? "written" : "failed");
    json_decref(object);
}
