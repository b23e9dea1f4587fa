#include "common/milter/app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/milter/app_args.h"
#include "common/milter/app_serve.h"
#include "common/milter/transport.h"

static const char *command_of(const struct am_app *app)
{
    return app->command == NULL ? app->program : app->command;
}

static int print_help(const struct am_app *app)
{
    printf("%s\n%s\n\n"
           "usage: %s [-c FILE] [-f] [-s SOCKET] [-o SECTION.NAME=VALUE]...\n"
           "  -c FILE               configuration [/etc/authmilter/%s.conf]\n"
           "  -f, --foreground      stay in the foreground, as under systemd\n"
           "  -s SOCKET             where the MTA connects: unix:/path, inet:port@host,\n"
           "                        inet6:port@host\n"
           "  -o SECTION.NAME=VALUE set an option over the file; repeatable\n"
           "  --check-config        read and judge the configuration, then end\n"
           "  --show-config         print the configuration in force; with --non-default\n"
           "                        only what differs from the defaults\n"
           "  --list-options        print every option with its kind, default and meaning\n"
           "  --version, --help\n\n"
           "Exit status: 0 ended as asked, 64 wrong usage, 78 wrong configuration, 71 the\n"
           "system refused something (socket, user, thread).\n",
           command_of(app), app->summary, command_of(app), app->program);
    return 0;
}

/* The file to read: the one given, or the usual one if there is one, or none (*path NULL). */
static bool find_config(const struct am_app *app, struct am_app_args *args, const char **path,
                        struct am_problem *problem)
{
    const char *usual = am_arena_printf(args->arena, "/etc/authmilter/%s.conf", app->program);
    *path = args->config != NULL ? args->config : usual;
    if (*path == NULL)
        return am_problem_set(problem, "memory is short");
    if (access(*path, F_OK) == 0) {
        /* The background process leaves the directory, and a reload needs the file again. */
        char *absolute = realpath(*path, NULL);
        if (absolute != NULL && (*path)[0] != '/')
            *path = am_arena_copy(args->arena, am_span_str(absolute));
        free(absolute);
        return *path != NULL || am_problem_set(problem, "memory is short");
    }
    if (args->config != NULL)
        return am_problem_set(problem, "cannot read %s: %s", *path, strerror(errno));
    fprintf(stderr, "%s: there is no %s; defaults are used\n", app->program, usual);
    *path = NULL;
    return true;
}

static int complain(const struct am_app *app, const struct am_problem *problem, int status)
{
    fprintf(stderr, "%s: %s\n", app->program, problem->text);
    return status;
}

static int check_or_show(const struct am_app *app, const struct am_app_args *args,
                         struct am_runtime_source *source)
{
    struct am_problem problem = {{0}};
    source->check_only = true;
    struct am_runtime *runtime = am_runtime_load(source, NULL, &problem);
    if (runtime == NULL)
        return complain(app, &problem, AM_APP_EXIT_CONFIG);
    if (args->task == AM_APP_SHOW_CONFIG)
        am_config_print(runtime->config, args->non_default, stdout);
    else
        printf("%s: the configuration is right (%s)\n", app->program,
               source->path == NULL ? "defaults" : source->path);
    am_snapshot_drop(&runtime->snapshot);
    return 0;
}

static int with_config(const struct am_app *app, struct am_app_args *args, am_schema schema)
{
    struct am_problem problem = {{0}};
    struct am_runtime_source source = {
        .modules = app->modules,
        .schema = schema,
        .overrides = args->overrides,
        .override_count = args->override_count,
        .clock = am_clock_system(),
        .before_wait = am_transport_before_wait,
        .program = command_of(app),
    };
    if (!find_config(app, args, &source.path, &problem))
        return complain(app, &problem, AM_APP_EXIT_CONFIG);
    return args->task == AM_APP_RUN ? am_app_serve(app, &source, args->foreground)
                                    : check_or_show(app, args, &source);
}

static int run_task(const struct am_app *app, struct am_app_args *args)
{
    if (args->task == AM_APP_HELP)
        return print_help(app);
    if (args->task == AM_APP_VERSION)
        return printf("%s (authmilter) %s\n", app->program, AM_VERSION) > 0 ? 0
                                                                            : AM_APP_EXIT_SYSTEM;
    am_schema schema = am_runtime_schema(args->arena, app->modules);
    if (schema == NULL) {
        fprintf(stderr, "%s: memory is short\n", app->program);
        return AM_APP_EXIT_SYSTEM;
    }
    if (args->task == AM_APP_LIST_OPTIONS) {
        am_config_list_options(schema, stdout);
        return 0;
    }
    return with_config(app, args, schema);
}

int am_app_main(int argc, char **argv, const struct am_app *app)
{
    struct am_app_args args;
    struct am_problem problem = {{0}};
    int status;
    if (!am_app_args_parse(&args, argc, argv, &problem)) {
        fprintf(stderr, "%s: %s; see %s --help\n", command_of(app), problem.text, command_of(app));
        status = AM_APP_EXIT_USAGE;
    } else {
        status = run_task(app, &args);
    }
    am_app_args_fini(&args);
    return status;
}
