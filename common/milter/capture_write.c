#include "common/milter/capture_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"

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

static bool say_why(struct am_problem *problem, const char *path)
{
    return am_problem_set(problem, "%s: %s", path, strerror(errno));
}

/* Under a name of its own at first: who reads the directory sees whole cases only. */
static bool write_file(const char *path, struct am_span text, struct am_problem *problem)
{
    char temporary[4200];

    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return say_why(problem, temporary);
    bool good = (am_file_write_all(fd, text) && am_file_write_all(fd, am_span_str("\n"))) ||
                say_why(problem, temporary);
    /* What the disk has no room for may come to light here only. */
    if (close(fd) != 0 && good)
        good = say_why(problem, temporary);
    if (good && rename(temporary, path) != 0)
        good = say_why(problem, path);
    if (!good)
        (void)unlink(temporary);
    return good;
}

bool am_capture_try_directory(const struct am_capture_options *options, struct am_problem *problem)
{
    struct am_capture_room room = {0};
    struct am_problem inner;

    if (!am_capture_is_on(options))
        return true;
    if (am_capture_room_look(&room, options, 1, &inner) == AM_CAPTURE_FAILED ||
        (access(options->directory, W_OK | X_OK) != 0 && !say_why(&inner, options->directory)))
        return am_problem_set(problem,
                              "capture.directory: %s; make it with 'install -d -m 0700 -o USER "
                              "%s', USER being the user of the program",
                              inner.text, options->directory);
    return true;
}

/* Returns the text of a case, to be freed; NULL when memory is short. */
static char *text_of(const struct am_case *kept)
{
    json_t *object = am_case_to_json(kept);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(1));

    json_decref(object);
    return text;
}

static enum am_capture_space keep(const struct am_capture_options *options,
                                  struct am_runtime *runtime, const struct am_case *kept,
                                  struct am_problem *problem)
{
    struct am_capture_room *room = &runtime->capture_room;
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/" AM_CAPTURE_PREFIX "%lld-%d-%llu-%06llu.json",
                       options->directory, (long long)kept->time_s, (int)getpid(),
                       (unsigned long long)runtime->generation, (unsigned long long)kept->number);
    char *text = text_of(kept);
    enum am_capture_space space = AM_CAPTURE_FAILED;

    if (text == NULL || len < 0 || (size_t)len >= sizeof(path)) {
        am_problem_set(problem, text == NULL ? "out of memory" : "the path is too long");
    } else {
        struct am_span span = am_span_str(text);
        space = am_capture_room_take(room, options, span.len, problem);
        if (space == AM_CAPTURE_SPACE && !write_file(path, span, problem)) {
            am_capture_room_give(room, span.len);
            space = AM_CAPTURE_FAILED;
        }
    }
    free(text);
    return space;
}

void am_capture_write(const struct am_capture_options *options, struct am_runtime *runtime,
                      const struct am_case *kept)
{
    static const char *const words[] = {"written", "full", "failed"};
    int64_t now_s = runtime->clock->wall_s(runtime->clock);
    struct am_problem problem;
    enum am_capture_space space =
        am_capture_room_look(&runtime->capture_room, options, now_s, &problem);

    if (space == AM_CAPTURE_SPACE)
        space = keep(options, runtime, kept, &problem);
    am_capture_count(runtime, words[space]);
    if (space != AM_CAPTURE_SPACE && am_capture_room_may_say(&runtime->capture_room, now_s))
        am_log(AM_LOG_WARNING, "no case is kept: %s", problem.text);
}
