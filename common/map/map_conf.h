#ifndef AM_MAP_MAP_CONF_H
#define AM_MAP_MAP_CONF_H

#include <stdbool.h>
#include <stdint.h>

/* A section `map`: a server, or a database, that is asked about each address. */

enum am_map_kind { AM_MAP_LDAP, AM_MAP_POSTGRESQL, AM_MAP_MARIADB, AM_MAP_SQLITE };
#define AM_MAP_KIND_COUNT 4

enum am_map_scope { AM_MAP_SCOPE_SUB, AM_MAP_SCOPE_ONE, AM_MAP_SCOPE_BASE };

struct am_map_conf {
    const char *title;
    int kind; /* enum am_map_kind */

    /* Of LDAP. */
    const char *uri;  /* ldap://, ldaps://, ldapi://; several with blanks between: tried in order */
    bool start_tls;   /* with ldap:// */
    const char *base; /* DN */
    int scope;        /* enum am_map_scope */
    const char *filter;
    const char *attribute; /* whose values are the answer; "": an entry suffices */
    const char *bind_dn;   /* "": anonymous, or by ldapi:// */

    /* Of SQL. */
    const char *host; /* "": the server's usual unix socket; a path: the folder it is in, or it */
    int64_t port;     /* 0: the usual one */
    const char *database; /* with SQLite a file */
    const char *user;
    const char *query;

    /* Of all. */
    const char *password_file; /* "": none */
    const char *ca_file;       /* "": those of the system */
    bool tls;                  /* SQL over TCP is encrypted and the server's name verified */
    int64_t connections, timeout_ms, cache_entries, cache_ttl_ms, cache_negative_ttl_ms;
};

#endif
