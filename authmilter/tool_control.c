#include "authmilter/tool_control.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "authmilter/run_modules.h"
#include "common/milter/runtime.h"

#define ANSWER_MAX ((size_t)4 << 20)
#define SECONDS_MAX 10

static const char *const usual[] = {
    "/etc/authmilter/authmilter.conf",    "/etc/authmilter/spf-milter.conf",
    "/etc/authmilter/dkim-milter.conf",   "/etc/authmilter/iprev-milter.conf",
    "/etc/authmilter/auth-milter.conf",   "/etc/authmilter/srs-milter.conf",
    "/etc/authmilter/author-milter.conf", "/etc/authmilter/dmarc-milter.conf"};

static bool add_socket(struct tool_control *control, const char *path, struct am_problem *problem)
{
    if (control->count == TOOL_CONTROL_SOCKETS_MAX)
        return am_problem_set(problem, "more than %d sockets", TOOL_CONTROL_SOCKETS_MAX);
    control->sockets[control->count++] = path;
    return true;
}

bool tool_control_take(void *arguments, const char *path, struct am_problem *problem)
{
    return add_socket(arguments, path, problem);
}

/* Adds the socket of one file, if it names one. Returns false when the file cannot be read. */
static bool add_of_file(struct tool_control *control, struct am_arena *arena, const char *path,
                        struct am_problem *problem)
{
    am_schema schema = am_runtime_schema(arena, am_run_modules);
    struct am_config *config =
        schema == NULL ? NULL : am_config_load(schema, path, NULL, 0, problem);
    bool good = true;

    if (schema == NULL)
        return am_problem_set(problem, "out of memory");
    if (config == NULL)
        return false;
    const struct am_milter_options *milter = am_config_section(config, "milter");
    if (milter->control_socket[0] != '\0') {
        const char *copy = am_arena_copy(arena, am_span_str(milter->control_socket));
        good = copy != NULL ? add_socket(control, copy, problem)
                            : am_problem_set(problem, "out of memory");
    }
    am_config_free(config);
    return good;
}

bool tool_control_find(struct tool_control *control, struct am_arena *arena,
                       struct am_problem *problem)
{
    if (control->count > 0)
        return true;
    if (control->config != NULL) {
        if (!add_of_file(control, arena, control->config, problem))
            return false;
    } else {
        for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
            if (access(usual[i], R_OK) == 0 && !add_of_file(control, arena, usual[i], problem))
                return false;
    }
    return control->count > 0 ||
           am_problem_set(problem, "no control socket is known: set milter.control_socket in the "
                                   "configuration, or give --socket");
}

static int connect_to(const char *path, struct am_problem *problem)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = SECONDS_MAX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        am_problem_set(problem, "%s: too long for a socket", path);
    } else if (fd >= 0) {
        strcpy(address.sun_path, path);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        am_problem_set(problem, "%s: %s%s", path, strerror(errno),
                       errno == ECONNREFUSED || errno == ENOENT ? "; the program does not run"
                                                                : "");
    } else {
        am_problem_set(problem, "%s", strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool converse(int fd, const char *line, struct am_buf *answer)
{
    char block[16384];
    ssize_t n;

    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 || send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
        return false;
    while ((n = recv(fd, block, sizeof(block), 0)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || answer->len + (size_t)n > ANSWER_MAX)
            return false;
        am_buf_add(answer, am_span_of(block, (size_t)n));
    }
    return !answer->failed;
}

bool tool_control_ask(const char *path, const char *line, struct am_buf *answer,
                      struct am_problem *problem)
{
    int fd = connect_to(path, problem);

    if (fd < 0)
        return false;
    bool good = converse(fd, line, answer);
    if (!good)
        am_problem_set(problem, "%s: no whole answer: %s", path, strerror(errno));
    close(fd);
    if (good && am_span_starts_nocase(am_buf_span(answer), am_span_str("error: ")))
        good = am_problem_set(problem, "%s: %.*s", path, (int)strcspn(am_buf_str(answer) + 7, "\n"),
                              am_buf_str(answer) + 7);
    return good;
}

int tool_control_ask_all(const struct tool_usage *usage, const struct tool_control *control,
                         const char *line,
                         bool (*show)(void *user, const char *path, struct am_span answer),
                         void *user)
{
    int status = 0;

    for (size_t i = 0; i < control->count; i++) {
        struct am_problem problem;
        struct am_buf answer;

        am_buf_init(&answer, 0);
        if (!tool_control_ask(control->sockets[i], line, &answer, &problem))
            status = tool_unavailable(usage, problem.text);
        else if (!show(user, control->sockets[i], am_buf_span(&answer)))
            status = tool_unavailable(usage, "out of memory");
        am_buf_fini(&answer);
    }
    return status;
}

int tool_control_run(const struct tool_usage *usage, void *arguments,
                     int (*ask)(const void *arguments))
{
    struct am_problem problem;
    struct am_arena *arena = am_arena_new(16384, 0);
    int status;

    if (arena == NULL)
        return tool_unavailable(usage, "out of memory");
    if (!tool_control_find(arguments, arena, &problem))
        status = tool_unavailable(usage, problem.text);
    else
        status = ask(arguments);
    am_arena_free(arena);
    return tool_finish(usage, status);
}
