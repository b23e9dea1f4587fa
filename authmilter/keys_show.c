#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "authmilter/command.h"
#include "authmilter/keys.h"
#include "authmilter/tool_json.h"
#include "authmilter/tool_key.h"
#include "authmilter/tool_keygen.h"
#include "common/dns/dns_live.h"
#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_published.h"

/* Managed keys and their states, for people and for scripts. */

/* The name servers, each with a resolver of its own and without a cache; none for list. */
struct views {
    struct am_resolver *resolvers[DKIM_ROTATION_VIEWS_MAX];
    char names[DKIM_ROTATION_VIEWS_MAX][AM_DNS_LIVE_SERVER_TEXT];
    size_t count;
};

struct showing {
    const struct keys_arguments *args;
    struct am_arena *arena;
    struct views views;
    json_t *domains; /* NULL: as text */
    bool warned;
};

static bool open_views(struct views *views, const struct tool_dns *dns, struct am_problem *problem)
{
    const struct am_dns_live_options all = {.nameservers = dns->nameservers,
                                            .nameserver_count = dns->count};

    if (dns->zone != NULL) {
        strcpy(views->names[0], "the zone file");
        views->resolvers[0] = am_dns_zone_load(dns->zone, problem);
        views->count = views->resolvers[0] != NULL;
        return views->count > 0;
    }
    if (!am_dns_live_list(&all, views->names, DKIM_ROTATION_VIEWS_MAX, &views->count, problem))
        return false;
    for (size_t i = 0; i < views->count; i++) {
        const char *name = views->names[i];
        const struct am_dns_live_options one = {.nameservers = &name,
                                                .nameserver_count = 1,
                                                .timeout_ms = 2000,
                                                .attempts = 2,
                                                .clock = am_clock_system()};

        views->resolvers[i] = am_dns_live_new(&one, problem);
        if (views->resolvers[i] == NULL)
            return false;
    }
    return true;
}

/* Asks every name server for a key. */
static void ask(struct showing *showing, const char *domain, struct dkim_rotation_key *key,
                const struct dkim_private_key *private_key, const char *path)
{
    const struct dkim_signing_key row = {
        .domain = domain, .selector = key->selector, .path = path, .key = private_key};
    const char *name = am_arena_printf(showing->arena, "%s._domainkey.%s", key->selector, domain);
    int64_t deadline_us = am_deadline_in_ms(am_clock_system(), 10000);

    for (size_t i = 0; i < showing->views.count && name != NULL; i++) {
        struct am_dns_query *query =
            am_dns_start(showing->views.resolvers[i], name, AM_DNS_TXT, deadline_us);
        const struct am_dns_answer *answer = am_dns_wait(query);

        key->sights[i] = dkim_published_judge(showing->arena, &row, answer).sight;
        am_dns_release(query);
    }
}

/* What is to be said about a key; NULL: nothing. */
static const char *warning_of(const struct showing *showing, const struct dkim_rotation_key *key,
                              const char *unusable)
{
    bool in_use = key->state == DKIM_ROTATION_ACTIVE;
    enum dkim_sight wrong;

    (void)dkim_rotation_verdict(key, showing->views.count, &wrong);
    if (unusable != NULL)
        return unusable;
    if (in_use && wrong != DKIM_SIGHT_NONE)
        return am_arena_printf(showing->arena, "its record is %s in the DNS: publish it again",
                               dkim_sight_word(wrong));
    if (in_use && key->trouble != DKIM_SIGHT_NONE)
        return am_arena_printf(showing->arena, "%s has found its record %s", key->trouble_by,
                               dkim_sight_word(key->trouble));
    return NULL;
}

static const char *write_time(int64_t time_s, char out[32])
{
    time_t time = (time_t)time_s;
    struct tm parts;

    if (gmtime_r(&time, &parts) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M", &parts) == 0)
        snprintf(out, 32, "%" PRId64, time_s);
    return out;
}

static void print_key(const struct showing *showing, const struct dkim_rotation_key *key,
                      const char *warning)
{
    char since[32], until[32];

    printf("    %-16s %-8s %-9s since %s UTC", key->selector, dkim_key_type_word(key->type),
           dkim_rotation_state_word(key->state), write_time(key->since_s, since));
    if (dkim_rotation_is_over(key, time(NULL)))
        printf("; its record may go: authmilter keys purge");
    else if (key->state == DKIM_ROTATION_RETIRED)
        printf("; its record stays until %s UTC", write_time(key->keep_until_s, until));
    else if (key->right_by[0] != '\0')
        printf("; shown for %" PRId64 " s at least, of %" PRIu32, key->right_s, key->ttl_s);
    puts("");
    for (size_t i = 0; i < showing->views.count; i++)
        printf("        %s shows it as %s\n", showing->views.names[i],
               dkim_sight_word(key->sights[i]));
    if (warning != NULL)
        printf("        warning: %s\n", warning);
}

static json_t *key_json(const struct showing *showing, const struct dkim_rotation_key *key,
                        const char *warning)
{
    json_t *views = showing->views.count == 0 ? json_null() : json_array();
    bool has_trouble = key->trouble != DKIM_SIGHT_NONE;

    for (size_t i = 0; i < showing->views.count; i++)
        json_array_append_new(views, json_pack("{s:s, s:s}", "server", showing->views.names[i],
                                               "shows", dkim_sight_word(key->sights[i])));
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "selector", key->selector, "type",
                  dkim_key_type_word(key->type), "state", dkim_rotation_state_word(key->state),
                  "created", (json_int_t)key->created_s, "since", (json_int_t)key->since_s, "ttl",
                  (json_int_t)key->ttl_s, "dns", views, "warning", tool_json_str(warning));
    if (object == NULL)
        return NULL;
    json_object_set_new(object, "keep_until",
                        key->state == DKIM_ROTATION_RETIRED ? json_integer(key->keep_until_s)
                                                            : json_null());
    json_object_set_new(
        object, "seen",
        key->right_by[0] == '\0'
            ? json_null()
            : json_pack("{s:I, s:s}", "seconds", (json_int_t)key->right_s, "by", key->right_by));
    json_object_set_new(
        object, "trouble",
        has_trouble ? json_pack("{s:s, s:I, s:s}", "what", dkim_sight_word(key->trouble), "since",
                                (json_int_t)key->trouble_since_s, "by", key->trouble_by)
                    : json_null());
    return object;
}

static bool show_key(struct showing *showing, const char *folder, const char *domain,
                     struct dkim_rotation_key *key, json_t *keys)
{
    struct am_problem problem;
    const char *path = am_arena_printf(showing->arena, "%s/%s.pem", folder, key->selector);
    struct dkim_private_key *private_key = path == NULL ? NULL : tool_key_load(path, &problem);

    if (path == NULL)
        return false;
    if (private_key != NULL)
        ask(showing, domain, key, private_key, path);
    const char *warning = warning_of(showing, key, private_key == NULL ? problem.text : NULL);
    dkim_private_key_free(private_key);
    showing->warned = showing->warned || warning != NULL;
    if (keys != NULL)
        return json_array_append_new(keys, key_json(showing, key, warning)) == 0;
    print_key(showing, key, warning);
    return true;
}

static int show_domain(struct showing *showing, const char *folder, const char *domain)
{
    struct dkim_rotation_domain states;
    struct am_problem note;
    bool good = dkim_store_read(folder, &states, &note);
    json_t *keys = showing->domains == NULL ? NULL : json_array();

    if (!good && states.generation == 0)
        return tool_unavailable(&keys_usage, note.text);
    if (note.text[0] != '\0') {
        fprintf(stderr, "authmilter keys: warning: %s\n", note.text);
        showing->warned = true;
    }
    if (keys == NULL)
        printf("%s (generation %" PRIu64 ")\n", domain, states.generation);
    good = true;
    for (size_t i = 0; i < states.count && good; i++)
        good = show_key(showing, folder, domain, &states.keys[i], keys);
    if (good && keys != NULL)
        good = json_array_append_new(showing->domains,
                                     json_pack("{s:s, s:I, s:o}", "domain", domain, "generation",
                                               (json_int_t)states.generation, "keys", keys)) == 0;
    return good ? 0 : tool_unavailable(&keys_usage, "out of memory");
}

static int show_all(struct showing *showing)
{
    const struct keys_arguments *args = showing->args;
    struct dkim_store_names names;
    struct am_problem problem;
    const char *domain;
    int status = 0;

    if (args->words[1] != NULL) {
        const char *folder = keys_folder(args, showing->arena, &domain, &status);
        return folder == NULL ? status : show_domain(showing, folder, domain);
    }
    if (!dkim_store_domains(showing->arena, args->directory, &names, &problem))
        return tool_unavailable(&keys_usage, problem.text);
    for (size_t i = 0; i < names.count && status == 0; i++) {
        const char *folder =
            am_arena_printf(showing->arena, "%s/%s", args->directory, names.items[i]);
        status = folder == NULL ? tool_unavailable(&keys_usage, "out of memory")
                                : show_domain(showing, folder, names.items[i]);
    }
    return status;
}

int keys_show(const struct keys_arguments *args, struct am_arena *arena, bool with_dns)
{
    struct showing showing = {.args = args, .arena = arena};
    struct am_problem problem;
    int status = 0;

    if (with_dns && !open_views(&showing.views, &args->dns, &problem))
        status = tool_unavailable(&keys_usage, problem.text);
    if (args->json)
        showing.domains = json_array();
    if (status == 0)
        status = show_all(&showing);
    if (status == 0 && args->json &&
        !tool_json_print(json_pack("{s:i, s:s, s:O}", "schema", 1, "directory", args->directory,
                                   "domains", showing.domains),
                         stdout))
        status = tool_unavailable(&keys_usage, "out of memory");
    json_decref(showing.domains);
    for (size_t i = 0; i < DKIM_ROTATION_VIEWS_MAX; i++)
        am_resolver_free(showing.views.resolvers[i]);
    return status == 0 && showing.warned ? KEYS_EXIT_WARNINGS : status;
}

int keys_record(const struct keys_arguments *args, struct am_arena *arena)
{
    struct dkim_store_names names;
    struct am_problem problem;
    const char *domain;
    int status = 0;
    size_t found = 0;
    const char *folder = keys_folder(args, arena, &domain, &status);

    if (folder == NULL)
        return status;
    if (!dkim_store_selectors(arena, folder, &names, &problem))
        return tool_unavailable(&keys_usage, problem.text);
    for (size_t i = 0; i < names.count; i++) {
        if (args->words[2] != NULL && strcmp(args->words[2], names.items[i]) != 0)
            continue;
        const char *path = am_arena_printf(arena, "%s/%s.pem", folder, names.items[i]);
        const char *name = am_arena_printf(arena, "%s._domainkey.%s", names.items[i], domain);
        struct dkim_private_key *key = path == NULL ? NULL : tool_key_load(path, &problem);
        const char *record = key == NULL ? NULL : dkim_key_record_write(arena, key);

        dkim_private_key_free(key);
        if (name == NULL || record == NULL)
            return tool_unavailable(&keys_usage, problem.text);
        tool_key_print_record(name, record);
        found++;
    }
    return found > 0 ? 0 : tool_unavailable(&keys_usage, "there is no such key");
}
