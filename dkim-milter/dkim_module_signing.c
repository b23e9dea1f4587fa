#include "dkim-milter/dkim_module_signing.h"

#include "common/base/table.h"
#include "common/milter/runtime.h"
#include "dkim-milter/dkim_key_path.h"

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

static bool add_names(struct dkim_signing *signing, struct am_arena *arena,
                      const struct dkim_signing_key *key, struct am_problem *problem)
{
    const char *text = deltas_text(arena, key->signed_deltas);
    struct am_problem inner;
    struct am_strlist deltas;

    if (text == NULL)
        return no_memory(problem);
    uint32_t index = (uint32_t)signing->own_count;
    uint32_t held = am_table_put(signing->names_by_deltas, 0, am_span_str(text), index);
    if (held == AM_TABLE_NONE)
        return no_memory(problem);
    if (held != index)
        return true;
    if (!join(arena, &signing->conf->sign_headers, key->signed_deltas, &deltas))
        return no_memory(problem);
    const struct dkim_sign_names *names =
        dkim_sign_names_new(arena, &deltas, &signing->conf->oversign_headers, &inner);
    if (names == NULL)
        return am_problem_set(problem, "the list of fields of key %s: %s", key->name, inner.text);
    signing->own_names[signing->own_count++] = names;
    return true;
}

/* Makes each different list of fields once. */
static bool make_names(struct dkim_signing *signing, struct am_arena *arena,
                       struct am_problem *problem)
{
    size_t count = signing->keys == NULL ? 0 : dkim_keys_count(signing->keys), own = 0;

    signing->names = dkim_sign_names_new(arena, &signing->conf->sign_headers,
                                         &signing->conf->oversign_headers, problem);
    if (signing->names == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        own += dkim_keys_item(signing->keys, i)->signed_deltas != NULL;
    signing->names_by_deltas = am_table_new(arena, own);
    signing->own_names = am_arena_alloc(arena, (own + 1) * sizeof(*signing->own_names));
    if (signing->names_by_deltas == NULL || signing->own_names == NULL)
        return no_memory(problem);
    for (size_t i = 0; i < count; i++) {
        const struct dkim_signing_key *key = dkim_keys_item(signing->keys, i);

        if (key->signed_deltas != NULL && !add_names(signing, arena, key, problem))
            return false;
    }
    return true;
}

static const struct dkim_sign_names *find_names(const struct dkim_signing *signing,
                                                struct am_arena *arena,
                                                const struct dkim_signing_key *key)
{
    const char *text;
    uint32_t index;

    if (key->signed_deltas == NULL)
        return signing->names;
    text = deltas_text(arena, key->signed_deltas);
    if (text == NULL)
        return NULL;
    index = am_table_get(signing->names_by_deltas, 0, am_span_str(text));
    return index == AM_TABLE_NONE ? NULL : signing->own_names[index];
}

bool dkim_signing_request(const struct dkim_signing *signing, struct am_arena *arena,
                          const struct dkim_signing_key *key, struct dkim_sign_request *request)
{
    const struct dkim_conf *conf = signing->conf;

    *request = (struct dkim_sign_request){
        .domain = key->domain,
        .selector = key->selector,
        .identity = key->identity,
        .key = key->key,
        .names = find_names(signing, arena, key),
        .header_canon = (enum dkim_canon)(conf->sign_canonicalization / DKIM_CANON_COUNT),
        .body_canon = (enum dkim_canon)(conf->sign_canonicalization % DKIM_CANON_COUNT),
        .expire_s = key->expire_s >= 0 ? key->expire_s : conf->sign_expire_ms / 1000,
        .timestamp = conf->sign_timestamp,
        .copied_fields = conf->sign_copied_headers,
    };
    return request->names != NULL;
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

struct dkim_signing *dkim_signing_open(const struct dkim_conf *conf, const struct am_conf_env *env,
                                       struct am_problem *problem)
{
    struct dkim_signing *signing = am_arena_alloc(env->arena, sizeof(*signing));
    bool has_keys = conf->mode != DKIM_MODE_VERIFY &&
                    (conf->key_directory[0] != '\0' || conf->signing_table[0] != '\0');

    if (signing == NULL ||
        (signing->rules.sign_networks = am_netset_of(env->arena, &conf->sign_networks)) == NULL) {
        no_memory(problem);
        return NULL;
    }
    signing->conf = conf;
    signing->rules.mode = (enum dkim_mode)conf->mode;
    signing->rules.has_keys = has_keys;
    signing->rules.sign_authenticated = conf->sign_authenticated;
    signing->rules.sign_local = conf->sign_local;
    signing->rules.sign_daemons = &conf->sign_daemons;
    if (has_keys && !open_keys(signing, env, problem))
        return NULL;
    if (has_keys && conf->login_binding == DKIM_LOGIN_MAP && !open_map(signing, env, problem))
        return NULL;
    if (!make_names(signing, env->arena, problem))
        return NULL;
    /* Without a resolver the configuration is only checked. */
    if (has_keys && env->resolver != NULL)
        signing->published = dkim_published_start(signing->keys, env->resolver, env->clock);
    return signing;
}

void dkim_signing_close(struct dkim_signing *signing)
{
    if (signing != NULL)
        dkim_published_stop(signing->published);
}
