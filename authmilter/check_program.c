#include "authmilter/check_program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth-milter/auth_module.h"
#include "authmilter/check_keys.h"
#include "authmilter/run_modules.h"
#include "common/base/log.h"
#include "common/base/privilege.h"
#include "author-milter/author_module.h"
#include "dkim-milter/dkim_module.h"
#include "dmarc-milter/dmarc_module.h"
#include "iprev-milter/iprev_module.h"
#include "spf-milter/spf_module.h"
#include "srs-milter/srs_module.h"
#include "trace-milter/trace_module.h"

static const struct am_module *const auth_modules[] = {&auth_module, NULL};
static const struct am_module *const author_modules[] = {&author_module, NULL};
static const struct am_module *const dkim_modules[] = {&dkim_module, NULL};
static const struct am_module *const dmarc_modules[] = {&dmarc_module, NULL};
static const struct am_module *const iprev_modules[] = {&iprev_module, NULL};
static const struct am_module *const spf_modules[] = {&spf_module, NULL};
static const struct am_module *const srs_modules[] = {&srs_module, NULL};
static const struct am_module *const trace_modules[] = {&am_trace_module, NULL};

/* A new milter is a row here. */
static const struct {
    const char *name;
    const struct am_module *const *modules;
} known[] = {
    {"auth-milter", auth_modules},   {"author-milter", author_modules},
    {"authmilter", am_run_modules},  {"dkim-milter", dkim_modules},
    {"dmarc-milter", dmarc_modules}, {"iprev-milter", iprev_modules},
    {"spf-milter", spf_modules},     {"srs-milter", srs_modules},
    {"trace-milter", trace_modules},
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

#define REMARKS_MAX 300

struct remarks {
    struct am_arena *arena;
    const char *sentences[REMARKS_MAX];
    size_t count;
};

static void take_remark(void *user, enum am_log_level level, const char *sentence)
{
    struct remarks *remarks = user;

    if (level <= AM_LOG_WARNING && remarks->count < REMARKS_MAX)
        remarks->sentences[remarks->count++] = am_arena_copy(remarks->arena, am_span_str(sentence));
}

/* What is said of keys is found by check_keys.c. */
static bool is_of_keys(const char *sentence, const struct dkim_keys *keys)
{
    static const char module[] = "dkim: ";

    if (keys == NULL || strncmp(sentence, module, strlen(module)) != 0)
        return false;
    sentence += strlen(module);
    for (const struct dkim_keys_warning *warning = dkim_keys_warnings(keys); warning != NULL;
         warning = warning->next)
        if (strcmp(sentence, warning->sentence) == 0)
            return true;
    return dkim_keys_count(keys) == 0;
}

static void tell_remarks(const struct remarks *remarks, const struct check_program *program,
                         struct check_findings *findings)
{
    for (size_t i = 0; i < remarks->count; i++) {
        if (remarks->sentences[i] == NULL || is_of_keys(remarks->sentences[i], program->keys))
            continue;
        check_found(findings, CHECK_CONFIG_REMARK, program->path, "%s", remarks->sentences[i]);
        check_mend(findings, "do as the sentence says");
    }
}

static struct am_runtime *load(struct check_findings *findings,
                               const struct am_module *const *modules, const char *path,
                               struct remarks *remarks)
{
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
    am_log_divert(take_remark, remarks);
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

static bool describe_sockets(struct check_program *program, struct am_arena *arena)
{
    struct am_listener listeners[AM_LISTENERS_MAX];
    struct am_problem problem;
    const char *usual =
        am_arena_printf(arena, "unix:/var/spool/postfix/authmilter/%s.sock", program->name);

    if (usual == NULL)
        return false;
    program->socket_count = am_listeners_of(program->runtime->config, usual, listeners);
    for (size_t i = 0; i < program->socket_count; i++) {
        struct check_socket *socket = &program->sockets[i];

        socket->text = listeners[i].socket;
        socket->role = (enum am_role)listeners[i].role;
        if (!am_listen_parse(&socket->address, socket->text, &problem))
            return false;
    }
    return true;
}

static bool describe(struct check_program *program, struct check_findings *findings)
{
    const struct am_runtime *runtime = program->runtime;

    program->dkim = conf_of(runtime, "dkim");
    program->signs =
        program->dkim != NULL && !runtime->milter->shadow &&
        program->dkim->mode != DKIM_MODE_VERIFY &&
        (program->dkim->key_directory[0] != '\0' || program->dkim->signing_table[0] != '\0' ||
         program->dkim->managed_keys[0] != '\0');
    program->has_dmarc = conf_of(runtime, "dmarc") != NULL;
    program->has_source = program->dkim != NULL || conf_of(runtime, "spf") != NULL;
    for (size_t i = 0; i < runtime->module_count; i++)
        program->writes |= runtime->authres->add_header && !runtime->milter->shadow &&
                           (runtime->modules[i].module->method == NULL ||
                            runtime->modules[i].module->method[0] != '\0');
    return describe_sockets(program, findings->arena);
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

static void judge_observe(const struct check_program *program, struct check_findings *findings)
{
    const struct am_milter_options *milter = program->runtime->milter;

    if (milter->shadow) {
        check_found(findings, CHECK_CONFIG_OBSERVE, program->path,
                    "shadow = yes: %s compares itself with another milter, and neither refuses, "
                    "writes nor signs",
                    program->name);
        check_mend(findings, "take milter.shadow out of %s", program->path);
    } else if (milter->observe || milter->observe_modules.count > 0) {
        check_found(findings, CHECK_CONFIG_OBSERVE, program->path,
                    "%s of %s only observes: what it would refuse is logged and goes through",
                    milter->observe ? "all" : "a part", program->name);
        check_mend(findings, "take milter.observe and milter.observe_modules out of %s",
                   program->path);
    }
}

bool check_program_load(struct check_programs *programs, struct check_findings *findings,
                        const char *name, const char *path)
{
    if (programs->count == CHECK_PROGRAMS_MAX)
        return false;
    struct check_program *program = &programs->items[programs->count++];
    *program = (struct check_program){.name = name, .path = path};
    struct remarks remarks = {.arena = findings->arena};
    program->runtime = load(findings, modules_of(name), path, &remarks);
    if (program->runtime == NULL)
        return !findings->failed;
    if (!describe(program, findings))
        return false;
    check_found(findings, CHECK_CONFIG_OK, path, "%s would start with it", name);
    judge_user(program, findings);
    judge_observe(program, findings);
    if (program->signs)
        program->keys = check_keys_open(program, findings);
    tell_remarks(&remarks, program, findings);
    return !findings->failed;
}

/* --- side by side --- */

static void compare_sockets(const struct check_program *a, const struct check_program *b,
                            struct check_findings *findings)
{
    for (size_t i = 0; i < a->socket_count; i++)
        for (size_t k = 0; k < b->socket_count; k++) {
            if (strcmp(a->sockets[i].text, b->sockets[k].text) != 0)
                continue;
            check_found(findings, CHECK_SOCKET_SHARED, b->path,
                        "%s and %s both listen on %s: the second one does not start", a->path,
                        b->path, b->sockets[k].text);
            check_mend(findings, "set milter.socket in %s to another place", b->path);
        }
}

static void compare(const struct check_program *a, const struct check_program *b,
                    struct check_findings *findings)
{
    compare_sockets(a, b, findings);
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
