#include "common/base/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool am_pid_file_write(const char *path, struct am_problem *problem)
{
    char fresh[PATH_MAX], text[24];
    if (path[0] == '\0')
        return true;
    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
        return am_problem_set(problem, "the pid file's path is too long: %s", path);
    (void)unlink(fresh);
    /* O_EXCL and O_NOFOLLOW: nobody with rights on the directory can make root write elsewhere. */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    bool good = fd >= 0 && write(fd, text, (size_t)length) == length;
    int error = errno;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (good && rename(fresh, path) == 0)
        return true;
    error = good ? errno : error;
    if (fd >= 0)
        (void)unlink(fresh);
    return am_problem_set(problem, "cannot write the pid file %s: %s", path, strerror(error));
}

void am_pid_file_remove(const char *path)
{
    char text[24] = "";
    if (path[0] == '\0')
        return;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length > 0 && strtol(text, NULL, 10) == (long)getpid())
        (void)unlink(path);
}
