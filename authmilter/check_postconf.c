#include "authmilter/check_postconf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

extern char **environ;

/* One of the two outputs. */
struct stream {
    int ends[2]; /* of the pipe; -1: closed */
    struct am_buf text;
};

static void close_end(struct stream *stream, int which)
{
    if (stream->ends[which] >= 0)
        close(stream->ends[which]);
    stream->ends[which] = -1;
}

static bool open_streams(struct stream streams[2], struct am_problem *problem)
{
    for (int i = 0; i < 2; i++) {
        streams[i].ends[0] = streams[i].ends[1] = -1;
        am_buf_init(&streams[i].text, CHECK_OUTPUT_MAX);
    }
    if (pipe2(streams[0].ends, O_CLOEXEC) == 0 && pipe2(streams[1].ends, O_CLOEXEC) == 0)
        return true;
    return am_problem_set(problem, "cannot make a pipe: %s", strerror(errno));
}

static bool start(const char *const *argv, struct stream streams[2], pid_t *pid,
                  struct am_problem *problem)
{
    posix_spawn_file_actions_t actions;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return am_problem_set(problem, "out of memory");
    int error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < 2 && error == 0; i++)
        error = posix_spawn_file_actions_adddup2(&actions, streams[i].ends[1], i + 1);
    if (error == 0)
        error = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 || am_problem_set(problem, "%s cannot be run: %s", argv[0], strerror(error));
}

static void take(struct stream *stream)
{
    char chunk[4096];
    ssize_t got = read(stream->ends[0], chunk, sizeof(chunk));

    if (got > 0)
        am_buf_add(&stream->text, am_span_of(chunk, (size_t)got));
    else if (got == 0 || errno != EINTR)
        close_end(stream, 0);
}

/* Reads until both outputs are closed. */
static bool read_all(const char *name, struct stream streams[2], struct am_problem *problem)
{
    int64_t deadline_us = am_deadline_in_ms(am_clock_system(), CHECK_RUN_MS);

    while (streams[0].ends[0] >= 0 || streams[1].ends[0] >= 0) {
        struct pollfd polled[2] = {{streams[0].ends[0], POLLIN, 0},
                                   {streams[1].ends[0], POLLIN, 0}};
        int64_t left_ms = (deadline_us - am_clock_now_us(am_clock_system())) / 1000;

        if (left_ms <= 0 || (poll(polled, 2, (int)left_ms) < 0 && errno != EINTR))
            return am_problem_set(problem, "%s does not end", name);
        for (int i = 0; i < 2; i++)
            if (polled[i].revents != 0)
                take(&streams[i]);
        if (streams[0].text.failed || streams[1].text.failed)
            return am_problem_set(problem, "%s prints more than is taken", name);
    }
    return true;
}

static bool judge(const char *name, int status, const struct stream *errors,
                  struct am_problem *problem)
{
    const char *said = am_buf_str(&errors->text);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status) && *said != '\0')
        return am_problem_set(problem, "%s: %.*s", name, (int)strcspn(said, "\n"), said);
    return am_problem_set(problem, "%s ends with status %d", name,
                          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static bool run(const char *const *argv, struct stream streams[2], struct am_problem *problem)
{
    pid_t pid;
    int status = 0;

    if (!start(argv, streams, &pid, problem))
        return false;
    close_end(&streams[0], 1);
    close_end(&streams[1], 1);
    bool ended = read_all(argv[0], streams, problem);
    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return ended && judge(argv[0], status, &streams[1], problem);
}

bool check_postconf_run(struct am_arena *arena, const char *const *argv,
                        struct check_output *output, struct am_problem *problem)
{
    struct stream streams[2];
    bool good = open_streams(streams, problem) && run(argv, streams, problem);

    if (good) {
        output->out = am_arena_copy(arena, am_buf_span(&streams[0].text));
        output->err = am_arena_copy(arena, am_buf_span(&streams[1].text));
        if (output->out == NULL || output->err == NULL)
            good = am_problem_set(problem, "out of memory");
    }
    for (int i = 0; i < 2; i++) {
        close_end(&streams[i], 0);
        close_end(&streams[i], 1);
        am_buf_fini(&streams[i].text);
    }
    return good;
}
