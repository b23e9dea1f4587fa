#include "dkim-milter/dkim_rotation_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/mail/domain.h"

#define PREFIX "state."
/* Older ones are removed: enough for a reader that is between listing and opening. */
#define GENERATIONS_KEPT 4
#define KEY_ENDING ".pem"

/* --- names --- */

/* Returns the number of a file named state.N; 0 for others. */
static uint64_t generation_of(const char *name)
{
    const char *digits = name + strlen(PREFIX);
    uint64_t value = 0;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || *digits == '0' || strlen(digits) > 18)
        return 0;
    for (; am_is_digit((unsigned char)*digits); digits++)
        value = value * 10 + (uint64_t)(*digits - '0');
    return *digits == '\0' ? value : 0;
}

/* The highest generations there are, the highest first. */
struct generations {
    uint64_t numbers[GENERATIONS_KEPT];
    size_t count;
};

static void note_generation(struct generations *seen, uint64_t number)
{
    size_t at = 0;

    while (at < seen->count && seen->numbers[at] > number)
        at++;
    if (at == GENERATIONS_KEPT)
        return;
    if (seen->count < GENERATIONS_KEPT)
        seen->count++;
    for (size_t i = seen->count - 1; i > at; i--)
        seen->numbers[i] = seen->numbers[i - 1];
    seen->numbers[at] = number;
}

static bool list_generations(const char *folder, struct generations *seen,
                             struct am_problem *problem)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;

    *seen = (struct generations){.count = 0};
    if (stream == NULL)
        return am_problem_set(problem, "%s cannot be read: %s", folder, strerror(errno));
    while ((entry = readdir(stream)) != NULL) {
        uint64_t number = generation_of(entry->d_name);
        if (number > 0)
            note_generation(seen, number);
    }
    closedir(stream);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lists what `wanted` makes a name of. */
static bool list(struct am_arena *arena, const char *directory,
                 const char *(*wanted)(struct am_arena *arena, const char *directory,
                                       const char *name),
                 struct dkim_store_names *out, struct am_problem *problem)
{
    size_t room = 0;
    const struct dirent *entry;
    DIR *stream = opendir(directory);
    bool good = true;

    *out = (struct dkim_store_names){.count = 0};
    if (stream == NULL)
        return am_problem_set(problem, "%s cannot be read: %s", directory, strerror(errno));
    while (good && (entry = readdir(stream)) != NULL) {
        const char *name = wanted(arena, directory, entry->d_name);

        if (name == NULL)
            continue;
        if (out->count == room) {
            room = room == 0 ? 16 : room * 2;
            const char **items = am_arena_alloc(arena, room * sizeof(*items));
            good = items != NULL;
            if (good && out->count > 0)
                memcpy(items, out->items, out->count * sizeof(*items));
            out->items = items;
        }
        if (good)
            out->items[out->count++] = name;
    }
    closedir(stream);
    if (good && out->count > 0)
        qsort(out->items, out->count, sizeof(*out->items), compare_names);
    return good || am_problem_set(problem, "out of memory");
}

static const char *domain_name(struct am_arena *arena, const char *directory, const char *name)
{
    char path[PATH_MAX];
    struct stat info;

    if (name[0] == '.' || !am_domain_is_multi_label(am_span_str(name)) ||
        snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path) ||
        stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return NULL;
    return am_arena_copy(arena, am_span_str(name));
}

static const char *selector_name(struct am_arena *arena, const char *directory, const char *name)
{
    size_t len = strlen(name), ending = strlen(KEY_ENDING);

    (void)directory;
    if (name[0] == '.' || len <= ending || strcmp(name + len - ending, KEY_ENDING) != 0 ||
        len - ending > DKIM_ROTATION_NAME_MAX ||
        !am_domain_is_valid(am_span_of(name, len - ending)))
        return NULL;
    return am_arena_copy(arena, am_span_of(name, len - ending));
}

bool dkim_store_domains(struct am_arena *arena, const char *directory, struct dkim_store_names *out,
                        struct am_problem *problem)
{
    return list(arena, directory, domain_name, out, problem);
}

bool dkim_store_selectors(struct am_arena *arena, const char *folder, struct dkim_store_names *out,
                          struct am_problem *problem)
{
    return list(arena, folder, selector_name, out, problem);
}

/* --- reading --- */

static bool read_generation(const char *path, struct dkim_rotation_domain *out,
                            struct am_problem *problem)
{
    char text[DKIM_ROTATION_TEXT_MAX + 1];
    size_t len = 0;
    ssize_t got = 1;
    struct stat info;
    struct am_problem inner;
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return am_problem_set(problem, "%s: %s", path, strerror(errno));
    bool good = fstat(file, &info) == 0 && S_ISREG(info.st_mode);
    while (good && got > 0 && len < sizeof(text)) {
        got = read(file, text + len, sizeof(text) - len);
        len += got > 0 ? (size_t)got : 0;
        good = got >= 0 || errno == EINTR;
    }
    close(file);
    if (!good || len == sizeof(text))
        return am_problem_set(problem, "%s is no file of key states", path);
    return dkim_rotation_read(out, am_span_of(text, len), &inner) ||
           am_problem_set(problem, "%s %s", path, inner.text);
}

bool dkim_store_read(const char *folder, struct dkim_rotation_domain *out, struct am_problem *note)
{
    struct generations seen;
    struct am_problem wrong;
    char path[PATH_MAX];

    note->text[0] = '\0';
    if (!list_generations(folder, &seen, note))
        return false;
    *out = (struct dkim_rotation_domain){.count = 0};
    for (size_t i = 0; i < seen.count; i++) {
        snprintf(path, sizeof(path), "%s/" PREFIX "%" PRIu64, folder, seen.numbers[i]);
        bool good = read_generation(path, out, &wrong);
        out->generation = seen.numbers[0];
        if (good)
            return true;
        if (note->text[0] == '\0')
            am_problem_set(note, "%s; an older one is used if there is one", wrong.text);
    }
    return seen.count == 0;
}

/* --- writing --- */

/* The owner of the folder is who signs; root who writes here must not lock him out. */
static bool give_away(int file, int folder)
{
    struct stat info;

    return geteuid() != 0 ||
           (fstat(folder, &info) == 0 && fchown(file, info.st_uid, info.st_gid) == 0);
}

static bool make_file(int folder, const char *name, struct am_span text)
{
    int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

    if (file < 0)
        return false;
    bool good = give_away(file, folder) && am_file_write_all(file, text) && fsync(file) == 0;
    int error = errno;
    good = close(file) == 0 && good;
    errno = error;
    return good;
}

/* A server may have made the link and lost the answer: then the file has two names. */
static bool is_linked(int folder, const char *name)
{
    struct stat info;

    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_nlink == 2;
}

static void remove_old(int folder, const char *path, uint64_t newest)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        uint64_t number = generation_of(entry->d_name);
        if (number > 0 && number + GENERATIONS_KEPT <= newest)
            (void)unlinkat(folder, entry->d_name, 0);
    }
    if (stream != NULL)
        closedir(stream);
}

static enum dkim_store_result publish(int folder, const char *path, const char *temporary,
                                      uint64_t generation, struct am_problem *problem)
{
    char name[64];

    snprintf(name, sizeof(name), PREFIX "%" PRIu64, generation);
    if (linkat(folder, temporary, folder, name, 0) != 0 && !is_linked(folder, temporary)) {
        if (errno == EEXIST)
            return DKIM_STORE_CONFLICT;
        am_problem_set(problem, "%s/%s cannot be written: %s", path, name, strerror(errno));
        return DKIM_STORE_FAILED;
    }
    (void)fsync(folder);
    remove_old(folder, path, generation);
    return DKIM_STORE_WRITTEN;
}

enum dkim_store_result dkim_store_write(const char *path, struct dkim_rotation_domain *domain,
                                        struct am_problem *problem)
{
    char temporary[400], host[256] = "";
    enum dkim_store_result result = DKIM_STORE_FAILED;
    struct am_buf text;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)gethostname(host, sizeof(host) - 1);
    snprintf(temporary, sizeof(temporary), ".%s.%ld.%p.new", host, (long)getpid(), (void *)&text);
    am_buf_init(&text, DKIM_ROTATION_TEXT_MAX);
    dkim_rotation_write(domain, &text);
    if (folder >= 0)
        (void)unlinkat(folder, temporary, 0);
    if (folder < 0)
        am_problem_set(problem, "%s cannot be opened: %s", path, strerror(errno));
    else if (text.failed)
        am_problem_set(problem, "%s: the states of the keys are too long, or memory is short",
                       path);
    else if (!make_file(folder, temporary, am_buf_span(&text)))
        am_problem_set(problem, "the states of the keys in %s cannot be written: %s", path,
                       strerror(errno));
    else
        result = publish(folder, path, temporary, domain->generation + 1, problem);
    if (folder >= 0) {
        (void)unlinkat(folder, temporary, 0);
        close(folder);
    }
    am_buf_fini(&text);
    if (result == DKIM_STORE_WRITTEN)
        domain->generation++;
    return result;
}
