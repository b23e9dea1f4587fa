#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ldap.h>

#include "common/map/map_internal.h"
#include "common/map/map_query.h"

/* LDAP, by OpenLDAP's library. */

struct am_map_connection {
    const struct am_map_conf *conf;
    LDAP *ldap;
};

/* The scheme says whether a connection begins encrypted: servers of one list are all alike. */
static bool check_schemes(const char *uri, struct am_problem *problem)
{
    size_t scheme = strcspn(uri, ":");

    for (const char *p = uri; *p != '\0'; p += strcspn(p, " "), p += strspn(p, " ")) {
        bool known = strncasecmp(p, "ldap://", 7) == 0 || strncasecmp(p, "ldaps://", 8) == 0 ||
                     strncasecmp(p, "ldapi://", 8) == 0;
        if (!known || strncasecmp(p, uri, scheme + 1) != 0)
            return am_problem_set(problem,
                                  "uri: \"%s\": write servers as ldap://, ldaps:// or "
                                  "ldapi://, all alike, with a blank between",
                                  uri);
    }
    return true;
}

static bool check(const struct am_map_conf *conf, struct am_arena *arena,
                  struct am_problem *problem)
{
    (void)arena;
    if (!check_schemes(conf->uri, problem))
        return false;
    if (conf->uri[0] == '\0')
        return am_problem_set(problem, "uri is empty: write ldaps://ldap.example.org");
    if (conf->filter[0] == '\0')
        return am_problem_set(problem, "filter is empty: write (mail=%%s)");
    if (conf->password_file[0] != '\0' && conf->bind_dn[0] == '\0')
        return am_problem_set(problem, "password_file says nothing without bind_dn");
    return true;
}

static struct timeval time_of(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

/* ldap: may be NULL. */
static bool fail(LDAP *ldap, const char *what, int status, struct am_problem *problem)
{
    char *detail = NULL;

    if (ldap != NULL)
        (void)ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
    am_problem_set(problem, "LDAP: %s: %s%s%s", what, ldap_err2string(status),
                   detail == NULL || *detail == '\0' ? "" : ": ", detail == NULL ? "" : detail);
    ldap_memfree(detail);
    return false;
}

static bool set_options(LDAP *ldap, const struct am_map_conf *conf, int64_t timeout_ms,
                        struct am_problem *problem)
{
    const struct timeval patience = time_of(timeout_ms);
    const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, zero = 0;
    int status = ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version);

    if (status == LDAP_OPT_SUCCESS)
        status = ldap_set_option(ldap, LDAP_OPT_NETWORK_TIMEOUT, &patience);
    if (status == LDAP_OPT_SUCCESS)
        status = ldap_set_option(ldap, LDAP_OPT_TIMEOUT, &patience);
    /* What a server says must not send us elsewhere. */
    if (status == LDAP_OPT_SUCCESS)
        status = ldap_set_option(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    if (status == LDAP_OPT_SUCCESS)
        status = ldap_set_option(ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    if (status == LDAP_OPT_SUCCESS && conf->ca_file[0] != '\0')
        status = ldap_set_option(ldap, LDAP_OPT_X_TLS_CACERTFILE, conf->ca_file);
    if (status == LDAP_OPT_SUCCESS)
        status = ldap_set_option(ldap, LDAP_OPT_X_TLS_NEWCTX, &zero);
    return status == LDAP_OPT_SUCCESS || fail(ldap, "an option is not taken", status, problem);
}

/* Tells whether every server is reached by ldap://, where a connection begins unencrypted. */
static bool begins_plain(const char *uri)
{
    return strncasecmp(uri, "ldap://", 7) == 0;
}

static bool bind_to(LDAP *ldap, const struct am_map_conf *conf, struct am_problem *problem)
{
    struct am_buf password;
    char none[] = "";
    int status = LDAP_SUCCESS;

    if (conf->start_tls && begins_plain(conf->uri))
        status = ldap_start_tls_s(ldap, NULL, NULL);
    if (status != LDAP_SUCCESS)
        return fail(ldap, "encryption cannot be begun (map.start_tls)", status, problem);
    bool good = am_map_password_read(conf->password_file, &password, problem);
    if (good) {
        struct berval secret = {.bv_len = password.len,
                                .bv_val = password.len == 0 ? none : password.data};
        status = ldap_sasl_bind_s(ldap, conf->bind_dn[0] == '\0' ? NULL : conf->bind_dn,
                                  LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
        good = status == LDAP_SUCCESS || fail(ldap, "the server does not take us", status, problem);
    }
    am_map_password_wipe(&password);
    return good;
}

static void disconnect(struct am_map_connection *connection)
{
    if (connection->ldap != NULL)
        (void)ldap_unbind_ext_s(connection->ldap, NULL, NULL);
    free(connection);
}

static struct am_map_connection *connect_to(const struct am_map_conf *conf, struct am_arena *arena,
                                            int64_t timeout_ms, struct am_problem *problem)
{
    struct am_map_connection *connection = calloc(1, sizeof(*connection));

    (void)arena;
    if (connection == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    connection->conf = conf;
    int status = ldap_initialize(&connection->ldap, conf->uri);
    bool good = status == LDAP_SUCCESS || fail(NULL, "uri", status, problem);
    if (good && set_options(connection->ldap, conf, timeout_ms, problem) &&
        bind_to(connection->ldap, conf, problem))
        return connection;
    disconnect(connection);
    return NULL;
}

/* --- asking --- */

static bool add_values(LDAP *ldap, LDAPMessage *entry, const char *attribute,
                       struct am_arena *arena, struct am_map_values *values,
                       struct am_problem *problem)
{
    struct berval **found = ldap_get_values_len(ldap, entry, attribute);
    bool good = true;

    for (size_t i = 0; found != NULL && found[i] != NULL && good; i++)
        good = am_map_values_add(values, arena, am_span_of(found[i]->bv_val, found[i]->bv_len),
                                 problem);
    ldap_value_free_len(found);
    return good;
}

static enum am_map_answer take(const struct am_map_connection *connection, LDAPMessage *result,
                               struct am_arena *arena, struct am_map_values *values,
                               struct am_problem *problem)
{
    const char *attribute = connection->conf->attribute;
    LDAP *ldap = connection->ldap;
    enum am_map_answer answer = AM_MAP_NONE;

    for (LDAPMessage *entry = ldap_first_entry(ldap, result); entry != NULL;
         entry = ldap_next_entry(ldap, entry)) {
        if (attribute[0] != '\0' && !add_values(ldap, entry, attribute, arena, values, problem))
            return AM_MAP_FAILED;
        /* An entry that lacks the attribute says nothing. */
        if (attribute[0] == '\0' || values->count > 0)
            answer = AM_MAP_FOUND;
    }
    return answer;
}

static enum am_map_answer ask(struct am_map_connection *connection,
                              const struct am_map_question *question, int64_t timeout_ms,
                              struct am_arena *arena, struct am_map_values *values,
                              struct am_problem *problem)
{
    static const int scopes[] = {[AM_MAP_SCOPE_SUB] = LDAP_SCOPE_SUBTREE,
                                 [AM_MAP_SCOPE_ONE] = LDAP_SCOPE_ONELEVEL,
                                 [AM_MAP_SCOPE_BASE] = LDAP_SCOPE_BASE};
    const struct am_map_conf *conf = connection->conf;
    const char *filter = am_map_filter_fill(conf->filter, question, arena);
    char *attribute = am_arena_copy(
        arena, am_span_str(conf->attribute[0] == '\0' ? LDAP_NO_ATTRS : conf->attribute));
    char *attributes[] = {attribute, NULL};
    struct timeval patience = time_of(timeout_ms > 0 ? timeout_ms : 1);
    LDAPMessage *result = NULL;
    enum am_map_answer answer = AM_MAP_FAILED;

    if (filter == NULL || attribute == NULL) {
        am_problem_set(problem, "out of memory");
        return AM_MAP_FAILED;
    }
    int status =
        ldap_search_ext_s(connection->ldap, conf->base, scopes[conf->scope], filter, attributes, 0,
                          NULL, NULL, &patience, AM_MAP_VALUES_MAX + 1, &result);
    if (status == LDAP_SUCCESS)
        answer = take(connection, result, arena, values, problem);
    else if (status == LDAP_NO_SUCH_OBJECT)
        fail(connection->ldap, "map.base is not there", status, problem);
    else
        fail(connection->ldap, "the search failed", status, problem);
    ldap_msgfree(result);
    return answer;
}

const struct am_map_driver am_map_ldap = {
    .check = check, .connect = connect_to, .ask = ask, .disconnect = disconnect};
