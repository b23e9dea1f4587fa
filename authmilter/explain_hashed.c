#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "authmilter/explain.h"
#include "common/base/file.h"

/* They may hold what a message holds: for its owner only. */
#define MODE 0600

/* One file that takes octets. */
struct file {
    int fd;
    int error; /* of the first failure; 0: none */
};

static void take(void *user, const char *ptr, size_t len)
{
    struct file *file = user;

    if (file->error == 0 && !am_file_write_all(file->fd, am_span_of(ptr, len)))
        file->error = errno;
}

static void open_file(struct file *file, int directory, size_t number, const char *what)
{
    char name[40];

    snprintf(name, sizeof(name), "%zu.%s", number, what);
    file->fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, MODE);
    file->error = file->fd < 0 ? errno : 0;
}

static bool close_file(struct file *file, const char *path, size_t number, const char *what,
                       struct am_problem *problem)
{
    if (file->fd >= 0 && close(file->fd) != 0 && file->error == 0)
        file->error = errno;
    return file->error == 0 || am_problem_set(problem, "%s/%zu.%s cannot be written: %s", path,
                                              number, what, strerror(file->error));
}

bool explain_hash_to(const struct explain_hash_target *target, size_t number,
                     struct dkim_hashed *hashed, struct am_arena *arena,
                     const struct dkim_fields *fields, const struct dkim_outcome *outcome,
                     struct am_span body, struct am_problem *problem)
{
    struct file header, content = {.fd = -1};
    const struct dkim_sink sink = {take, &content};

    if (target->directory < 0)
        return dkim_hashed_make(hashed, arena, fields, outcome, body, NULL) ||
               am_problem_set(problem, "out of memory");
    open_file(&content, target->directory, number, "body");
    bool good = dkim_hashed_make(hashed, arena, fields, outcome, body, &sink) ||
                am_problem_set(problem, "out of memory");
    if (!close_file(&content, target->path, number, "body", good ? problem : NULL) || !good)
        return false;
    open_file(&header, target->directory, number, "header");
    take(&header, hashed->header.len == 0 ? "" : hashed->header.data, hashed->header.len);
    return close_file(&header, target->path, number, "header", problem);
}
