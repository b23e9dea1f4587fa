#include "common/milter/libmilter_wake.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/milter/libmilter_transport.h"
#include "common/milter/listen.h"

/* SMFIC_ABORT without data: a length of one, the command. */
static const char abort_packet[] = {0, 0, 0, 1, 'A'};

static int connect_to(int family, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, address, len) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    return fd;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
    return connect_to(AF_UNIX, (const struct sockaddr *)&address, sizeof(address));
}

static int connect_inet(const struct am_listen_address *address)
{
    const struct addrinfo hints = {.ai_family =
                                       address->kind == AM_LISTEN_INET6 ? AF_INET6 : AF_INET,
                                   .ai_socktype = SOCK_STREAM};
    /* Without a host the socket listens everywhere, and the resolver's default is loopback. */
    const char *host = address->host[0] == '\0' ? NULL : address->host;
    char port[8];
    struct addrinfo *found;
    int fd;

    snprintf(port, sizeof(port), "%u", address->port);
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    fd = connect_to(found->ai_family, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return fd;
}

bool am_libmilter_wake_open(const char *socket, struct am_problem *problem)
{
    struct am_transport *transport = am_libmilter_transport();
    struct am_listen_address address;

    transport->wake_fd = -1;
    if (!am_listen_parse(&address, socket, problem))
        return false;
    transport->wake_fd =
        address.kind == AM_LISTEN_UNIX ? connect_unix(address.path) : connect_inet(&address);
    return transport->wake_fd >= 0 ||
           am_problem_set(problem, "cannot connect to the own socket \"%s\": %s", socket,
                          strerror(errno));
}

void am_libmilter_wake(void)
{
    int fd = am_libmilter_transport()->wake_fd;

    /* A full buffer means that wakes are under way already. */
    if (fd >= 0)
        (void)!send(fd, abort_packet, sizeof(abort_packet), MSG_DONTWAIT | MSG_NOSIGNAL);
}
