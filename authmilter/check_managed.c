#include "authmilter/check_managed.h"

#include <string.h>
#include <time.h>

#include "dkim-milter/dkim_key_load.h"
#include "dkim-milter/dkim_rotation_store.h"

/* Most keys that are looked at; a site with more has other means. */
#define KEYS_MAX 1000

static void release(void *key)
{
    dkim_private_key_free(key);
}

/* Loads a key; what is in the way is found. */
static struct dkim_signing_key *load(const struct dkim_key_reader *reader, const char *folder,
                                     const char *domain, const char *selector,
                                     struct check_findings *findings)
{
    struct am_arena *arena = findings->arena;
    struct dkim_signing_key *key = am_arena_alloc(arena, sizeof(*key));
    const char *path = am_arena_printf(arena, "%s/%s.pem", folder, selector);
    struct am_problem problem;

    if (key == NULL || path == NULL) {
        findings->failed = true;
        return NULL;
    }
    struct dkim_private_key *private_key = dkim_key_load(path, reader, &problem);
    if (private_key == NULL) {
        check_found(findings, CHECK_KEY_UNUSABLE, path, "%s", problem.text);
        check_mend(findings, "do as the sentence says, or: authmilter keys new %s", domain);
        return NULL;
    }
    if (!am_arena_defer(arena, release, private_key)) {
        dkim_private_key_free(private_key);
        findings->failed = true;
        return NULL;
    }
    *key = (struct dkim_signing_key){
        .domain = domain,
        .selector = am_arena_copy(arena, am_span_str(selector)),
        .path = path,
        .key = private_key,
        .number = DKIM_KEY_NO_NUMBER,
        .expire_s = -1,
    };
    key->name = key->selector;
    findings->failed = findings->failed || key->selector == NULL;
    return key->selector == NULL ? NULL : key;
}

static void open_key(struct check_program *program, const struct dkim_key_reader *reader,
                     const char *folder, const char *domain, const struct dkim_rotation_key *state,
                     struct check_findings *findings)
{
    const struct dkim_signing_key *key = load(reader, folder, domain, state->selector, findings);
    bool is_active = state->state == DKIM_ROTATION_ACTIVE;

    if (is_active && state->trouble != DKIM_SIGHT_NONE) {
        check_found(findings, CHECK_CONFIG_REMARK, folder,
                    "%s has found the record of the active key %s._domainkey.%s %s",
                    state->trouble_by, state->selector, domain, dkim_sight_word(state->trouble));
        check_mend(findings, "authmilter keys status --directory %s %s",
                   program->dkim->managed_keys, domain);
    }
    if (key == NULL || program->managed_count == KEYS_MAX || state->state < DKIM_ROTATION_ACTIVE ||
        dkim_rotation_is_over(state, time(NULL)))
        return;
    program->managed[program->managed_count] = key;
    program->managed_active[program->managed_count++] = is_active;
}

static void open_domain(struct check_program *program, const struct dkim_key_reader *reader,
                        const char *domain, struct check_findings *findings)
{
    const char *folder =
        am_arena_printf(findings->arena, "%s/%s", program->dkim->managed_keys, domain);
    struct dkim_rotation_domain states;
    struct am_problem note;

    if (folder == NULL) {
        findings->failed = true;
        return;
    }
    bool good = dkim_store_read(folder, &states, &note);
    if (note.text[0] != '\0') {
        check_found(findings, CHECK_KEY_UNUSABLE, folder, "%s", note.text);
        check_mend(findings, "authmilter keys list --directory %s %s", program->dkim->managed_keys,
                   domain);
    }
    for (size_t i = 0; good && i < states.count; i++)
        open_key(program, reader, folder, domain, &states.keys[i], findings);
}

void check_managed_open(struct check_program *program, const struct dkim_key_reader *reader,
                        struct check_findings *findings)
{
    struct dkim_store_names names;
    struct am_problem problem;

    if (program->dkim->managed_keys[0] == '\0')
        return;
    program->managed = am_arena_alloc(findings->arena, KEYS_MAX * sizeof(*program->managed));
    program->managed_active =
        am_arena_alloc(findings->arena, KEYS_MAX * sizeof(*program->managed_active));
    if (program->managed == NULL || program->managed_active == NULL) {
        findings->failed = true;
    } else if (!dkim_store_domains(findings->arena, program->dkim->managed_keys, &names,
                                   &problem)) {
        check_found(findings, CHECK_KEYS_NONE, program->path, "%s", problem.text);
        check_mend(findings, "install -d -m 0700 -o authmilter %s", program->dkim->managed_keys);
    } else {
        for (size_t i = 0; i < names.count; i++)
            open_domain(program, reader, names.items[i], findings);
    }
}

bool check_managed_signs(const struct check_program *program, const char *domain)
{
    for (size_t i = 0; i < program->managed_count; i++)
        if (program->managed_active[i] && strcmp(program->managed[i]->domain, domain) == 0)
            return true;
    return false;
}
