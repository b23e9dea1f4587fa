#include "authmilter/migrate_output.h"
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- settings --- */

static struct migrate_setting *find(const struct migrate_output *output, const char *section,
                                    const char *name)
{
    for (struct migrate_setting *s = output->first; s != NULL; s = s->next)
        if (strcmp(s->section, section) == 0 && strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

void migrate_set(struct migrate_output *output, struct am_arena *arena, const char *section,
                 const char *name, const char *value)
{
    struct migrate_setting *setting = find(output, section, name);

    if (value != NULL && setting == NULL) {
        setting = am_arena_alloc(arena, sizeof(*setting));
        if (setting != NULL) {
            *setting = (struct migrate_setting){.section = section, .name = name};
            if (output->last == NULL)
                output->first = setting;
            else
                output->last->next = setting;
            output->last = setting;
        }
    }
    if (setting == NULL || value == NULL)
        output->failed = true;
    else
        setting->value = am_arena_copy(arena, am_span_str(value));
    if (setting != NULL && setting->value == NULL)
        output->failed = true;
}

/* Appends a text in double quotes as the scanner of our files reads it. */
static void add_quoted(struct am_buf *out, const char *text)
{
    am_buf_add_char(out, '"');
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            continue;
        if (strchr("\\\"$", *text) != NULL)
            am_buf_add_char(out, '\\');
        am_buf_add_char(out, *text);
    }
    am_buf_add_char(out, '"');
}

static void set_from(struct migrate_output *output, struct am_arena *arena, const char *section,
                     const char *name, struct am_buf *value)
{
    migrate_set(output, arena, section, name, value->failed ? NULL : am_buf_str(value));
    am_buf_fini(value);
}

void migrate_set_text(struct migrate_output *output, struct am_arena *arena, const char *section,
                      const char *name, const char *text)
{
    struct am_buf value;

    am_buf_init(&value, 0);
    add_quoted(&value, text);
    set_from(output, arena, section, name, &value);
}

void migrate_add_item(struct migrate_output *output, struct am_arena *arena, const char *section,
                      const char *name, const char *text)
{
    const char *former = migrate_setting_find(output, section, name);
    struct am_buf value;

    am_buf_init(&value, 0);
    if (former == NULL) {
        am_buf_add_str(&value, "{ ");
    } else {
        am_buf_add(&value, am_span_of(former, strlen(former) - 2));
        am_buf_add_str(&value, ", ");
    }
    add_quoted(&value, text);
    am_buf_add_str(&value, " }");
    set_from(output, arena, section, name, &value);
}

const char *migrate_setting_find(const struct migrate_output *output, const char *section,
                                 const char *name)
{
    const struct migrate_setting *setting = find(output, section, name);

    return setting == NULL ? NULL : setting->value;
}

/* --- files --- */

struct am_buf *migrate_file_add(struct migrate_output *output, const char *name)
{
    if (output->count == MIGRATE_FILES_MAX) {
        output->failed = true;
        return NULL;
    }
    struct migrate_file *file = &output->files[output->count++];
    file->name = name;
    am_buf_init(&file->text, 0);
    return &file->text;
}

/* Tells whether an earlier setting has the section already. */
static bool is_begun(const struct migrate_output *output, const struct migrate_setting *setting)
{
    for (const struct migrate_setting *s = output->first; s != setting; s = s->next)
        if (strcmp(s->section, setting->section) == 0)
            return true;
    return false;
}

void migrate_output_finish(struct migrate_output *output)
{
    struct am_buf *text = &output->files[0].text;

    for (const struct migrate_setting *s = output->first; s != NULL; s = s->next) {
        if (is_begun(output, s))
            continue;
        am_buf_printf(text, "%s {\n", s->section);
        for (const struct migrate_setting *t = s; t != NULL; t = t->next)
            if (strcmp(t->section, s->section) == 0)
                am_buf_printf(text, "    %s = %s\n", t->name, t->value);
        am_buf_add_str(text, "}\n");
    }
    for (size_t i = 0; i < output->count; i++)
        output->failed = output->failed || output->files[i].text.failed;
}

/* Writes beside the file and renames, so that a half-written one is never read. */
static bool write_file(const struct migrate_file *file, struct am_arena *arena, const char *folder,
                       bool force, struct am_problem *problem)
{
    const char *path = am_arena_printf(arena, "%s/%s", folder, file->name);
    char *draft = am_arena_printf(arena, "%s/.%s.XXXXXX", folder, file->name);
    int fd = draft == NULL ? -1 : mkstemp(draft);

    if (path == NULL || fd < 0)
        return am_problem_set(problem, "%s/%s cannot be written: %s", folder, file->name,
                              strerror(errno));
    bool good = am_file_write_all(fd, am_buf_span(&file->text)) && fchmod(fd, 0644) == 0;
    good = close(fd) == 0 && good;
    /* link() refuses what is there, whoever made it meanwhile. */
    if (good)
        good = force ? rename(draft, path) == 0 : link(draft, path) == 0;
    if (!good)
        am_problem_set(problem, "%s cannot be written: %s", path, strerror(errno));
    if (!good || !force)
        unlink(draft);
    return good;
}

bool migrate_output_write(const struct migrate_output *output, struct am_arena *arena,
                          const char *folder, bool force, struct am_problem *problem)
{
    struct stat info;

    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return am_problem_set(problem, "%s cannot be made: %s", folder, strerror(errno));
    for (size_t i = 0; i < output->count && !force; i++) {
        const char *path = am_arena_printf(arena, "%s/%s", folder, output->files[i].name);
        if (path != NULL && lstat(path, &info) == 0)
            return am_problem_set(problem, "%s is there already: give another --output, or --force",
                                  path);
    }
    for (size_t i = 0; i < output->count; i++)
        if (!write_file(&output->files[i], arena, folder, force, problem))
            return false;
    return true;
}

void migrate_output_fini(struct migrate_output *output)
{
    for (size_t i = 0; i < output->count; i++)
        am_buf_fini(&output->files[i].text);
}
