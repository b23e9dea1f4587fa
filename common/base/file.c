#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool am_file_read_rest(int fd, struct am_buf *out)
{
    char chunk[16384];
    ssize_t got;

    while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        bool fits = out->limit == 0 || out->len + (size_t)got <= out->limit;
        am_buf_add(out, am_span_of(chunk, (size_t)got));
        if (out->failed) {
            errno = fits ? ENOMEM : EFBIG;
            return false;
        }
    }
    return true;
}

bool am_file_read(const char *path, struct am_buf *out, struct am_problem *problem)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return am_problem_set(problem, "%s cannot be opened: %s", path, strerror(errno));
    bool good = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (!good)
        am_problem_set(problem, "%s is no regular file", path);
    else if (!(good = am_file_read_rest(fd, out)))
        am_problem_set(problem, "%s cannot be read: %s", path, strerror(errno));
    close(fd);
    return good;
}

bool am_file_write_all(int fd, struct am_span text)
{
    while (text.len > 0) {
        ssize_t put = write(fd, text.ptr, text.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        text = am_span_of(text.ptr + put, text.len - (size_t)put);
    }
    return true;
}
