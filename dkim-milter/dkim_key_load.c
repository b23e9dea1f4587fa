#include "dkim-milter/dkim_key_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Returns the octets read, at most `size`; -1 on an error. */
static ssize_t read_up_to(int fd, char *memory, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, memory + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

static struct dkim_private_key *parse(const char *path, struct am_span content,
                                      struct am_problem *problem)
{
    struct am_problem inner;
    struct dkim_private_key *key = dkim_key_file_parse(content, &inner);
    if (key == NULL)
        am_problem_set(problem, "%s: %s", path, inner.text);
    return key;
}

struct dkim_private_key *dkim_key_load(const char *path, const struct dkim_key_reader *reader,
                                       struct am_problem *problem)
{
    struct dkim_private_key *key = NULL;
    struct stat info;
    int fd = dkim_key_path_open(path, reader, &info, problem);
    if (fd < 0)
        return NULL;
    size_t size =
        info.st_size < DKIM_KEY_FILE_MAX ? (size_t)info.st_size + 1 : (size_t)DKIM_KEY_FILE_MAX + 1;
    char *memory = malloc(size);
    ssize_t len = memory == NULL ? -1 : read_up_to(fd, memory, size);
    if (memory == NULL)
        am_problem_set(problem, "out of memory");
    else if (len < 0)
        am_problem_set(problem, "%s cannot be read: %s", path, strerror(errno));
    else if (len > info.st_size)
        am_problem_set(problem, "%s is being written; it is read again when that is done", path);
    else
        key = parse(path, am_span_of(memory, (size_t)len), problem);
    if (memory != NULL)
        dkim_wipe(memory, size);
    free(memory);
    close(fd);
    return key;
}
