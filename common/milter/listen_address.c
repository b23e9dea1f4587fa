#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/span.h"
#include "common/milter/listen.h"

static bool parse_port(const char *text, size_t length, uint16_t *port)
{
    unsigned value = 0;
    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!am_is_digit((unsigned char)text[i]))
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= 65535;
}

static bool parse_unix(struct am_listen_address *address, const char *path, const char *text,
                       struct am_problem *problem)
{
    if (path[0] != '/')
        return am_problem_set(problem,
                              "socket \"%s\": a unix socket needs an absolute path, as in "
                              "unix:/var/spool/postfix/authmilter/milter.sock",
                              text);
    size_t length = strlen(path);
    if (length >= sizeof(address->path))
        return am_problem_set(problem, "socket \"%s\": the path has %zu bytes; at most %zu fit",
                              text, length, sizeof(address->path) - 1);
    if (path[length - 1] == '/')
        return am_problem_set(problem, "socket \"%s\": the path names a directory", text);
    memcpy(address->path, path, length + 1);
    return true;
}

static bool parse_host(struct am_listen_address *address, const char *host, const char *text,
                       struct am_problem *problem)
{
    size_t length = strlen(host);
    if (host[0] == '[' && length > 2 && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof(address->host) || strpbrk(host, " \t@") != NULL)
        return am_problem_set(problem, "socket \"%s\": \"%s\" is no host name or address", text,
                              host);
    memcpy(address->host, host, length);
    address->host[length] = '\0';
    return true;
}

static bool parse_inet(struct am_listen_address *address, const char *rest, const char *text,
                       struct am_problem *problem)
{
    const char *word = address->kind == AM_LISTEN_INET6 ? "inet6" : "inet";
    const char *at = strchr(rest, '@');
    size_t port_length = at == NULL ? strlen(rest) : (size_t)(at - rest);
    if (parse_port(rest, port_length, &address->port))
        return at == NULL || parse_host(address, at + 1, text, problem);

    /* Postfix's smtpd_milters writes the same place the other way round. */
    const char *colon = strrchr(rest, ':');
    uint16_t port;
    if (at == NULL && colon != NULL && parse_port(colon + 1, strlen(colon + 1), &port))
        return am_problem_set(problem,
                              "socket \"%s\" is the form that Postfix uses; the milter syntax is "
                              "%s:port@host, here %s:%u@%.*s",
                              text, word, word, port, (int)(colon - rest), rest);
    return am_problem_set(
        problem, "socket \"%s\": \"%.*s\" is no port (1 to 65535), as in %s:8891@%s", text,
        (int)port_length, rest, word, address->kind == AM_LISTEN_INET6 ? "[::1]" : "127.0.0.1");
}

bool am_listen_parse(struct am_listen_address *address, const char *text,
                     struct am_problem *problem)
{
    memset(address, 0, sizeof(*address));
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    if (colon != NULL) {
        if ((length == 4 && strncasecmp(text, "unix", 4) == 0) ||
            (length == 5 && strncasecmp(text, "local", 5) == 0)) {
            address->kind = AM_LISTEN_UNIX;
            return parse_unix(address, colon + 1, text, problem);
        }
        if (length == 4 && strncasecmp(text, "inet", 4) == 0) {
            address->kind = AM_LISTEN_INET;
            return parse_inet(address, colon + 1, text, problem);
        }
        if (length == 5 && strncasecmp(text, "inet6", 5) == 0) {
            address->kind = AM_LISTEN_INET6;
            return parse_inet(address, colon + 1, text, problem);
        }
    }
    return am_problem_set(problem,
                          "socket \"%s\" has no known kind; write unix:/path, inet:port@host or "
                          "inet6:port@host",
                          text);
}

bool am_listen_check_option(const char *text, struct am_problem *problem)
{
    struct am_listen_address address;
    return text[0] == '\0' || am_listen_parse(&address, text, problem);
}
