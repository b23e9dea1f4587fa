#include "authmilter/check_program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth-milter/auth_module.h"
#include "authmilter/check_keys.h"
#include "authmilter/run_modules.h"
#include "common/base/log.h"
#include "common/base/privilege.h"
#include "dkim-milter/dkim_module.h"
#include "iprev-milter/iprev_module.h"
#include "spf-milter/spf_module.h"
#include "srs-milter/srs_module.h"

static const struct am_module *const auth_modules[] = {&auth_module, NULL};
static const struct am_module *const dkim_modules[] = {&dkim_module, NULL};
static const struct am_module *const iprev_modules[] = {&iprev_module, NULL};
static const struct am_module *const spf_modules[] = {&spf_module, NULL};
static const struct am_module *const srs_modules[] = {&srs_module, NULL};

/* A new milter is a row here. */
static const struct {
    const char *name;
    const struct am_module *const *modules;
} known[] = {
    {"auth-milter", auth_modules},   {"authmilter", am_run_modules}, {"dkim-milter", dkim_modules},
    {"iprev-milter", iprev_modules}, {"spf-milter", spf_modules},    {"srs-milter", srs_modules},
};
#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

const char *check_program_name(size_t index)
{
    return index < KNOWN_COUNT ? known[index].name : NULL;
}

static const struct am_module *const *modules_of(const char *name)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].modules;
    return NULL;
}

bool check_program_is_known(const char *name)
{
    return modules_of(name) != NULL;
}

const char *check_program_of_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;

    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        size_t len = strlen(known[i].name);
        if (strncmp(base, known[i].name, len) == 0 && (base[len] == '.' || base[len] == '\0'))
            return known[i].name;
    }
    return NULL;
}

/* --- what the program says when it reads its configuration --- */

struct remarks {
    struct check_findings *findings;
    const char *path;
};

/* Keys are judged by check_keys.c, with the sentences that the module logs, too. */
static void take_remark(void *user, enum am_log_level level, const char *sentence)
{
    const struct remarks *remarks = user;

    if (level > AM_LOG_WARNING || strncmp(sentence, "dkim: ", 6) == 0)
        return;
    check_found(remarks->findings, CHECK_CONFIG_REMARK, remarks->path, "%s", sentence);
    check_mend(remarks->findings, "edit %s as the sentence says", remarks->path);
}

static struct am_runtime *load(struct check_findings *findings,
                               const struct am_module *const *modules, const char *path)
{
    struct remarks remarks = {findings, path};
    struct am_problem problem;
    const struct am_runtime_source source = {
        .modules = modules,
        .schema = am_runtime_schema(findings->arena, modules),
        .path = path,
        .clock = am_clock_system(),
        .check_only = true,
    };

    if (source.schema == NULL) {
        findings->failed = true;
        return NULL;
    }
    am_log_divert(take_remark, &remarks);
    struct am_runtime *runtime = am_runtime_load(&source, NULL, &problem);
    am_log_divert(NULL, NULL);
    if (runtime == NULL) {
        check_found(findings, CHECK_CONFIG_WRONG, path, "%s", problem.text);
        check_mend(findings, "edit %s as the sentence says", path);
    }
    return runtime;
}

/* --- what of it matters later --- */

static const void *conf_of(const struct am_runtime *runtime, const char *module)
{
    for (size_t i = 0; i < runtime->module_count; i++)
        if (strcmp(runtime->modules[i].module->name, module) == 0)
            return runtime->modules[i].conf;
    return NULL;
}

static bool describe(struct check_program *program, struct check_findings *findings)
{
    const struct am_runtime *runtime = program->runtime;
    struct am_problem problem;

    program->dkim = conf_of(runtime, "dkim");
    program->signs =
        program->dkim != NULL && program->dkim->mode != DKIM_MODE_VERIFY &&
        (program->dkim->key_directory[0] != '\0' || program->dkim->signing_table[0] != '\0');
    program->has_dmarc = conf_of(runtime, "dmarc") != NULL;
    program->has_source = program->dkim != NULL || conf_of(runtime, "spf") != NULL;
    for (size_t i = 0; i < runtime->module_count; i++)
        program->writes |=
            runtime->authres->add_header && strcmp(runtime->modules[i].module->name, "srs") != 0;
    program->socket = runtime->milter->socket;
    if (program->socket[0] == '\0')
        program->socket = am_arena_printf(
            findings->arena, "unix:/var/spool/postfix/authmilter/%s.sock", program->name);
    return program->socket != NULL && am_listen_parse(&program->address, program->socket, &problem);
}

static void judge_user(const struct check_program *program, struct check_findings *findings)
{
    const struct am_milter_options *milter = program->runtime->milter;
    struct am_problem problem;
    gid_t group;

    if (milter->user[0] != '\0' && !am_user_find(milter->user, NULL, NULL, &problem)) {
        check_found(findings, CHECK_CONFIG_USER, program->path, "milter.user: %s", problem.text);
        check_mend(findings, "useradd --system --no-create-home %s", milter->user);
    }
    if (milter->group[0] != '\0' && !am_group_find(milter->group, &group, &problem)) {
        check_found(findings, CHECK_CONFIG_USER, program->path, "milter.group: %s", problem.text);
        check_mend(findings, "groupadd --system %s", milter->group);
    }
}

bool check_program_load(struct check_programs *programs, struct check_findings *findings,
                        const char *name, const char *path)
{
    if (programs->count == CHECK_PROGRAMS_MAX)
        return false;
    struct check_program *program = &programs->items[programs->count++];
    *program = (struct check_program){.name = name, .path = path};
    program->runtime = load(findings, modules_of(name), path);
    if (program->runtime == NULL)
        return !findings->failed;
    if (!describe(program, findings))
        return false;
    check_found(findings, CHECK_CONFIG_OK, path, "%s would start with it", name);
    judge_user(program, findings);
    if (program->runtime->milter->observe || program->runtime->milter->observe_modules.count > 0) {
        check_found(findings, CHECK_CONFIG_OBSERVE, path,
                    "%s of %s only observes: what it would refuse is logged and goes through",
                    program->runtime->milter->observe ? "all" : "a part", name);
        check_mend(findings, "take milter.observe and milter.observe_modules out of %s", path);
    }
    if (program->signs)
        program->keys = check_keys_open(program, findings);
    return !findings->failed;
}

/* --- side by side --- */

static void compare(const struct check_program *a, const struct check_program *b,
                    struct check_findings *findings)
{
    if (strcmp(a->socket, b->socket) == 0) {
        check_found(findings, CHECK_SOCKET_SHARED, b->path,
                    "%s and %s both listen on %s: the second one does not start", a->path, b->path,
                    b->socket);
        check_mend(findings, "set milter.socket in %s to another place", b->path);
    }
    const char *id_a = a->runtime->authres->authserv_id, *id_b = b->runtime->authres->authserv_id;
    if (a->writes && b->writes && strcasecmp(id_a, id_b) != 0) {
        check_found(findings, CHECK_AUTHSERV_ID_DIFFERS, b->path,
                    "authres.authserv_id is \"%s\" in %s and \"%s\" here: readers trust one name, "
                    "and forged fields of the other one stay",
                    id_a, a->path, id_b);
        check_mend(findings, "authres { authserv_id = \"%s\" } in both files",
                   id_a[0] != '\0' ? id_a : id_b);
    }
}

void check_programs_compare(const struct check_programs *programs, struct check_findings *findings)
{
    for (size_t i = 0; i < programs->count; i++)
        for (size_t k = 0; k < i; k++)
            if (programs->items[i].runtime != NULL && programs->items[k].runtime != NULL)
                compare(&programs->items[k], &programs->items[i], findings);
}

void check_programs_fini(struct check_programs *programs)
{
    for (size_t i = 0; i < programs->count; i++)
        if (programs->items[i].runtime != NULL)
            am_snapshot_drop(&programs->items[i].runtime->snapshot);
}
