#include "authmilter/tool_keygen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"

/* A character-string of a TXT record holds so many octets (RFC 1035 section 3.3). */
#define TXT_STRING_MAX 255

/* Writes a file that is not there yet, for nobody else's eyes. Returns false with errno. */
static bool write_new(const char *path, struct am_span octets, const struct stat *owner)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (file < 0)
        return false;
    bool written =
        (owner == NULL || geteuid() != 0 || fchown(file, owner->st_uid, owner->st_gid) == 0) &&
        am_file_write_all(file, octets) && fsync(file) == 0;
    int error = errno;
    if (close(file) != 0 && written) {
        written = false;
        error = errno;
    }
    if (!written)
        unlink(path);
    errno = error;
    return written;
}

bool tool_key_save(const char *path, const struct dkim_private_key *key, const struct stat *owner,
                   struct am_problem *problem)
{
    struct am_buf pem;
    bool good = true;

    am_buf_init(&pem, 65536);
    if (!dkim_private_key_write_pem(key, &pem))
        good = am_problem_set(problem, "out of memory");
    else if (!write_new(path, am_buf_span(&pem), owner))
        good = am_problem_set(problem, "%s: %s", path,
                              errno == EEXIST ? "is there already and is not overwritten"
                                              : strerror(errno));
    dkim_wipe(pem.data, pem.len);
    am_buf_fini(&pem);
    return good;
}

static void print_strings(struct am_span value, const char *between)
{
    for (size_t at = 0; at < value.len; at += TXT_STRING_MAX) {
        size_t len = value.len - at < TXT_STRING_MAX ? value.len - at : TXT_STRING_MAX;
        printf("%s\"%.*s\"", at == 0 ? "" : between, (int)len, value.ptr + at);
    }
}

void tool_key_print_record(const char *name, const char *record)
{
    struct am_span value = am_span_str(record);

    printf("For a zone file:\n\n%s. IN TXT (\n    ", name);
    print_strings(value, "\n    ");
    printf(" )\n\nThe same in one line:\n\n%s. IN TXT ", name);
    print_strings(value, " ");
    printf("\n\nFor a form that asks for name and value:\n\n%s\n%s\n\n", name, record);
}
