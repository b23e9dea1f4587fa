/* The HTTP part of metrics.h, a shared object of its own: the only file that knows libmicrohttpd.
 */

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/milter/metrics.h"

#define CLIENTS_MAX 8
#define CLIENT_TIMEOUT_S 5
#define CLIENT_MEMORY 8192

struct http_server {
    struct MHD_Daemon *daemon;
    const struct am_metrics_source *source;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              char *body, size_t length, enum MHD_ResponseMemoryMode memory)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(length, body, memory);
    if (response == NULL) {
        if (memory == MHD_RESPMEM_MUST_FREE)
            free(body);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, char *text)
{
    return answer(connection, status, "text/plain; charset=utf-8", text, strlen(text),
                  MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    struct http_server *server = user;
    static char ok[] = "ok\n", stopping[] = "stopping\n", missing[] = "not found\n",
                wrong[] = "only GET and HEAD\n", full[] = "memory is short\n";
    (void)version, (void)upload, (void)upload_size, (void)state;

    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, wrong);
    if (strcmp(url, "/healthz") == 0)
        return server->source->is_healthy(server->source->user)
                   ? answer_text(connection, MHD_HTTP_OK, ok)
                   : answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, stopping);
    if (strcmp(url, "/metrics") != 0)
        return answer_text(connection, MHD_HTTP_NOT_FOUND, missing);

    size_t length = 0;
    char *page = server->source->render(server->source->user, &length);
    if (page == NULL)
        return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, full);
    return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", page, length,
                  MHD_RESPMEM_MUST_FREE);
}

static void *http_start(const struct am_metrics_address *address,
                        const struct am_metrics_source *source, char *why, size_t size)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    memcpy(&in4.sin_addr, address->bytes, sizeof(in4.sin_addr));
    memcpy(&in6.sin6_addr, address->bytes, sizeof(in6.sin6_addr));
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    const void *name = address->family == AF_INET6 ? (const void *)&in6 : (const void *)&in4;
    if (address->family == AF_INET6)
        flags |= MHD_USE_IPv6;

    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        snprintf(why, size, "memory is short");
        return NULL;
    }
    server->source = source;
    errno = 0;
    server->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, name,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CLIENT_TIMEOUT_S,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_MEMORY, MHD_OPTION_END);
    if (server->daemon == NULL) {
        snprintf(why, size, "%s", errno == 0 ? "the HTTP library refused" : strerror(errno));
        free(server);
        return NULL;
    }
    return server;
}

static void http_stop(void *handle)
{
    struct http_server *server = handle;
    MHD_stop_daemon(server->daemon);
    free(server);
}

extern const struct am_metrics_module am_metrics_http;
const struct am_metrics_module am_metrics_http = {
    .abi = AM_METRICS_ABI, .start = http_start, .stop = http_stop};
