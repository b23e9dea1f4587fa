#include "common/milter/listener.h"

#include <string.h>
#include <strings.h>

#include "common/milter/listen.h"
#include "common/milter/runtime.h"
#include "common/milter/transport.h"

const struct am_choice am_role_words[] = {{"auto", AM_ROLE_AUTO},
                                          {"inbound", AM_ROLE_INBOUND},
                                          {"submission", AM_ROLE_SUBMISSION},
                                          {NULL, 0}};

#define AT(MEMBER) .offset = offsetof(struct am_listener, MEMBER)

static const struct am_option options[] = {
    {.name = "socket",
     .kind = AM_OPTION_TEXT,
     AT(socket),
     .fallback = "",
     .check = am_listen_check_option,
     .help = "where the MTA connects: unix:/path, inet:port@host or inet6:port@host"},
    {.name = "role",
     .kind = AM_OPTION_CHOICE,
     AT(role),
     .choices = am_role_words,
     .fallback = "auto",
     .help = "what comes in here: mail of others (inbound), of our users (submission), or both"},
    {.name = "socket_owner",
     .kind = AM_OPTION_TEXT,
     AT(socket_owner),
     .fallback = "",
     .help = "user that owns a unix socket; empty: as created"},
    {.name = "socket_group",
     .kind = AM_OPTION_TEXT,
     AT(socket_group),
     .fallback = "auto",
     .help = "group of a unix socket; auto: postfix if there is such a group; empty: as created"},
    {.name = "socket_mode",
     .kind = AM_OPTION_INT,
     AT(socket_mode),
     .min = 0,
     .max = 0777,
     .fallback = "0660",
     .flags = AM_OPTION_OCTAL,
     .help = "mode of a unix socket, octal"},
    {0},
};

const struct am_section am_listener_section = {.name = "listener",
                                               .help = "a further socket, with a role of its own",
                                               .options = options,
                                               .size = sizeof(struct am_listener),
                                               .repeated = true};

static size_t count_of(const struct am_config *config)
{
    return am_config_count(config, am_listener_section.name);
}

static const struct am_listener *section_of(const struct am_config *config, size_t index)
{
    return am_config_item(config, am_listener_section.name, index);
}

/* Tells whether two sockets, "" being none, are one, however they are written. */
static bool is_same_place(const char *a, const char *b)
{
    struct am_listen_address one, other;

    if (!am_listen_parse(&one, a, NULL) || !am_listen_parse(&other, b, NULL) ||
        one.kind != other.kind)
        return false;
    if (one.kind == AM_LISTEN_UNIX)
        return strcmp(one.path, other.path) == 0;
    return one.port == other.port &&
           (one.host[0] == '\0' || other.host[0] == '\0' || strcasecmp(one.host, other.host) == 0);
}

/* The control socket is a path, and our own user's business: no mail server may have it. */
static bool is_control_socket(const struct am_milter_options *milter, const char *socket)
{
    struct am_listen_address address;

    return milter->control_socket[0] != '\0' && am_listen_parse(&address, socket, NULL) &&
           address.kind == AM_LISTEN_UNIX && strcmp(address.path, milter->control_socket) == 0;
}

static bool check_one(const struct am_config *config, size_t index, struct am_problem *problem)
{
    const struct am_milter_options *milter = am_config_section(config, "milter");
    const struct am_listener *self = section_of(config, index);

    if (self->name[0] == '\0')
        return am_problem_set(problem, "a listener has no title, which tells it apart in the log");
    if (self->socket[0] == '\0')
        return am_problem_set(problem, "listener \"%s\" has no socket", self->name);
    if (is_control_socket(milter, self->socket))
        return am_problem_set(problem, "listener \"%s\" has the socket of milter.control_socket",
                              self->name);
    if (is_same_place(self->socket, milter->socket))
        return am_problem_set(problem, "listener \"%s\" has the socket of milter.socket",
                              self->name);
    for (size_t i = 0; i < index; i++)
        if (is_same_place(self->socket, section_of(config, i)->socket))
            return am_problem_set(problem, "listeners \"%s\" and \"%s\" have one socket",
                                  section_of(config, i)->name, self->name);
    return true;
}

bool am_listeners_check(const struct am_config *config, struct am_problem *problem)
{
    const struct am_milter_options *milter = am_config_section(config, "milter");
    size_t count = count_of(config);

    if (count + 1 > AM_LISTENERS_MAX)
        return am_problem_set(problem, "there are %zu listeners, at most %d are possible", count,
                              AM_LISTENERS_MAX - 1);
    if (is_control_socket(milter, milter->socket))
        return am_problem_set(problem, "milter.socket and milter.control_socket are one");
    for (size_t i = 0; i < count; i++)
        if (!check_one(config, i, problem))
            return false;
    return milter->transport != AM_TRANSPORT_LIBMILTER ||
           count + (milter->socket[0] != '\0') <= 1 ||
           am_problem_set(problem, "libmilter serves one socket only: leave milter.transport at "
                                   "native, or have one listener");
}

size_t am_listeners_of(const struct am_config *config, const char *usual,
                       struct am_listener out[AM_LISTENERS_MAX])
{
    const struct am_milter_options *milter = am_config_section(config, "milter");
    size_t sections = count_of(config), count = 0;

    if (milter->socket[0] != '\0' || sections == 0)
        out[count++] =
            (struct am_listener){.name = "",
                                 .socket = milter->socket[0] != '\0' ? milter->socket : usual,
                                 .socket_owner = milter->socket_owner,
                                 .socket_group = milter->socket_group,
                                 .socket_mode = milter->socket_mode,
                                 .role = milter->role};
    for (size_t i = 0; i < sections && count < AM_LISTENERS_MAX; i++)
        out[count++] = *section_of(config, i);
    return count;
}

bool am_listeners_are_equal(const struct am_config *a, const struct am_config *b)
{
    if (count_of(a) != count_of(b))
        return false;
    for (size_t i = 0; i < count_of(a); i++) {
        const struct am_listener *one = section_of(a, i), *other = section_of(b, i);

        if (strcmp(one->name, other->name) != 0)
            return false;
        for (const struct am_option *row = options; row->name != NULL; row++)
            if (!am_option_equal(row, one, other))
                return false;
    }
    return true;
}
