#include "common/base/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Largest file that is read: far above any use, small enough to refuse a wrong path fast. */
#define FILE_MAX_BYTES ((size_t)1 << 20)

void *am_section_new(const struct am_section *section, struct am_arena *arena,
                     struct am_problem *problem)
{
    void *values = am_arena_alloc(arena, section->size);

    if (values == NULL) {
        am_problem_set(problem, "section %s: memory is short", section->name);
        return NULL;
    }
    if (section->repeated)
        *(const char **)values = "";
    return am_option_defaults(section->options, values, arena, problem) ? values : NULL;
}

/* Makes a configuration of defaults. */
static bool fill_slots(struct am_config *config, struct am_problem *problem)
{
    while (config->schema[config->slot_count] != NULL)
        config->slot_count++;
    config->slots = am_arena_alloc(config->arena, config->slot_count * sizeof(*config->slots));
    if (config->slots == NULL) {
        config->slot_count = 0;
        return am_problem_set(problem, "configuration: memory is short");
    }
    for (size_t i = 0; i < config->slot_count; i++) {
        struct am_config_slot *slot = &config->slots[i];
        slot->section = config->schema[i];
        if (slot->section->repeated)
            continue;
        slot->items = am_arena_alloc(config->arena, sizeof(*slot->items));
        if (slot->items == NULL)
            return am_problem_set(problem, "configuration: memory is short");
        slot->items[0] = am_section_new(slot->section, config->arena, problem);
        if (slot->items[0] == NULL)
            return false;
        slot->count = 1;
    }
    return true;
}

/* The object lives in its own arena: one thing to free. */
static struct am_config *config_new(am_schema schema, struct am_problem *problem)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_config *config = arena != NULL ? am_arena_alloc(arena, sizeof(*config)) : NULL;

    if (config == NULL) {
        am_problem_set(problem, "configuration: memory is short");
        am_arena_free(arena);
        return NULL;
    }
    config->arena = arena;
    config->schema = schema;
    if (fill_slots(config, problem))
        return config;
    am_config_free(config);
    return NULL;
}

void am_config_free(struct am_config *config)
{
    if (config != NULL)
        am_arena_free(config->arena);
}

static bool read_text(struct am_config *config, struct am_span text, const char *name,
                      struct am_problem *problem)
{
    struct am_buf clean;
    bool good;

    if (text.len > FILE_MAX_BYTES)
        return am_problem_set(problem, "%s: is larger than 1 MiB; is it the right file?", name);
    am_buf_init(&clean, 0);
    good = am_config_scan(text, name, &clean, problem) &&
           am_config_read(config, am_buf_str(&clean), name, problem);
    am_buf_fini(&clean);
    return good;
}

static bool apply_overrides(struct am_config *config, const char *const *overrides, size_t count,
                            struct am_problem *problem)
{
    for (size_t i = 0; i < count; i++)
        if (!am_config_override(config, overrides[i], problem))
            return false;
    return true;
}

struct am_config *am_config_parse(am_schema schema, const char *text, const char *name,
                                  const char *const *overrides, size_t override_count,
                                  struct am_problem *problem)
{
    struct am_config *config = config_new(schema, problem);

    if (config == NULL)
        return NULL;
    if (read_text(config, am_span_str(text), name, problem) &&
        apply_overrides(config, overrides, override_count, problem))
        return config;
    am_config_free(config);
    return NULL;
}

/* Reads at most one byte more than allowed, so that a file too large is seen as such. */
static bool read_all(int fd, const char *path, struct am_buf *out, struct am_problem *problem)
{
    char block[8192];

    while (out->len <= FILE_MAX_BYTES && !out->failed) {
        ssize_t got = read(fd, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return am_problem_set(problem, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return true;
        am_buf_add(out, am_span_of(block, (size_t)got));
    }
    return !out->failed || am_problem_set(problem, "%s: memory is short", path);
}

static bool read_file(struct am_config *config, const char *path, struct am_problem *problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    struct am_buf text;
    bool good;

    if (fd < 0)
        return am_problem_set(problem, "%s: cannot be opened: %s", path, strerror(errno));
    am_buf_init(&text, 0);
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        good = am_problem_set(problem, "%s: is a directory; name the file in it", path);
    else
        good = read_all(fd, path, &text, problem) &&
               read_text(config, am_buf_span(&text), path, problem);
    am_buf_fini(&text);
    close(fd);
    return good;
}

struct am_config *am_config_load(am_schema schema, const char *path, const char *const *overrides,
                                 size_t override_count, struct am_problem *problem)
{
    struct am_config *config = config_new(schema, problem);

    if (config == NULL)
        return NULL;
    if ((path == NULL || read_file(config, path, problem)) &&
        apply_overrides(config, overrides, override_count, problem))
        return config;
    am_config_free(config);
    return NULL;
}

const void *am_config_section(const struct am_config *config, const char *name)
{
    const struct am_config_slot *slot = am_config_slot(config, name);

    return slot != NULL && slot->count > 0 ? slot->items[0] : NULL;
}

size_t am_config_count(const struct am_config *config, const char *name)
{
    const struct am_config_slot *slot = am_config_slot(config, name);

    return slot != NULL ? slot->count : 0;
}

const void *am_config_item(const struct am_config *config, const char *name, size_t index)
{
    const struct am_config_slot *slot = am_config_slot(config, name);

    return slot != NULL && index < slot->count ? slot->items[index] : NULL;
}
