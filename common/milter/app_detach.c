#include "common/milter/app_detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/milter/app.h"

/* In the process that was started: waits for one byte, or for the end of the first child. */
static void wait_and_exit(int fd, pid_t child)
{
    char ready;
    ssize_t got;
    do
        got = read(fd, &ready, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(0);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : AM_APP_EXIT_SYSTEM);
}

int am_app_detach(struct am_problem *problem)
{
    int ends[2];
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        am_problem_set(problem, "cannot make a pipe: %s", strerror(errno));
        return -1;
    }
    pid_t child = fork();
    if (child > 0) {
        close(ends[1]);
        wait_and_exit(ends[0], child);
    }
    close(ends[0]);
    if (child < 0) {
        am_problem_set(problem, "cannot start the background process: %s", strerror(errno));
        close(ends[1]);
        return -1;
    }
    /*
     * One fork, not two: our exit status stays within the reach of the waiting parent. A session
     * leader could gain a terminal by opening one, but this program never opens one.
     */
    (void)setsid();
    return ends[1];
}

void am_app_detach_ready(int fd)
{
    int null = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (null >= 0) {
        for (int standard = 0; standard <= 2; standard++)
            (void)dup2(null, standard);
        if (null > 2)
            close(null);
    }
    (void)!chdir("/");
    (void)!write(fd, "r", 1);
    close(fd);
}
