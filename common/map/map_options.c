#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/file.h"
#include "common/map/map_internal.h"
#include "common/map/map_query.h"

/* The section `map`. */

static const struct am_choice kinds[] = {{"ldap", AM_MAP_LDAP},
                                         {"postgresql", AM_MAP_POSTGRESQL},
                                         {"mariadb", AM_MAP_MARIADB},
                                         {"sqlite", AM_MAP_SQLITE},
                                         {NULL, 0}};
static const struct am_choice scopes[] = {
    {"sub", AM_MAP_SCOPE_SUB}, {"one", AM_MAP_SCOPE_ONE}, {"base", AM_MAP_SCOPE_BASE}, {NULL, 0}};

static bool check_path(const char *value, struct am_problem *problem)
{
    return value[0] == '\0' || value[0] == '/' ||
           am_problem_set(problem, "\"%s\" is no full path: let it begin with a slash", value);
}

#define AT(MEMBER) .offset = offsetof(struct am_map_conf, MEMBER)
#define TEXT(NAME, CHECK, HELP)                                                                    \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_TEXT, AT(NAME), .fallback = "", .check = (CHECK),         \
        .help = (HELP)                                                                             \
    }
#define DURATION(NAME, MIN, MAX, FALLBACK, HELP)                                                   \
    {                                                                                              \
        .name = #NAME, .kind = AM_OPTION_DURATION, AT(NAME##_ms), .min = (MIN), .max = (MAX),      \
        .fallback = (FALLBACK), .help = (HELP)                                                     \
    }

static const struct am_option options[] = {
    {.name = "kind",
     .kind = AM_OPTION_CHOICE,
     AT(kind),
     .choices = kinds,
     .fallback = "ldap",
     .help = "what is asked"},
    TEXT(uri, NULL,
         "LDAP: where the server is, as ldap://, ldaps:// or ldapi://; several in order"),
    {.name = "start_tls",
     .kind = AM_OPTION_BOOL,
     AT(start_tls),
     .fallback = "yes",
     .help = "LDAP: encrypt a connection to ldap:// before anything is said"},
    TEXT(base, NULL, "LDAP: where the search begins, a DN"),
    {.name = "scope",
     .kind = AM_OPTION_CHOICE,
     AT(scope),
     .choices = scopes,
     .fallback = "sub",
     .help = "LDAP: how far the search goes"},
    TEXT(filter, am_map_filter_check,
         "LDAP: what is searched; %s address, %u local part, %d domain, %l login"),
    TEXT(attribute, NULL, "LDAP: whose values are the answer; empty: an entry suffices"),
    TEXT(bind_dn, NULL, "LDAP: who asks; empty: anonymous"),
    TEXT(host, NULL, "SQL: host name or address; a path: a unix socket; empty: the usual socket"),
    {.name = "port",
     .kind = AM_OPTION_INT,
     AT(port),
     .min = 0,
     .max = 65535,
     .fallback = "0",
     .help = "SQL: TCP port; 0: the usual one"},
    TEXT(database, NULL, "SQL: name of the database; SQLite: its file"),
    TEXT(user, NULL, "SQL: who asks"),
    TEXT(query, NULL,
         "SQL: with :address, :local, :domain, :login; its first column is the answer"),
    TEXT(password_file, check_path, "file whose first line is the password; empty: none"),
    TEXT(ca_file, check_path, "certificates that vouch for the server; empty: the system's"),
    {.name = "tls",
     .kind = AM_OPTION_BOOL,
     AT(tls),
     .fallback = "yes",
     .help = "SQL over TCP: encrypt, and verify the server's name"},
    {.name = "connections",
     .kind = AM_OPTION_INT,
     AT(connections),
     .min = 1,
     .max = 64,
     .fallback = "4",
     .help = "connections at a time"},
    DURATION(timeout, 100, 60000, "5s", "how long one step with the server may take"),
    {.name = "cache_entries",
     .kind = AM_OPTION_INT,
     AT(cache_entries),
     .min = 0,
     .max = 1000000,
     .fallback = "1000",
     .help = "answers that are kept; 0: none"},
    DURATION(cache_ttl, 0, 86400000, "5m", "how long an answer is kept"),
    DURATION(cache_negative_ttl, 0, 86400000, "30s", "how long it is kept that there is none"),
    {0},
};

const struct am_section am_map_section = {
    .name = "map",
    .help = "a server or a database that is asked about addresses",
    .options = options,
    .size = sizeof(struct am_map_conf),
    .repeated = true,
};

const struct am_map_driver *am_map_driver_of(enum am_map_kind kind)
{
    static const struct am_map_driver *const drivers[AM_MAP_KIND_COUNT] = {
        [AM_MAP_LDAP] = &am_map_ldap,
        [AM_MAP_POSTGRESQL] = &am_map_postgresql,
        [AM_MAP_MARIADB] = &am_map_mariadb,
        [AM_MAP_SQLITE] = &am_map_sqlite,
    };

    return drivers[kind];
}

static bool check_one(const struct am_map_conf *conf, struct am_problem *problem)
{
    const struct am_map_driver *driver = am_map_driver_of((enum am_map_kind)conf->kind);
    struct am_arena *arena = am_arena_new(4096, 0);
    struct am_problem inner;
    bool good;

    if (arena == NULL)
        return am_problem_set(problem, "out of memory");
    if (driver->missing != NULL)
        good = am_problem_set(&inner, "kind: this program was built without %s", driver->missing);
    else
        good = driver->check(conf, arena, &inner);
    am_arena_free(arena);
    return good || am_problem_set(problem, "map \"%s\": %s", conf->title, inner.text);
}

bool am_map_sections_check(const struct am_config *config, struct am_problem *problem)
{
    size_t count = am_config_count(config, am_map_section.name);

    for (size_t i = 0; i < count; i++)
        if (!check_one(am_config_item(config, am_map_section.name, i), problem))
            return false;
    return true;
}

/* --- passwords --- */

bool am_map_password_read(const char *path, struct am_buf *out, struct am_problem *problem)
{
    struct stat info;

    am_buf_init(out, 1024);
    if (path[0] == '\0')
        return true;
    if (stat(path, &info) == 0 && (info.st_mode & S_IRWXO) != 0)
        return am_problem_set(problem, "%s may be read by anybody; mend it with: chmod o-rwx %s",
                              path, path);
    if (!am_file_read(path, out, problem))
        return false;
    out->len = am_span_find(am_buf_span(out), '\n');
    if (out->len > 0 && out->data[out->len - 1] == '\r')
        out->len--;
    if (am_span_find(am_buf_span(out), '\0') < out->len)
        return am_problem_set(problem, "%s holds a NUL in its first line", path);
    if (out->data != NULL)
        out->data[out->len] = '\0';
    return !out->failed || am_problem_set(problem, "%s is too long for a password", path);
}

void am_map_password_wipe(struct am_buf *password)
{
    if (password->data != NULL)
        explicit_bzero(password->data, password->len);
    am_buf_fini(password);
}
