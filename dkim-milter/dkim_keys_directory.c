#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/mail/domain.h"
#include "dkim-milter/dkim_keys_state.h"

static bool no_memory(struct am_problem *problem)
{
    return am_problem_set(problem, "out of memory");
}

/* Tells whether a file is named as a key, and how long the selector in front is. */
static bool is_key_name(const char *name, size_t *selector_len)
{
    static const char *const endings[] = {".pem", ".key", ".private"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t ending = strlen(endings[i]);
        if (len > ending && strcmp(name + len - ending, endings[i]) == 0) {
            *selector_len = len - ending;
            return name[0] != '.';
        }
    }
    return false;
}

static bool push(struct dkim_directory *out, const struct dkim_directory_entry *entry)
{
    if (out->count == out->capacity) {
        size_t capacity = out->capacity == 0 ? 64 : out->capacity * 2;
        struct dkim_directory_entry *entries = realloc(out->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return false;
        out->entries = entries;
        out->capacity = capacity;
    }
    out->entries[out->count++] = *entry;
    return true;
}

static bool add_file(struct dkim_directory *out, struct dkim_keys *keys,
                     const struct dkim_directory_entry *folder, const char *name)
{
    struct dkim_directory_entry entry = *folder;
    size_t selector_len;
    if (!is_key_name(name, &selector_len))
        return true;
    entry.path = am_arena_printf(keys->arena, "%s/%s", folder->folder, name);
    entry.selector = am_domain_to_ascii(keys->arena, am_span_of(name, selector_len));
    if (entry.path == NULL)
        return false;
    if (entry.selector == NULL || !am_domain_is_valid(am_span_str(entry.selector))) {
        dkim_keys_warn(keys, "%s: what stands before the ending is no selector", entry.path);
        return true;
    }
    return push(out, &entry);
}

static bool list_folder(struct dkim_directory *out, struct dkim_keys *keys,
                        const struct dkim_directory_entry *folder)
{
    char *watched = am_arena_printf(keys->arena, "%s/", folder->folder);
    DIR *stream = opendir(folder->folder);
    const struct dirent *entry;
    bool good = watched != NULL;
    if (good)
        dkim_keys_watch(keys, watched);
    if (stream == NULL) {
        dkim_keys_warn(keys, "%s cannot be read: %s", folder->folder, strerror(errno));
        return good;
    }
    while (good && (entry = readdir(stream)) != NULL)
        good = add_file(out, keys, folder, entry->d_name);
    closedir(stream);
    return good;
}

/* Lists one entry of the key directory when it is a folder; other files lie there as they like. */
static bool add_folder(struct dkim_directory *out, struct dkim_keys *keys, const char *path,
                       const char *name)
{
    struct dkim_directory_entry folder = {.folder = NULL};
    struct stat info;
    if (name[0] == '.')
        return true;
    folder.folder = am_arena_printf(keys->arena, "%s/%s", path, name);
    if (folder.folder == NULL)
        return false;
    if (stat(folder.folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return true;
    folder.domain = am_domain_to_ascii(keys->arena, am_span_str(name));
    if (folder.domain == NULL || !am_domain_is_multi_label(am_span_str(folder.domain))) {
        dkim_keys_warn(keys, "%s: a folder of the key directory is named after a domain",
                       folder.folder);
        return true;
    }
    return list_folder(out, keys, &folder);
}

static int compare(const void *a, const void *b)
{
    const struct dkim_directory_entry *left = a, *right = b;
    int order = strcmp(left->domain, right->domain);
    if (order == 0)
        order = strcmp(left->selector, right->selector);
    return order != 0 ? order : strcmp(left->path, right->path);
}

bool dkim_directory_list(struct dkim_directory *out, struct dkim_keys *keys, const char *path,
                         struct am_problem *problem)
{
    size_t len = strlen(path);
    *out = (struct dkim_directory){.count = 0};
    if (path[0] != '/')
        return am_problem_set(problem, "\"%s\" is no full path: let it begin with a slash", path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    path = am_arena_copy(keys->arena, am_span_of(path, len));
    char *watched = path == NULL ? NULL : am_arena_printf(keys->arena, "%s/", path);
    if (watched == NULL)
        return no_memory(problem);
    DIR *stream = opendir(path);
    if (stream == NULL)
        return am_problem_set(problem, "key directory %s cannot be read: %s", path,
                              strerror(errno));
    dkim_keys_watch(keys, watched);
    const struct dirent *entry;
    bool good = true;
    while (good && (entry = readdir(stream)) != NULL)
        good = add_folder(out, keys, path, entry->d_name);
    closedir(stream);
    if (good && out->count > 0)
        qsort(out->entries, out->count, sizeof(*out->entries), compare);
    return good || no_memory(problem);
}
