#include "tests/bench/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool add(struct load_contents *contents, const struct load_options *options,
                const char *message, struct am_problem *problem)
{
    struct load_packets *items =
        realloc(contents->items, (contents->count + 1) * sizeof(*contents->items));
    if (items == NULL)
        return am_problem_set(problem, "out of memory");
    contents->items = items;
    load_packets_init(&items[contents->count]);
    return load_packets_build(&items[contents->count++], message, options->size, contents->steps,
                              problem);
}

static bool add_directory(struct load_contents *contents, const struct load_options *options,
                          const char *name, struct am_problem *problem)
{
    DIR *directory = opendir(name);
    bool good = true;
    if (directory == NULL)
        return am_problem_set(problem, "%s: %s", name, strerror(errno));
    for (struct dirent *entry; good && (entry = readdir(directory)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
        good = add(contents, options, path, problem);
    }
    closedir(directory);
    return good && (contents->count > 0 || am_problem_set(problem, "%s holds no message", name));
}

bool load_contents_build(struct load_contents *contents, const struct load_options *options,
                         const char *message, uint32_t steps, struct am_problem *problem)
{
    struct stat status;
    contents->steps = steps;
    if (message != NULL && stat(message, &status) == 0 && S_ISDIR(status.st_mode))
        return add_directory(contents, options, message, problem);
    return add(contents, options, message, problem);
}

void load_contents_fini(struct load_contents *contents)
{
    for (size_t i = 0; i < contents->count; i++)
        load_packets_fini(&contents->items[i]);
    free(contents->items);
    *contents = (struct load_contents){0};
}
