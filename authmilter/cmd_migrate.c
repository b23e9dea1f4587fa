#include <getopt.h>
#include <string.h>
#include <strings.h>

#include "authmilter/command.h"
#include "authmilter/migrate.h"
#include "authmilter/tool_json.h"
#include "authmilter/tool_options.h"

/* Exit status when something has to be done by hand: a finding none, mend or unknown. */
enum { EXIT_COMPLETE = 0, EXIT_BY_HAND = 1 };

#define TARGET "/etc/authmilter"

struct arguments {
    const char *from, *output, *user;
    bool force, all, json;
};

static const struct {
    const char *name, *file;
    enum migrate_source source;
    bool equals, is_spf;
    const struct migrate_option *options;
} sources[] = {
    {"opendkim", "opendkim.conf", MIGRATE_OPENDKIM, false, false, migrate_opendkim_options},
    {"dkimpy-milter", "dkimpy-milter.conf", MIGRATE_DKIMPY, false, false, migrate_dkimpy_options},
    {"policyd-spf", "policyd-spf.conf", MIGRATE_POLICYD, true, true, migrate_spf_options},
    {"pyspf-milter", "pyspf-milter.conf", MIGRATE_PYSPF, true, true, migrate_spf_options},
};
#define SOURCE_COUNT (sizeof(sources) / sizeof(sources[0]))

static const struct tool_option options[] = {
    TOOL_TEXT("from", from),
    TOOL_TEXT("output", output),
    TOOL_TEXT("user", user),
    TOOL_FLAG("force", force),
    TOOL_FLAG("all", all),
    TOOL_FLAG("json", json),
    {0},
};

static const char help[] =
    "usage: authmilter migrate [OPTION...] FILE\n\n"
    "Reads the configuration of another milter, prints ours, and says what becomes of\n"
    "each option. Keys and selectors stay as they are.\n\n"
    "  --from PROGRAM  whose it is: opendkim, dkimpy-milter, policyd-spf or\n"
    "                  pyspf-milter; by default the name of the file says it\n"
    "  --output DIR    write the files into this folder, and none that is there\n"
    "                  already\n"
    "  --force         write over what is there\n"
    "  --user USER     who will run the program and has to be able to read the keys\n"
    "  --all           report also what is translated or the same\n"
    "  --json          print files and report as JSON\n\n"
    "Exit status: 0 done, 1 something is left to do by hand, 64 wrong usage, 69\n"
    "something needed is not available.\n";

static const struct tool_usage usage = {.command = "migrate", .help = help, .options = options};

/* Returns the number of the program whose configuration it is; SOURCE_COUNT when nobody knows. */
static size_t find_source(const struct arguments *args, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
    size_t i = 0;

    while (i < SOURCE_COUNT && (args->from != NULL ? strcmp(sources[i].name, args->from) != 0
                                                   : strcmp(sources[i].file, base) != 0))
        i++;
    return i;
}

static const char *program_of(size_t source)
{
    return sources[source].is_spf ? "spf-milter.conf" : "dkim-milter.conf";
}

static bool print_json(const struct migrate *migrate, size_t source)
{
    json_t *files = json_array();

    for (size_t i = 0; i < migrate->output.count && files != NULL; i++) {
        const struct migrate_file *file = &migrate->output.files[i];
        json_t *item = json_pack("{s:s,s:o}", "name", file->name, "text",
                                 tool_json_str(am_buf_str(&file->text)));
        if (item == NULL || json_array_append_new(files, item) != 0)
            return false;
    }
    json_t *findings = migrate_findings_json(&migrate->findings);
    return tool_json_print(json_pack("{s:i,s:s,s:o,s:o}", "version", 1, "from",
                                     sources[source].name, "files", files, "findings", findings),
                           stdout);
}

static void print_files(const struct migrate *migrate)
{
    for (size_t i = 0; i < migrate->output.count; i++) {
        const struct migrate_file *file = &migrate->output.files[i];

        if (migrate->output.count > 1)
            printf("%s# --- %s/%s\n", i > 0 ? "\n" : "", migrate->target, file->name);
        fwrite(file->text.data, 1, file->text.len, stdout);
    }
}

static int report(const struct arguments *args, struct migrate *migrate, size_t source)
{
    const size_t *counts = migrate->findings.counts;
    struct am_problem problem;

    if (args->output != NULL && !migrate_output_write(&migrate->output, migrate->arena,
                                                      args->output, args->force, &problem))
        return tool_unavailable(&usage, problem.text);
    if (args->json && !print_json(migrate, source))
        return tool_unavailable(&usage, "standard output cannot be written");
    if (!args->json) {
        if (args->output == NULL)
            print_files(migrate);
        fflush(stdout);
        migrate_findings_print(&migrate->findings, args->all, stderr);
    }
    if (fflush(stdout) != 0)
        return tool_unavailable(&usage, "standard output cannot be written");
    return counts[MIGRATE_NONE] + counts[MIGRATE_MEND] + counts[MIGRATE_UNKNOWN] > 0
               ? EXIT_BY_HAND
               : EXIT_COMPLETE;
}

static int work(const struct arguments *args, struct migrate *migrate, size_t source)
{
    struct am_problem problem;

    if (!migrate_lines_read(migrate, sources[source].equals, &problem))
        return tool_unavailable(&usage, problem.text);
    struct am_buf *text = migrate_file_add(&migrate->output, program_of(source));
    if (text == NULL)
        return tool_unavailable(&usage, "out of memory");
    am_buf_printf(text, "# Made by authmilter migrate from a configuration of %s.\n",
                  sources[source].name);
    migrate->base = sources[source].is_spf ? NULL : migrate_value(migrate, "BaseDirectory");
    migrate_options_apply(migrate, sources[source].options);
    if (sources[source].is_spf)
        migrate_spf_finish(migrate);
    else
        migrate_dkim_finish(migrate);
    if (*migrate->user != '\0')
        migrate_set_text(&migrate->output, migrate->arena, "milter", "user", migrate->user);
    migrate_output_finish(&migrate->output);
    if (migrate->output.failed || migrate->findings.lost)
        return tool_unavailable(&usage, "out of memory");
    return report(args, migrate, source);
}

static int run(int argc, char **argv)
{
    struct arguments args = {.from = NULL};
    struct migrate migrate = {.target = TARGET};
    int status = tool_options_read(&usage, argc, argv, &args);

    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return tool_refuse(&usage, "one file is needed");
    migrate.path = argv[optind];
    size_t source = find_source(&args, migrate.path);
    if (source == SOURCE_COUNT)
        return tool_refuse(&usage, args.from != NULL
                                       ? "--from takes opendkim, dkimpy-milter, policyd-spf or "
                                         "pyspf-milter"
                                       : "the name of the file does not say whose it is: --from");
    if (args.output != NULL && args.output[0] != '/')
        return tool_refuse(&usage, "--output takes a full path: the configuration names it");
    if (args.output != NULL)
        migrate.target = args.output;
    migrate.from = sources[source].source;
    migrate.user = args.user != NULL ? args.user : "";
    migrate.arena = am_arena_new(65536, 0);
    if (migrate.arena == NULL)
        return tool_unavailable(&usage, "out of memory");
    status = work(&args, &migrate, source);
    migrate_output_fini(&migrate.output);
    am_arena_free(migrate.arena);
    return status;
}

const struct am_command am_command_migrate = {
    .name = "migrate",
    .summary = "write a configuration from that of another milter",
    .run = run,
};
