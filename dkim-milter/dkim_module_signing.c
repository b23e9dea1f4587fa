#include "dkim-milter/dkim_module_signing.h"

#include "common/base/table.h"
#include "common/milter/runtime.h"
#include "dkim-milter/dkim_key_path.h"
#include "dkim-milter/dkim_module_managed.h"

static void log_sentence(void *user, const char *sentence)
{
    (void)user;
    am_log(AM_LOG_WARNING, "dkim: %s", sentence);
}

static bool watch(void *user, const char *path)
{
    return am_conf_env_watch(user, path);
}

static bool watch_writes(void *user, const char *path)
{
    return am_conf_env_watch_writes(user, path);
}

static bool no_memory(struct am_problem *problem)
{
    return am_problem_set(problem, "out of memory");
}

/* --- which fields a key signs --- */

/* Returns the text that stands for a list of deltas in the table. */
static const char *deltas_text(struct am_arena *arena, const struct am_strlist *deltas)
{
    const char *text = "";

    for (size_t i = 0; text != NULL && i < deltas->count; i++)
        text = am_arena_printf(arena, "%s%s\n", text, deltas->items[i]);
    return text;
}

/* Joins the configuration's deltas and those of a key, which come later and so decide. */
static bool join(struct am_arena *arena, const struct am_strlist *a, const struct am_strlist *b,
                 struct am_strlist *out)
{
    out->items = am_arena_alloc(arena, (a->count + b->count + 1) * sizeof(*out->items));
    out->count = a->count + b->count;
    if (out->items == NULL)
        return false;
    for (size_t i = 0; i < a->count; i++)
        out->items[i] = a->items[i];
    for (size_t i = 0; i < b->count; i++)
        out->items[a->count + i] = b->items[i];
    return true;
}

/* What is known while the lists are made. */
struct making {
    struct am_arena *arena;
    const struct dkim_conf *conf;
    struct am_table *numbers; /* by deltas: of the first key that has them */
};

/* Makes the list of a key with deltas of its own, or finds that of another with the same. */
static const struct dkim_sign_names *own_names(const struct making *making,
                                               const struct dkim_sign_names **made,
                                               const struct dkim_signing_key *key,
                                               struct am_problem *problem)
{
    const char *text = deltas_text(making->arena, key->signed_deltas);
    uint32_t number = (uint32_t)key->number, held = AM_TABLE_NONE;
    struct am_problem inner;
    struct am_strlist deltas;

    if (text != NULL)
        held = am_table_put(making->numbers, 0, am_span_str(text), number);
    if (held != AM_TABLE_NONE && held != number)
        return made[held];
    if (held == AM_TABLE_NONE ||
        !join(making->arena, &making->conf->sign_headers, key->signed_deltas, &deltas)) {
        no_memory(problem);
        return NULL;
    }
    const struct dkim_sign_names *names =
        dkim_sign_names_new(making->arena, &deltas, &making->conf->oversign_headers, &inner);
    if (names == NULL)
        am_problem_set(problem, "the list of fields of key %s: %s", key->name, inner.text);
    return names;
}

/* Makes each different list of fields once, that of the configuration even without keys. */
static bool make_names(struct dkim_signing *signing, struct am_arena *arena,
                       struct am_problem *problem)
{
    size_t count = signing->keys == NULL ? 0 : dkim_keys_count(signing->keys);
    const struct making making = {arena, signing->conf, am_table_new(arena, count)};
    const struct dkim_sign_names *usual = dkim_sign_names_new(
        arena, &signing->conf->sign_headers, &signing->conf->oversign_headers, problem);

    if (usual == NULL)
        return false;
    signing->usual = usual;
    signing->names = am_arena_alloc(arena, (count + 1) * sizeof(*signing->names));
    if (making.numbers == NULL || signing->names == NULL)
        return no_memory(problem);
    for (size_t i = 0; i < count; i++) {
        const struct dkim_signing_key *key = dkim_keys_item(signing->keys, i);

        signing->names[i] =
            key->signed_deltas == NULL ? usual : own_names(&making, signing->names, key, problem);
        if (signing->names[i] == NULL)
            return false;
    }
    return true;
}

struct dkim_sign_request dkim_signing_request(const struct dkim_signing *signing,
                                              const struct dkim_signing_key *key)
{
    const struct dkim_conf *conf = signing->conf;

    return (struct dkim_sign_request){
        .domain = key->domain,
        .selector = key->selector,
        .identity = key->identity,
        .key = key->key,
        .names = key->number == DKIM_KEY_NO_NUMBER ? signing->usual : signing->names[key->number],
        .header_canon = (enum dkim_canon)(conf->sign_canonicalization / DKIM_CANON_COUNT),
        .body_canon = (enum dkim_canon)(conf->sign_canonicalization % DKIM_CANON_COUNT),
        .expire_s = key->expire_s >= 0 ? key->expire_s : conf->sign_expire_ms / 1000,
        .timestamp = conf->sign_timestamp,
        .copied_fields = conf->sign_copied_headers,
    };
}

/* --- opening --- */

static bool open_keys(struct dkim_signing *signing, const struct am_conf_env *env,
                      struct am_problem *problem)
{
    const struct dkim_conf *conf = signing->conf;
    const struct am_milter_options *milter = am_config_section(env->config, "milter");
    struct dkim_keys_source source = {conf->key_directory, conf->key_table, conf->signing_table};
    struct dkim_key_reader reader;
    struct dkim_keys_env keys_env = {.arena = env->arena,
                                     .reader = &reader,
                                     .watch = watch,
                                     .watch_writes = watch_writes,
                                     .user = (void *)env};

    if (!dkim_key_reader_find(&reader, milter == NULL ? "" : milter->user,
                              milter == NULL ? "" : milter->group, problem))
        return false;
    const struct dkim_keys *keys = dkim_keys_open(&source, &keys_env, problem);
    if (keys == NULL)
        return false;
    signing->keys = keys;
    for (const struct dkim_keys_warning *warning = dkim_keys_warnings(keys); warning != NULL;
         warning = warning->next)
        log_sentence(NULL, warning->sentence);
    if (dkim_keys_count(keys) == 0) {
        log_sentence(NULL, "no key could be used: nothing is signed");
        /* systemd starts us as the user who signs; root who checks the file is another one. */
        if (reader.uid == 0 && dkim_keys_warnings(keys) != NULL)
            log_sentence(NULL, "the key files were judged for root: name the user that signs in "
                               "milter.user, or run this as that user");
    }
    return true;
}

static bool open_map(struct dkim_signing *signing, const struct am_conf_env *env,
                     struct am_problem *problem)
{
    const char *path = signing->conf->login_map;
    struct dkim_login_complaints complaints = {log_sentence, NULL};
    struct am_problem inner;

    if (!am_conf_env_watch(env, path))
        am_log(AM_LOG_WARNING, "dkim: %s cannot be watched for changes: reload when it changes",
               path);
    signing->logins = dkim_login_map_load(env->arena, path, &complaints, &inner);
    return signing->logins != NULL || am_problem_set(problem, "dkim.login_map: %s", inner.text);
}

static void fill_rules(struct dkim_role_rules *rules, const struct dkim_conf *conf, bool has_keys)
{
    rules->mode = (enum dkim_mode)conf->mode;
    rules->has_keys = has_keys;
    rules->sign_authenticated = conf->sign_authenticated;
    rules->sign_local = conf->sign_local;
    rules->sign_daemons = &conf->sign_daemons;
}

struct dkim_signing *dkim_signing_open(const struct dkim_conf *conf, const struct am_conf_env *env,
                                       const struct dkim_signing *former,
                                       struct am_problem *problem)
{
    struct dkim_signing *signing = am_arena_alloc(env->arena, sizeof(*signing));
    bool signs = conf->mode != DKIM_MODE_VERIFY,
         has_keys = signs && (conf->key_directory[0] != '\0' || conf->signing_table[0] != '\0'),
         has_managed = signs && conf->managed_keys[0] != '\0';

    if (signing == NULL ||
        (signing->rules.sign_networks = am_netset_of(env->arena, &conf->sign_networks)) == NULL) {
        no_memory(problem);
        return NULL;
    }
    signing->conf = conf;
    fill_rules(&signing->rules, conf, has_keys || has_managed);
    if (has_keys && !open_keys(signing, env, problem))
        return NULL;
    if (signing->rules.has_keys && conf->login_binding == DKIM_LOGIN_MAP &&
        !open_map(signing, env, problem))
        return NULL;
    if (!make_names(signing, env->arena, problem))
        return NULL;
    /* From here on there is something to close. */
    if (has_managed && (signing->managed = dkim_managed_open(
                            conf, env, former == NULL ? NULL : former->managed, problem)) == NULL)
        return NULL;
    /* A zone file makes a resolver even where the configuration is only checked. */
    if (has_keys && env->resolver != NULL && !env->check_only)
        signing->published = dkim_published_start(signing->keys, env->resolver, env->clock);
    return signing;
}

void dkim_signing_close(struct dkim_signing *signing)
{
    if (signing == NULL)
        return;
    dkim_published_stop(signing->published);
    dkim_rotor_drop(signing->managed);
}
