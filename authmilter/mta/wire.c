#include "authmilter/mta/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "authmilter/mta/fields.h"
#include "authmilter/mta/protocol.h"

union mta_address {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
};

static bool fill_local(union mta_address *address, socklen_t *len, const char *path,
                       struct am_problem *problem)
{
    if (strlen(path) >= sizeof(address->local.sun_path))
        return am_problem_set(problem, "socket path too long: %s", path);
    address->local.sun_family = AF_UNIX;
    memcpy(address->local.sun_path, path, strlen(path) + 1);
    *len = sizeof(address->local);
    return true;
}

static bool fill_inet(union mta_address *address, socklen_t *len, bool six, const char *text,
                      struct am_problem *problem)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    const char *host = *end == '@' ? end + 1 : six ? "::1" : "127.0.0.1";
    if (end == text || port == 0 || port > 65535 || (*end != '@' && *end != '\0'))
        return am_problem_set(problem, "not PORT or PORT@HOST: %s", text);
    if (strcmp(host, "localhost") == 0)
        host = six ? "::1" : "127.0.0.1";

    size_t host_len = strlen(host);
    char bare[INET6_ADDRSTRLEN + 1] = "";
    if (host[0] == '[' && host_len > 2 && host_len - 2 < sizeof(bare)) {
        memcpy(bare, host + 1, host_len - 2);
        host = bare;
    }
    if (six) {
        address->inet6.sin6_family = AF_INET6;
        address->inet6.sin6_port = htons((uint16_t)port);
        *len = sizeof(address->inet6);
        if (inet_pton(AF_INET6, host, &address->inet6.sin6_addr) != 1)
            return am_problem_set(problem, "not an IPv6 address: %s", host);
        return true;
    }
    address->inet.sin_family = AF_INET;
    address->inet.sin_port = htons((uint16_t)port);
    *len = sizeof(address->inet);
    if (inet_pton(AF_INET, host, &address->inet.sin_addr) != 1)
        return am_problem_set(problem, "not an IPv4 address: %s", host);
    return true;
}

static bool fill_address(union mta_address *address, socklen_t *len, const char *socket_text,
                         struct am_problem *problem)
{
    memset(address, 0, sizeof(*address));
    if (strncmp(socket_text, "inet:", 5) == 0)
        return fill_inet(address, len, false, socket_text + 5, problem);
    if (strncmp(socket_text, "inet6:", 6) == 0)
        return fill_inet(address, len, true, socket_text + 6, problem);
    if (strncmp(socket_text, "unix:", 5) == 0)
        return fill_local(address, len, socket_text + 5, problem);
    if (strncmp(socket_text, "local:", 6) == 0)
        return fill_local(address, len, socket_text + 6, problem);
    return fill_local(address, len, socket_text, problem);
}

/* Waits at most timeout_ms, and not beyond `until_us`. */
static bool wait_for(const struct mta_wire *wire, short events, int64_t until_us,
                     struct am_problem *problem)
{
    struct pollfd poller = {.fd = wire->fd, .events = events};
    int ready;
    do {
        int64_t left_us = until_us - am_clock_now_us(am_clock_system());
        int64_t wait_ms = left_us <= 0 ? 0 : left_us / 1000 + 1;
        ready = poll(&poller, 1, wait_ms < wire->timeout_ms ? (int)wait_ms : wire->timeout_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return am_problem_set(problem, "the milter did not %s in time",
                              events == POLLIN ? "answer" : "take our data");
    return ready > 0 || am_problem_set(problem, "poll: %s", strerror(errno));
}

/* Connects, and tries again while the queue of a unix socket is full, as a blocking connect would.
 */
static int connect_in_time(const struct mta_wire *wire, const union mta_address *address,
                           socklen_t len, struct am_problem *problem)
{
    struct timespec pause = {.tv_nsec = 1000000};
    int error = 0;
    for (int waited = 0; connect(wire->fd, &address->any, len) < 0; waited++) {
        error = errno;
        if (error != EAGAIN || waited >= wire->timeout_ms)
            break;
        nanosleep(&pause, NULL);
        error = 0;
    }
    socklen_t error_len = sizeof(error);
    if (error != EINPROGRESS)
        return error;
    if (!wait_for(wire, POLLOUT, wire->deadline_us, problem))
        return ETIMEDOUT;
    getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
    return error;
}

bool mta_wire_open(struct mta_wire *wire, const char *socket_text, int timeout_ms,
                   struct am_problem *problem)
{
    union mta_address address;
    socklen_t len = 0;
    *wire = (struct mta_wire){.fd = -1, .timeout_ms = timeout_ms, .deadline_us = AM_NEVER};
    am_buf_init(&wire->in, 0);
    if (!fill_address(&address, &len, socket_text, problem))
        return false;

    wire->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (wire->fd < 0)
        return am_problem_set(problem, "socket: %s", strerror(errno));
    int error = connect_in_time(wire, &address, len, problem);
    if (error == 0)
        return true;
    mta_wire_close(wire);
    return am_problem_set(problem, "connect %s: %s", socket_text, strerror(error));
}

bool mta_wire_adopt(struct mta_wire *wire, int fd, int timeout_ms, struct am_problem *problem)
{
    int flags = fcntl(fd, F_GETFL);
    *wire = (struct mta_wire){.fd = fd, .timeout_ms = timeout_ms, .deadline_us = AM_NEVER};
    am_buf_init(&wire->in, 0);
    return (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) ||
           am_problem_set(problem, "fcntl: %s", strerror(errno));
}

void mta_wire_close(struct mta_wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    wire->taken = 0;
    am_buf_fini(&wire->in);
}

bool mta_wire_send(struct mta_wire *wire, struct am_span bytes, struct am_problem *problem)
{
    while (bytes.len > 0) {
        ssize_t sent = send(wire->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent >= 0)
            bytes = am_span_of(bytes.ptr + sent, bytes.len - (size_t)sent);
        else if (errno != EAGAIN && errno != EINTR)
            return am_problem_set(problem, "send: %s", strerror(errno));
        else if (!wait_for(wire, POLLOUT, wire->deadline_us, problem))
            return false;
    }
    return true;
}

/* Reads until `need` unconsumed bytes are there. */
static bool fill(struct mta_wire *wire, size_t need, int64_t until_us, struct am_problem *problem)
{
    while (wire->in.len - wire->taken < need) {
        char chunk[16384];
        ssize_t got = recv(wire->fd, chunk, sizeof(chunk), 0);
        if (got > 0) {
            am_buf_add(&wire->in, am_span_of(chunk, (size_t)got));
            if (wire->in.failed)
                return am_problem_set(problem, "out of memory");
            /* A peer that drips never lets poll() time out. */
            if (am_clock_now_us(am_clock_system()) > until_us && wire->in.len - wire->taken < need)
                return am_problem_set(problem, "the milter did not answer in time");
        } else if (got == 0) {
            return am_problem_set(problem, "the milter closed the connection");
        } else if (errno != EAGAIN && errno != EINTR) {
            return am_problem_set(problem, "recv: %s", strerror(errno));
        } else if (!wait_for(wire, POLLIN, until_us, problem)) {
            return false;
        }
    }
    return true;
}

/* Drops what was consumed, so that the buffer does not grow with the session. */
static void compact(struct mta_wire *wire)
{
    size_t rest = wire->in.len - wire->taken;
    if (wire->taken == 0)
        return;
    memmove(wire->in.data, wire->in.data + wire->taken, rest);
    wire->in.len = rest;
    wire->taken = 0;
}

bool mta_wire_receive(struct mta_wire *wire, char *command, struct am_span *content,
                      struct am_problem *problem)
{
    int64_t until_us = am_deadline_earlier(wire->deadline_us,
                                           am_deadline_in_ms(am_clock_system(), wire->timeout_ms));
    compact(wire);
    if (!fill(wire, 4, until_us, problem))
        return false;
    struct mta_fields head = mta_fields_of(am_span_of(wire->in.data, 4));
    uint32_t len = mta_fields_u32(&head);
    if (len == 0 || len > MTA_PACKET_MAX)
        return am_problem_set(problem, "the milter sent a packet of %u bytes", len);
    if (!fill(wire, 4 + (size_t)len, until_us, problem))
        return false;
    *command = wire->in.data[4];
    *content = am_span_of(wire->in.data + 5, len - 1);
    wire->taken = 4 + (size_t)len;
    return true;
}
