#include "authmilter/check_postfix.h"

#include <stdlib.h>
#include <string.h>

#include "authmilter/check_postconf.h"

/* Of main.cf: all that is looked at. */
static const char *const parameters[] = {
    "command_directory",
    "compatibility_level",
    "content_filter",
    "inet_interfaces",
    "internal_mail_filter_classes",
    "mail_owner",
    "milter_command_timeout",
    "milter_content_timeout",
    "milter_connect_timeout",
    "milter_default_action",
    "milter_macro_daemon_name",
    "milter_protocol",
    "myhostname",
    "myorigin",
    "non_smtpd_milters",
    "queue_directory",
    "receive_override_options",
    "smtp_bind_address",
    "smtp_bind_address6",
    "smtpd_milter_maps",
    "smtpd_milters",
    "smtpd_proxy_filter",
};
#define PARAMETER_COUNT (sizeof(parameters) / sizeof(parameters[0]))
#define ARGUMENTS_MAX (PARAMETER_COUNT + 5)

/* --- what postconf prints --- */

/* Takes the next line off; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text;
    size_t len = strcspn(line, "\n");

    if (*line == '\0')
        return NULL;
    *text = line + len + (line[len] == '\n');
    line[len] = '\0';
    return line;
}

static size_t count_lines(const char *text)
{
    size_t count = 1;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void read_settings(struct check_postfix *postfix, char *text)
{
    for (char *line; (line = next_line(&text)) != NULL;) {
        char *equals = strstr(line, " =");

        if (equals == NULL)
            continue;
        *equals = '\0';
        const char *value = equals + 2 + strspn(equals + 2, " ");
        postfix->settings[postfix->setting_count++] = (struct check_setting){line, value};
    }
}

/* Chroot is off by default since compatibility level 1. */
static bool chroot_default(const struct check_postfix *postfix)
{
    return strtol(check_postfix_value(postfix, NULL, "compatibility_level"), NULL, 10) < 1;
}

/* "smtp inet n - y - - smtpd -o name=value": name, type, private, unprivileged, chroot, wakeup,
 * most processes, command. */
static bool read_service(struct check_postfix *postfix, char *line)
{
    const char *words[8];
    char *rest = line;
    size_t count = 0;

    while (count < 8 && (words[count] = strtok_r(rest, " \t", &rest)) != NULL)
        count++;
    if (count < 8 || postfix->service_count == CHECK_SERVICES_MAX)
        return true;
    const char *name = am_arena_printf(postfix->arena, "%s/%s", words[0], words[1]);
    postfix->services[postfix->service_count++] = (struct check_service){
        .name = name,
        .command = words[7],
        .chrooted = words[4][0] == 'y' || (words[4][0] == '-' && chroot_default(postfix)),
    };
    return name != NULL;
}

bool check_postfix_parse(struct check_postfix *postfix, char *values, char *services,
                         char *overrides)
{
    size_t room = count_lines(values) + count_lines(overrides);

    postfix->settings = am_arena_alloc(postfix->arena, room * sizeof(*postfix->settings));
    if (postfix->settings == NULL)
        return false;
    read_settings(postfix, values);
    read_settings(postfix, overrides);
    for (char *line; (line = next_line(&services)) != NULL;)
        if (!read_service(postfix, line))
            return false;
    return true;
}

/* --- asking it --- */

/* Postfix tells of parameters of later versions, which says nothing about the set-up. */
static void take_remarks(const char *text, struct check_findings *findings)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        if (memmem(text, len, "unknown parameter", 17) == NULL && len > 0) {
            check_found(findings, CHECK_POSTFIX_REMARK, "postconf", "%.*s", (int)len, text);
            check_mend(findings, "edit main.cf or master.cf as the sentence says");
        }
        text += len + (text[len] == '\n');
    }
}

/* Returns a copy of the output that can be taken apart, or NULL after a finding. */
static char *ask(const struct check_postfix *postfix, const char *flags, bool named,
                 struct check_findings *findings)
{
    const char *argv[ARGUMENTS_MAX + 1] = {postfix->program};
    size_t count = 1;
    struct check_output output;
    struct am_problem problem;

    if (postfix->directory != NULL) {
        argv[count++] = "-c";
        argv[count++] = postfix->directory;
    }
    argv[count++] = flags;
    for (size_t i = 0; named && i < PARAMETER_COUNT; i++)
        argv[count++] = parameters[i];
    if (!check_postconf_run(postfix->arena, argv, &output, &problem)) {
        check_found(findings, CHECK_POSTFIX_UNREADABLE,
                    postfix->directory == NULL ? "postfix" : postfix->directory, "%s",
                    problem.text);
        check_mend(findings, "name Postfix' folder with --postfix-config, and postconf with "
                             "--postconf; \"postfix check\" may say more");
        return NULL;
    }
    if (named)
        take_remarks(output.err, findings);
    char *text = am_arena_copy(postfix->arena, am_span_str(output.out));
    findings->failed |= text == NULL;
    return text;
}

bool check_postfix_read(struct check_postfix *postfix, const char *program, const char *directory,
                        struct check_findings *findings)
{
    *postfix = (struct check_postfix){
        .arena = findings->arena, .program = program, .directory = directory};
    char *values = ask(postfix, "-x", true, findings);
    char *services = values == NULL ? NULL : ask(postfix, "-M", false, findings);
    char *overrides = services == NULL ? NULL : ask(postfix, "-Px", false, findings);
    if (overrides == NULL)
        return false;
    if (check_postfix_parse(postfix, values, services, overrides))
        return true;
    findings->failed = true;
    return false;
}

/* --- values and their places --- */

static const char *find(const struct check_postfix *postfix, const char *name)
{
    for (size_t i = 0; i < postfix->setting_count; i++)
        if (strcmp(postfix->settings[i].name, name) == 0)
            return postfix->settings[i].value;
    return NULL;
}

static const char *find_override(const struct check_postfix *postfix,
                                 const struct check_service *service, const char *name)
{
    size_t len = strlen(service->name);

    for (size_t i = 0; i < postfix->setting_count; i++) {
        const char *held = postfix->settings[i].name;
        if (strncmp(held, service->name, len) == 0 && held[len] == '/' &&
            strcmp(held + len + 1, name) == 0)
            return postfix->settings[i].value;
    }
    return NULL;
}

const char *check_postfix_value(const struct check_postfix *postfix,
                                const struct check_service *service, const char *name)
{
    const char *value = service == NULL ? NULL : find_override(postfix, service, name);

    if (value == NULL)
        value = find(postfix, name);
    return value == NULL ? "" : value;
}

bool check_postfix_overrides(const struct check_postfix *postfix,
                             const struct check_service *service, const char *name)
{
    return service != NULL && find_override(postfix, service, name) != NULL;
}

/* "SERVICE/TYPE/NAME" where a service sets it, else "NAME". */
static const char *full_name(const struct check_postfix *postfix,
                             const struct check_service *service, const char *name)
{
    if (service == NULL)
        return name;
    const char *full = am_arena_printf(postfix->arena, "%s/%s", service->name, name);
    return full == NULL ? name : full;
}

const char *check_postfix_place(const struct check_postfix *postfix,
                                const struct check_service *service, const char *name)
{
    bool own = check_postfix_overrides(postfix, service, name);
    const char *place = am_arena_printf(postfix->arena, "%s: %s", own ? "master.cf" : "main.cf",
                                        full_name(postfix, own ? service : NULL, name));

    return place == NULL ? name : place;
}

const char *check_postfix_edit(const struct check_postfix *postfix,
                               const struct check_service *service, const char *name,
                               const char *value)
{
    const char *command = am_arena_printf(
        postfix->arena, "postconf%s%s %s '%s = %s'", postfix->directory == NULL ? "" : " -c ",
        postfix->directory == NULL ? "" : postfix->directory, service == NULL ? "-e" : "-P",
        full_name(postfix, service, name), value);

    return command == NULL ? "" : command;
}
