#include "tests/scenarios/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/mta/daemon.h"

enum part { PART_HEAD, PART_CONFIG, PART_ZONE, PART_FILE, PART_MAIL };

struct reader {
    struct scenario *scenario;
    enum part part;
    unsigned number;
};

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* "== zone" and the like. */
static bool open_part(struct reader *reader, const char *name, struct am_problem *problem)
{
    struct scenario *scenario = reader->scenario;
    if (strcmp(name, "config") == 0)
        reader->part = PART_CONFIG;
    else if (strcmp(name, "zone") == 0)
        reader->part = PART_ZONE;
    else if (strcmp(name, "mail") == 0)
        reader->part = PART_MAIL;
    else if (strncmp(name, "file ", 5) == 0 && name[5] != '/' && strstr(name, "..") == NULL) {
        struct scenario_file *files =
            reallocarray(scenario->files, scenario->file_count + 1, sizeof(*files));
        if (files == NULL)
            return am_problem_set(problem, "out of memory");
        scenario->files = files;
        struct scenario_file *file = &files[scenario->file_count++];
        file->name = strdup(name + 5);
        am_buf_init(&file->text, 0);
        reader->part = PART_FILE;
    } else {
        return am_problem_set(problem, "%s:%u: no such part: %s", scenario->path, reader->number,
                              name);
    }
    return true;
}

static bool read_head(struct reader *reader, const char *line, struct am_problem *problem)
{
    struct scenario *scenario = reader->scenario;
    if (strncmp(line, "program ", 8) == 0) {
        free(scenario->program);
        scenario->program = strdup(line + 8);
    } else if (line[0] == '#') {
        if (scenario->title == NULL)
            scenario->title = strdup(skip_blanks(line + 1));
    } else if (line[0] != '\0') {
        return am_problem_set(problem, "%s:%u: expected a comment or a part (== config)",
                              scenario->path, reader->number);
    }
    return true;
}

static bool read_mail(struct reader *reader, const char *line, struct am_problem *problem)
{
    struct am_problem why = {""};
    return mta_script_add(&reader->scenario->mail, reader->number, line, &why) ||
           am_problem_set(problem, "%s: %s", reader->scenario->path, why.text);
}

static void keep(struct am_buf *out, const char *line)
{
    am_buf_add_str(out, line);
    am_buf_add_char(out, '\n');
}

static bool read_line(struct reader *reader, const char *line, struct am_problem *problem)
{
    struct scenario *scenario = reader->scenario;
    if (strncmp(line, "== ", 3) == 0)
        return open_part(reader, skip_blanks(line + 3), problem);
    switch (reader->part) {
    case PART_HEAD:
        return read_head(reader, line, problem);
    case PART_CONFIG:
        keep(&scenario->config, line);
        return true;
    case PART_ZONE:
        keep(&scenario->zone, line);
        return true;
    case PART_FILE:
        keep(&scenario->files[scenario->file_count - 1].text, line);
        return true;
    case PART_MAIL:
        break;
    }
    return read_mail(reader, line, problem);
}

bool scenario_read(struct scenario *scenario, const char *path, struct am_problem *problem)
{
    *scenario = (struct scenario){.path = path, .program = strdup("spf-milter")};
    am_buf_init(&scenario->config, 0);
    am_buf_init(&scenario->zone, 0);
    char *text = mta_read_file(path);
    if (text == NULL)
        return am_problem_set(problem, "cannot read %s", path);

    struct reader reader = {.scenario = scenario};
    bool ok = true;
    for (char *line = text; ok && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        bool last = line[len] == '\0';
        line[len] = '\0';
        reader.number++;
        ok = read_line(&reader, line, problem);
        line += last ? len : len + 1;
    }
    free(text);
    if (ok && scenario->mail.count == 0)
        return am_problem_set(problem, "%s: no mail in it", path);
    return ok;
}

void scenario_fini(struct scenario *scenario)
{
    mta_script_fini(&scenario->mail);
    for (size_t i = 0; i < scenario->file_count; i++) {
        free(scenario->files[i].name);
        am_buf_fini(&scenario->files[i].text);
    }
    free(scenario->files);
    free(scenario->program);
    free(scenario->title);
    am_buf_fini(&scenario->config);
    am_buf_fini(&scenario->zone);
}
