#include "common/milter/runtime.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/dns/dns_live.h"
#include "common/dns/dns_zone.h"
#include "common/milter/capture.h"
#include "common/milter/listener.h"
#include "common/milter/runtime_modules.h"

/* Most bytes that the derived objects of one configuration take. */
#define ARENA_LIMIT ((size_t)256 << 20)

/* Things that several runtimes in a row may share. */
struct config_owner {
    struct am_snapshot snapshot;
    struct am_config *config;
};

struct resolver_owner {
    struct am_snapshot snapshot;
    struct am_resolver *resolver;
};

static void config_owner_destroy(struct am_snapshot *self)
{
    struct config_owner *owner = (struct config_owner *)self;
    am_config_free(owner->config);
    free(owner);
}

static void resolver_owner_destroy(struct am_snapshot *self)
{
    struct resolver_owner *owner = (struct resolver_owner *)self;
    am_resolver_free(owner->resolver);
    free(owner);
}

static void runtime_destroy(struct am_snapshot *self)
{
    struct am_runtime *runtime = (struct am_runtime *)self;
    for (size_t i = runtime->module_count; i-- > 0;) {
        struct am_runtime_module *entry = &runtime->modules[i];
        if (entry->opened && entry->module->conf_close != NULL)
            entry->module->conf_close(entry->derived);
    }
    am_arena_free(runtime->arena);
    am_snapshot_drop(runtime->resolver_owner);
    am_snapshot_drop(runtime->config_owner);
    free(runtime);
}

static bool no_memory(struct am_problem *problem)
{
    return am_problem_set(problem, "memory is short");
}

/* --- configuration --- */

/* A reload cannot move the socket or change the user: the old values stay, and the log says so. */
static void keep_start_only(struct am_config *config, const struct am_runtime *former)
{
    struct am_buf names;
    am_buf_init(&names, 1024);
    if (am_config_keep_start_only(config, former->config, &names) > 0)
        am_log(AM_LOG_WARNING, "changed, but in force only after a restart: %s",
               am_buf_str(&names));
    if (!am_listeners_are_equal(config, former->config))
        am_log(AM_LOG_WARNING, "changed, but in force only after a restart: section listener");
    am_buf_fini(&names);
}

static bool load_config(struct am_runtime *runtime, const struct am_runtime_source *source,
                        struct am_runtime *former, struct am_problem *problem)
{
    if (former != NULL && source->keep_config) {
        am_snapshot_ref(former->config_owner);
        runtime->config_owner = former->config_owner;
        runtime->config = former->config;
    } else {
        struct config_owner *owner = malloc(sizeof(*owner));
        if (owner == NULL)
            return no_memory(problem);
        am_snapshot_init(&owner->snapshot, config_owner_destroy);
        owner->config = source->text == NULL
                            ? am_config_load(source->schema, source->path, source->overrides,
                                             source->override_count, problem)
                            : am_config_parse(source->schema, source->text, source->path,
                                              source->overrides, source->override_count, problem);
        runtime->config_owner = &owner->snapshot;
        runtime->config = owner->config;
        if (owner->config == NULL)
            return false;
        if (former != NULL)
            keep_start_only(owner->config, former);
    }
    if (!am_listeners_check(runtime->config, problem) ||
        !am_capture_check(runtime->config, problem))
        return false;
    runtime->milter = am_config_section(runtime->config, "milter");
    runtime->authres = am_config_section(runtime->config, "authres");
    return true;
}

static bool set_host_name(struct am_runtime *runtime, struct am_problem *problem)
{
    char name[HOST_NAME_MAX + 1] = "";
    if (gethostname(name, sizeof(name)) != 0 || name[0] == '\0')
        strcpy(name, "localhost");
    name[HOST_NAME_MAX] = '\0';
    runtime->host_name = am_arena_copy(runtime->arena, am_span_str(name));
    return runtime->host_name != NULL || no_memory(problem);
}

/* --- the resolver --- */

static struct am_resolver *make_resolver(const struct am_dns_options *dns,
                                         const struct am_runtime_source *source,
                                         struct am_problem *problem)
{
    if (dns->zone[0] != '\0')
        return am_dns_zone_load(dns->zone, problem);
    struct am_dns_live_options options = {
        .nameservers = dns->nameservers.items,
        .nameserver_count = dns->nameservers.count,
        .timeout_ms = dns->timeout_ms,
        .attempts = (unsigned)dns->attempts,
        .cache_entries = (size_t)dns->cache_size,
        .cache_bytes = (size_t)dns->cache_bytes,
        .clock = source->clock,
        .before_wait = source->before_wait,
    };
    return am_dns_live_new(&options, problem);
}

/* A live resolver and its warm cache are kept while nothing about them changed; a zone is read
 * anew. */
static bool may_share(const struct am_runtime *runtime, const struct am_runtime *former)
{
    return former != NULL && former->resolver_is_live &&
           am_config_digest(runtime->config, "dns") == am_config_digest(former->config, "dns");
}

static bool open_resolver(struct am_runtime *runtime, const struct am_runtime_source *source,
                          struct am_runtime *former, struct am_problem *problem)
{
    const struct am_dns_options *dns = am_config_section(runtime->config, "dns");
    if (source->resolver != NULL) {
        runtime->resolver = source->resolver;
        return true;
    }
    if (source->check_only && dns->zone[0] == '\0')
        return true;
    if (may_share(runtime, former)) {
        am_snapshot_ref(former->resolver_owner);
        runtime->resolver_owner = former->resolver_owner;
        runtime->resolver = former->resolver;
        runtime->resolver_is_live = true;
        return true;
    }
    struct resolver_owner *owner = calloc(1, sizeof(*owner));
    if (owner == NULL)
        return no_memory(problem);
    am_snapshot_init(&owner->snapshot, resolver_owner_destroy);
    runtime->resolver_owner = &owner->snapshot;
    owner->resolver = make_resolver(dns, source, problem);
    runtime->resolver = owner->resolver;
    runtime->resolver_is_live = dns->zone[0] == '\0';
    return owner->resolver != NULL;
}

/* --- modules --- */

/* Makes room for twice as many paths; the former lists stay in the arena until it goes. */
static bool grow_watches(struct am_watches *watches, struct am_arena *arena)
{
    size_t capacity = watches->capacity == 0 ? 16 : watches->capacity * 2;
    struct am_watch_path *items = am_arena_alloc(arena, capacity * sizeof(*items));
    struct am_table *known = am_table_new(arena, capacity);
    if (capacity > AM_WATCHES_MAX || items == NULL || known == NULL)
        return false;
    for (size_t i = 0; i < watches->count; i++) {
        items[i] = watches->items[i];
        if (am_table_put(known, items[i].writes, am_span_str(items[i].path), (uint32_t)i) != i)
            return false;
    }
    watches->items = items;
    watches->known = known;
    watches->capacity = capacity;
    return true;
}

static bool add_watch(const struct am_conf_env *env, const char *path, bool writes)
{
    struct am_watches *watches = env->watches;
    struct am_span key = am_span_str(path);
    if (watches == NULL)
        return true;
    if (watches->known != NULL && am_table_get(watches->known, writes, key) != AM_TABLE_NONE)
        return true;
    if (watches->count == watches->capacity && !grow_watches(watches, env->arena))
        return false;
    char *copy = am_arena_copy(env->arena, key);
    if (copy == NULL ||
        am_table_put(watches->known, writes, key, (uint32_t)watches->count) != watches->count)
        return false;
    watches->items[watches->count++] = (struct am_watch_path){copy, writes};
    return true;
}

bool am_conf_env_watch(const struct am_conf_env *env, const char *path)
{
    return add_watch(env, path, false);
}

bool am_conf_env_watch_writes(const struct am_conf_env *env, const char *path)
{
    return add_watch(env, path, true);
}

/* The stages a module has a callback for. */
static unsigned stages_of(const struct am_module *module)
{
    return (module->connect != NULL ? AM_STAGE_CONNECT : 0U) |
           (module->helo != NULL ? AM_STAGE_HELO : 0U) |
           (module->envfrom != NULL ? AM_STAGE_ENVFROM : 0U) |
           (module->envrcpt != NULL ? AM_STAGE_ENVRCPT : 0U) |
           (module->data != NULL ? AM_STAGE_DATA : 0U) |
           (module->header != NULL ? AM_STAGE_HEADER : 0U) |
           (module->eoh != NULL ? AM_STAGE_EOH : 0U) | (module->body != NULL ? AM_STAGE_BODY : 0U) |
           (module->eom != NULL ? AM_STAGE_EOM : 0U) |
           (module->unknown != NULL ? AM_STAGE_UNKNOWN : 0U);
}

/* What the runtime in force made of a module's configuration. */
static const void *former_derived(const struct am_runtime *former, const struct am_module *module)
{
    for (size_t i = 0; former != NULL && i < former->module_count; i++)
        if (former->modules[i].module == module && former->modules[i].opened)
            return former->modules[i].derived;
    return NULL;
}

static bool open_module(struct am_runtime *runtime, struct am_runtime_module *entry,
                        const struct am_runtime_source *source, const struct am_runtime *former,
                        struct am_problem *problem)
{
    const struct am_module *module = entry->module;
    struct am_conf_env env = {
        .config = runtime->config,
        .resolver = runtime->resolver,
        .clock = runtime->clock,
        .arena = runtime->arena,
        .watches = &runtime->watches,
        .former = former_derived(former, module),
        .counters = runtime->counters,
        .check_only = source->check_only,
    };
    if (module->conf_open != NULL &&
        !module->conf_open(entry->conf, &env, &entry->derived, problem))
        return false;
    entry->opened = true;
    entry->wants = stages_of(module);
    if (module->wants != NULL)
        entry->wants &= module->wants(entry->conf, entry->derived);
    entry->answers = entry->wants;
    if (module->answers != NULL)
        entry->answers &= module->answers(entry->conf, entry->derived);
    return true;
}

static bool open_modules(struct am_runtime *runtime, const struct am_runtime_source *source,
                         const struct am_runtime *former, struct am_problem *problem)
{
    /* All checks first: they are cheap and pure, opening may read files. */
    for (size_t i = 0; i < runtime->module_count; i++) {
        struct am_runtime_module *entry = &runtime->modules[i];
        if (entry->module->conf_check != NULL &&
            !entry->module->conf_check(entry->conf, runtime->config, problem))
            return false;
    }
    for (size_t i = 0; i < runtime->module_count; i++)
        if (!open_module(runtime, &runtime->modules[i], source, former, problem))
            return false;
    return true;
}

/* --- the whole --- */

struct am_runtime *am_runtime_load(const struct am_runtime_source *source,
                                   struct am_runtime *former, struct am_problem *problem)
{
    struct am_runtime *runtime = calloc(1, sizeof(*runtime));
    if (runtime == NULL) {
        no_memory(problem);
        return NULL;
    }
    am_snapshot_init(&runtime->snapshot, runtime_destroy);
    runtime->clock = source->clock;
    runtime->counters = source->counters;
    runtime->recent = source->recent;
    runtime->top = source->top;
    runtime->reporter = source->reporter;
    runtime->program = source->program == NULL ? "" : source->program;
    runtime->generation = former == NULL ? 1 : former->generation + 1;
    runtime->arena = am_arena_new(4096, ARENA_LIMIT);
    if (runtime->arena == NULL)
        no_memory(problem);
    if (runtime->arena != NULL && set_host_name(runtime, problem) &&
        load_config(runtime, source, former, problem) &&
        am_runtime_list_modules(runtime, source->modules, problem) &&
        open_resolver(runtime, source, former, problem) &&
        open_modules(runtime, source, former, problem))
        return runtime;
    am_snapshot_drop(&runtime->snapshot);
    return NULL;
}
