#include "srs-milter/srs_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "srs-milter/srs_hash.h"

/* A file of so many octets holds something else. */
#define FILE_MAX ((size_t)SRS_SECRETS_MAX * (SRS_SECRET_MAX + 2) + 65536)

/* A copy of a secret that is wiped with its arena. */
struct held {
    size_t len;
    char octets[];
};

static void wipe(void *object)
{
    struct held *held = object;

    srs_hash_wipe(held->octets, held->len);
}

static bool hold(struct am_arena *arena, struct am_span secret, struct am_span *out)
{
    struct held *held = am_arena_alloc(arena, sizeof(*held) + secret.len);

    if (held == NULL)
        return false;
    held->len = secret.len;
    memcpy(held->octets, secret.ptr, secret.len);
    *out = am_span_of(held->octets, held->len);
    return am_arena_defer(arena, wipe, held);
}

static bool add(struct srs_secrets *secrets, struct am_arena *arena, struct am_span line,
                unsigned number, struct am_problem *problem)
{
    line = am_span_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return true;
    if (secrets->count == SRS_SECRETS_MAX)
        return am_problem_set(problem, "line %u: more than %d secrets; remove the oldest", number,
                              SRS_SECRETS_MAX);
    if (line.len < SRS_SECRET_MIN || line.len > SRS_SECRET_MAX)
        return am_problem_set(problem,
                              "line %u: a secret has %d to %d octets; 'openssl rand -base64 24' "
                              "makes one",
                              number, SRS_SECRET_MIN, SRS_SECRET_MAX);
    if (!hold(arena, line, &secrets->items[secrets->count]))
        return am_problem_set(problem, "out of memory");
    secrets->count++;
    return true;
}

const struct srs_secrets *srs_secrets_parse(struct am_arena *arena, struct am_span text,
                                            struct am_problem *problem)
{
    struct srs_secrets *secrets = am_arena_alloc(arena, sizeof(*secrets));

    if (secrets == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    for (unsigned number = 1; text.len > 0; number++) {
        size_t end = am_span_find(text, '\n');
        if (!add(secrets, arena, am_span_of(text.ptr, end), number, problem))
            return NULL;
        end += end < text.len;
        text = am_span_of(text.ptr + end, text.len - end);
    }
    if (secrets->count == 0) {
        am_problem_set(problem, "it holds no secret: 'openssl rand -base64 24' makes one");
        return NULL;
    }
    return secrets;
}

/* Who may read the file can have bounces delivered in our name, and tell forged ones from real. */
static bool judge_mode(const char *path, const struct stat *info, struct am_problem *problem)
{
    if (!S_ISREG(info->st_mode))
        return am_problem_set(problem, "%s is no ordinary file", path);
    if ((info->st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return am_problem_set(problem,
                              "%s is open to others (mode %04o): anybody could forge bounces; mend "
                              "it with 'chmod o=,g-w %s'",
                              path, (unsigned)(info->st_mode & 07777), path);
    if (info->st_size > (off_t)FILE_MAX)
        return am_problem_set(problem, "%s is too large to hold secrets (%jd octets)", path,
                              (intmax_t)info->st_size);
    return true;
}

/* Returns how much was read, or -1. */
static ssize_t read_all(int fd, char *out, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, out + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static const struct srs_secrets *read_open(struct am_arena *arena, const char *path, int fd,
                                           struct am_problem *problem)
{
    static const size_t room = FILE_MAX + 1;
    const struct srs_secrets *secrets = NULL;
    struct am_problem inner;
    struct stat info;

    if (fstat(fd, &info) != 0) {
        am_problem_set(problem, "%s: %m", path);
        return NULL;
    }
    if (!judge_mode(path, &info, problem))
        return NULL;
    struct am_arena *scratch = am_arena_new(room + 64, 0);
    char *text = scratch == NULL ? NULL : am_arena_alloc(scratch, room);
    ssize_t len = text == NULL ? -1 : read_all(fd, text, room);
    if (len < 0 || (size_t)len == room)
        am_problem_set(problem, "%s cannot be read, or grew while it was", path);
    else if ((secrets = srs_secrets_parse(arena, am_span_of(text, (size_t)len), &inner)) == NULL)
        am_problem_set(problem, "%s: %s", path, inner.text);
    if (text != NULL)
        srs_hash_wipe(text, room);
    am_arena_free(scratch);
    return secrets;
}

const struct srs_secrets *srs_secrets_read(struct am_arena *arena, const char *path,
                                           struct am_problem *problem)
{
    /* A FIFO in its place must not stop the program. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        am_problem_set(problem, "%s: %m%s", path,
                       errno == ENOENT ? "; make it with '(umask 077; openssl rand -base64 24 > "
                                         "FILE)', owned by the user of the milter"
                                       : "");
        return NULL;
    }
    const struct srs_secrets *secrets = read_open(arena, path, fd, problem);
    close(fd);
    return secrets;
}
