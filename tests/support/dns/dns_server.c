#include "tests/support/dns/dns_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/support/dns/dns_fault.h"

#define CONNECTIONS_MAX 64
#define BUCKETS 8192 /* a benchmark asks for tens of thousands of names */
#define FORGERY_LEAD_MS 20

/* What is known about a name: its script and its count. */
struct script {
    TAILQ_ENTRY(script) link;
    struct am_dns_name name;
    enum dns_fault fault;
    unsigned times; /* left; UINT32_MAX: for ever */
    unsigned count;
};

/* An answer that waits for its time. */
struct pending {
    TAILQ_ENTRY(pending) link;
    int64_t due_us;
    int fd;
    bool stream;
    struct sockaddr_in to;
    size_t len;
    uint8_t data[];
};

struct connection {
    int fd; /* -1: free */
    size_t got;
    uint8_t in[600];
};

enum { POLL_WAKE, POLL_UDP, POLL_LISTEN, POLL_FIXED };

struct dns_server {
    struct am_dns_zone_data zone;
    pthread_t thread;
    int wake_fd, udp_fd, other_fd, listen_fd;
    char address[32];
    struct connection connections[CONNECTIONS_MAX];
    TAILQ_HEAD(, pending) pending;
    uint8_t packet[DNS_MESSAGE_MAX + 1];

    pthread_mutex_t lock; /* for all below */
    TAILQ_HEAD(script_list, script) scripts[BUCKETS];
    struct script everyone; /* names without a script */
    unsigned delay_ms, count_tcp;
    struct am_dns_name silent; /* no answer for it and what is below; no octets: none */
    bool secure, stop;
};

/* Where an answer goes. */
struct route {
    int fd;
    bool stream;
    struct sockaddr_in to;
};

static int64_t now_us(void)
{
    return am_clock_now_us(am_clock_system());
}

/* --- sending --- */

static void send_now(struct pending *pending)
{
    if (pending->stream) {
        uint8_t prefix[2] = {(uint8_t)(pending->len >> 8), (uint8_t)pending->len};
        if (send(pending->fd, prefix, 2, MSG_NOSIGNAL | MSG_MORE) != 2)
            return;
        for (size_t sent = 0; sent < pending->len;) {
            ssize_t len =
                send(pending->fd, pending->data + sent, pending->len - sent, MSG_NOSIGNAL);
            if (len <= 0)
                return;
            sent += (size_t)len;
        }
    } else {
        sendto(pending->fd, pending->data, pending->len, MSG_NOSIGNAL,
               (struct sockaddr *)&pending->to, sizeof(pending->to));
    }
}

static void send_later(struct dns_server *server, const struct route *route,
                       const struct dns_response *response, unsigned delay_ms)
{
    struct pending *pending = malloc(sizeof(*pending) + response->len);

    if (pending == NULL)
        abort();
    pending->due_us = now_us() + (int64_t)delay_ms * 1000;
    pending->fd = route->fd;
    pending->stream = route->stream;
    pending->to = route->to;
    pending->len = response->len;
    memcpy(pending->data, response->data, response->len);
    TAILQ_INSERT_TAIL(&server->pending, pending, link);
}

/* Sends what is due; returns the milliseconds until the next is, -1 for none. */
static int send_due(struct dns_server *server)
{
    struct pending *pending = TAILQ_FIRST(&server->pending);
    int64_t next_us = AM_NEVER;

    while (pending != NULL) {
        struct pending *following = TAILQ_NEXT(pending, link);
        if (pending->due_us <= now_us()) {
            send_now(pending);
            TAILQ_REMOVE(&server->pending, pending, link);
            free(pending);
        } else {
            next_us = am_deadline_earlier(next_us, pending->due_us);
        }
        pending = following;
    }
    if (next_us == AM_NEVER)
        return -1;
    int64_t left_us = next_us - now_us();
    return left_us <= 0 ? 0 : (int)(left_us / 1000 + 1);
}

/* --- scripts --- */

static struct script_list *bucket_of(struct dns_server *server, const struct am_dns_name *name)
{
    uint32_t hash = 5381;

    for (size_t i = 0; i < name->len; i++)
        hash = hash * 33 + (uint8_t)am_lower((char)name->wire[i]);
    return &server->scripts[hash % BUCKETS];
}

static struct script *find_script(struct dns_server *server, const struct am_dns_name *name)
{
    struct script *script;

    TAILQ_FOREACH(script, bucket_of(server, name), link)
    {
        if (am_dns_name_equal(&script->name, name))
            return script;
    }
    return NULL;
}

/* Finds or makes what is known about a name. */
static struct script *need_name(struct dns_server *server, const struct am_dns_name *name)
{
    struct script *script = find_script(server, name);

    if (script != NULL)
        return script;
    script = calloc(1, sizeof(*script));
    if (script == NULL)
        abort();
    script->name = *name;
    TAILQ_INSERT_HEAD(bucket_of(server, name), script, link);
    return script;
}

/* The same from text; aborts on a name a test misspelt. */
static struct script *need_script(struct dns_server *server, const char *text)
{
    struct am_dns_name name;

    if (!am_dns_name_parse(&name, text))
        abort();
    return need_name(server, &name);
}

/* Tells whether `name` is `zone` or below it. */
static bool is_within(const struct am_dns_name *name, const struct am_dns_name *zone)
{
    struct am_dns_name rest = *name;

    while (rest.len > zone->len) {
        uint8_t label = (uint8_t)(rest.wire[0] + 1);
        rest.len = (uint8_t)(rest.len - label);
        memmove(rest.wire, rest.wire + label, rest.len);
    }
    return zone->len > 0 && am_dns_name_equal(&rest, zone);
}

/* What to do with a query that came now. */
struct orders {
    enum dns_fault fault;
    unsigned delay_ms;
    bool secure;
};

static struct orders take_orders(struct dns_server *server, const struct dns_request *request,
                                 bool stream)
{
    pthread_mutex_lock(&server->lock);
    struct script *script = need_name(server, &request->name);
    struct orders orders = {server->everyone.fault, server->delay_ms, server->secure};
    server->everyone.count++;
    server->count_tcp += stream;
    script->count++;
    if (script->times > 0) {
        orders.fault = script->fault;
        script->times -= script->times != UINT32_MAX;
    }
    if (is_within(&request->name, &server->silent))
        orders.fault = DNS_FAULT_SILENT;
    pthread_mutex_unlock(&server->lock);
    return orders;
}

/* --- answering --- */

/* Sends the answer over TCP, or over UDP when it fits there. */
static void send_true(struct dns_server *server, const struct route *route,
                      const struct dns_request *request, struct dns_response *response,
                      unsigned delay_ms)
{
    if (!route->stream && response->len > request->udp_size)
        dns_response_truncate(response, request);
    send_later(server, route, response, delay_ms);
}

static void send_forged(struct dns_server *server, const struct route *route,
                        const struct dns_request *request, struct dns_response *response,
                        const struct orders *orders)
{
    uint8_t copy[DNS_MESSAGE_MAX];
    struct dns_response forged = {copy, response->len};
    struct route from = *route;

    memcpy(copy, response->data, response->len);
    dns_response_forge(&forged, orders->fault);
    if (orders->fault == DNS_FAULT_FORGED_ADDRESS)
        from.fd = server->other_fd;
    send_later(server, &from, &forged, orders->delay_ms);
    send_true(server, route, request, response, orders->delay_ms + FORGERY_LEAD_MS);
}

static void answer(struct dns_server *server, const struct route *route, const uint8_t *packet,
                   size_t size)
{
    uint8_t data[DNS_MESSAGE_MAX];
    struct dns_response response = {data, 0};
    struct dns_request request;

    if (!dns_request_read(&request, packet, size))
        return;
    struct orders orders = take_orders(server, &request, route->stream);
    struct dns_manner manner = {orders.fault == DNS_FAULT_ONE_ALIAS, orders.secure};
    if (!dns_response_build(&response, &server->zone, &request, &manner) ||
        !dns_response_spoil(&response, &request, orders.fault, route->stream))
        return;
    if (orders.fault >= DNS_FAULT_FORGED_ID && orders.fault <= DNS_FAULT_FORGED_QUERY) {
        send_forged(server, route, &request, &response, &orders);
        return;
    }
    send_true(server, route, &request, &response, orders.delay_ms);
    if (orders.fault == DNS_FAULT_TWICE)
        send_true(server, route, &request, &response, orders.delay_ms);
}

/* --- sockets --- */

static void read_udp(struct dns_server *server)
{
    struct route route = {.fd = server->udp_fd};
    socklen_t len = sizeof(route.to);
    ssize_t size = recvfrom(server->udp_fd, server->packet, sizeof(server->packet), MSG_DONTWAIT,
                            (struct sockaddr *)&route.to, &len);

    if (size > 0)
        answer(server, &route, server->packet, (size_t)size);
}

static void accept_one(struct dns_server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    for (size_t i = 0; fd >= 0 && i < CONNECTIONS_MAX; i++) {
        if (server->connections[i].fd < 0) {
            server->connections[i] = (struct connection){.fd = fd};
            return;
        }
    }
    if (fd >= 0)
        close(fd);
}

static void close_connection(struct dns_server *server, struct connection *connection)
{
    struct pending *pending = TAILQ_FIRST(&server->pending);

    while (pending != NULL) {
        struct pending *following = TAILQ_NEXT(pending, link);
        if (pending->fd == connection->fd) {
            TAILQ_REMOVE(&server->pending, pending, link);
            free(pending);
        }
        pending = following;
    }
    close(connection->fd);
    connection->fd = -1;
}

static void read_stream(struct dns_server *server, struct connection *connection)
{
    struct route route = {.fd = connection->fd, .stream = true};
    ssize_t size = recv(connection->fd, connection->in + connection->got,
                        sizeof(connection->in) - connection->got, MSG_DONTWAIT);

    if (size <= 0) {
        if (size == 0 || errno != EAGAIN)
            close_connection(server, connection);
        return;
    }
    connection->got += (size_t)size;
    if (connection->got < 2)
        return;
    size_t want = (size_t)connection->in[0] << 8 | connection->in[1];
    if (connection->got >= want + 2) {
        answer(server, &route, connection->in + 2, want);
        connection->got = 0;
    }
}

static void turn(struct dns_server *server)
{
    struct pollfd polls[POLL_FIXED + CONNECTIONS_MAX] = {
        [POLL_WAKE] = {.fd = server->wake_fd, .events = POLLIN},
        [POLL_UDP] = {.fd = server->udp_fd, .events = POLLIN},
        [POLL_LISTEN] = {.fd = server->listen_fd, .events = POLLIN},
    };

    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        polls[POLL_FIXED + i] = (struct pollfd){.fd = server->connections[i].fd, .events = POLLIN};
    if (poll(polls, POLL_FIXED + CONNECTIONS_MAX, send_due(server)) <= 0)
        return;
    if (polls[POLL_UDP].revents != 0)
        read_udp(server);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (polls[POLL_FIXED + i].revents != 0 && server->connections[i].fd >= 0)
            read_stream(server, &server->connections[i]);
    }
    if (polls[POLL_LISTEN].revents != 0)
        accept_one(server);
}

static void *run(void *argument)
{
    struct dns_server *server = argument;
    bool stop = false;

    while (!stop) {
        turn(server);
        pthread_mutex_lock(&server->lock);
        stop = server->stop;
        pthread_mutex_unlock(&server->lock);
    }
    return NULL;
}

/* --- life --- */

static int open_socket(int type, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd >= 0 && type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        (type != SOCK_STREAM || listen(fd, CONNECTIONS_MAX) == 0))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Takes one port for both transports; a free UDP port need not be free for TCP. */
static bool open_pair(struct dns_server *server, uint16_t port)
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);

    for (int tries = 0; tries < (port != 0 ? 1 : 20); tries++) {
        server->udp_fd = open_socket(SOCK_DGRAM, port);
        if (server->udp_fd < 0)
            return false;
        if (getsockname(server->udp_fd, (struct sockaddr *)&address, &len) == 0) {
            server->listen_fd = open_socket(SOCK_STREAM, ntohs(address.sin_port));
            snprintf(server->address, sizeof(server->address), "127.0.0.1:%u",
                     ntohs(address.sin_port));
            if (server->listen_fd >= 0)
                return true;
        }
        close(server->udp_fd);
        server->udp_fd = -1;
    }
    return false;
}

static void close_all(struct dns_server *server)
{
    const int fds[] = {server->wake_fd, server->udp_fd, server->other_fd, server->listen_fd};
    struct script *script;
    struct pending *pending;

    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->connections[i].fd >= 0)
            close_connection(server, &server->connections[i]);
    }
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while ((script = TAILQ_FIRST(&server->scripts[i])) != NULL) {
            TAILQ_REMOVE(&server->scripts[i], script, link);
            free(script);
        }
    }
    while ((pending = TAILQ_FIRST(&server->pending)) != NULL) {
        TAILQ_REMOVE(&server->pending, pending, link);
        free(pending);
    }
    am_dns_zone_data_fini(&server->zone);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

struct dns_server *dns_server_new(const char *zone, uint16_t port, struct am_problem *problem)
{
    struct dns_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return NULL;
    TAILQ_INIT(&server->pending);
    for (size_t i = 0; i < BUCKETS; i++)
        TAILQ_INIT(&server->scripts[i]);
    pthread_mutex_init(&server->lock, NULL);
    server->udp_fd = server->listen_fd = -1;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        server->connections[i].fd = -1;
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->other_fd = open_socket(SOCK_DGRAM, 0);
    if (!am_dns_zone_data_init(&server->zone, zone, "zone", problem)) {
        close_all(server);
        return NULL;
    }
    if (server->wake_fd < 0 || server->other_fd < 0 || !open_pair(server, port) ||
        pthread_create(&server->thread, NULL, run, server) != 0) {
        am_problem_set(problem, "the test name server cannot start: %s", strerror(errno));
        close_all(server);
        return NULL;
    }
    return server;
}

void dns_server_free(struct dns_server *server)
{
    const uint64_t one = 1;

    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->stop = true;
    pthread_mutex_unlock(&server->lock);
    if (write(server->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort();
    pthread_join(server->thread, NULL);
    close_all(server);
}

/* --- control --- */

const char *dns_server_address(const struct dns_server *server)
{
    return server->address;
}

void dns_server_script(struct dns_server *server, const char *name, enum dns_fault fault,
                       unsigned times)
{
    pthread_mutex_lock(&server->lock);
    struct script *script = need_script(server, name);
    script->fault = fault;
    script->times = times > 0 ? times : UINT32_MAX;
    pthread_mutex_unlock(&server->lock);
}

void dns_server_set_fault(struct dns_server *server, enum dns_fault fault)
{
    pthread_mutex_lock(&server->lock);
    server->everyone.fault = fault;
    pthread_mutex_unlock(&server->lock);
}

void dns_server_silence(struct dns_server *server, const char *name)
{
    struct am_dns_name zone;

    if (!am_dns_name_parse(&zone, name))
        abort();
    pthread_mutex_lock(&server->lock);
    server->silent = zone;
    pthread_mutex_unlock(&server->lock);
}

void dns_server_set_delay(struct dns_server *server, unsigned delay_ms)
{
    pthread_mutex_lock(&server->lock);
    server->delay_ms = delay_ms;
    pthread_mutex_unlock(&server->lock);
}

void dns_server_set_secure(struct dns_server *server, bool secure)
{
    pthread_mutex_lock(&server->lock);
    server->secure = secure;
    pthread_mutex_unlock(&server->lock);
}

unsigned dns_server_count(struct dns_server *server, const char *name)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = name != NULL ? need_script(server, name)->count : server->everyone.count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

unsigned dns_server_count_tcp(struct dns_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = server->count_tcp;
    pthread_mutex_unlock(&server->lock);
    return count;
}
