#include "common/dns/dns_server_list.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/ip.h"
#include "common/base/log.h"
#include "common/dns/dns_codec.h"

#define ASIDE_FIRST_US INT64_C(1000000)
#define ASIDE_MAX_US INT64_C(30000000)
#define PORT_DNS 53

/* So many attempts in a row without a reply, and the log says so: once, until it answers again. */
#define UNHEARD_TOLD 3

/* --- reading --- */

/* Splits "address:port", "[address]:port" or an address alone. */
static bool split(struct am_span text, struct am_span *address, struct am_span *port)
{
    size_t colon = am_span_find(text, ':');
    size_t bracket = am_span_find(text, ']');

    *address = text;
    *port = am_span_of(NULL, 0);
    if (text.len > 0 && text.ptr[0] == '[') {
        if (bracket == text.len)
            return false;
        *address = am_span_of(text.ptr + 1, bracket - 1);
        text = am_span_of(text.ptr + bracket + 1, text.len - bracket - 1);
        if (text.len == 0)
            return true;
        if (text.ptr[0] != ':')
            return false;
        colon = 0;
    } else if (colon == text.len || am_span_find_last(text, ':') != colon) {
        return true; /* IPv4, or IPv6 with its several colons, without a port */
    } else {
        *address = am_span_of(text.ptr, colon);
    }
    *port = am_span_of(text.ptr + colon + 1, text.len - colon - 1);
    return port->len > 0;
}

static bool parse_port(struct am_span text, uint16_t *port)
{
    unsigned value = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!am_is_digit((unsigned char)text.ptr[i]) || i == 5)
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *port = (uint16_t)value;
    return value > 0 && value <= 65535;
}

static void set_address(struct am_dns_server *server, const struct am_ip *ip, uint16_t port)
{
    if (ip->family == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&server->address;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        memcpy(&in6->sin6_addr, ip->bytes, 16);
        server->address_len = sizeof(*in6);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&server->address;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, ip->bytes, 4);
        server->address_len = sizeof(*in);
    }
}

static bool add_server(struct am_dns_server_list *list, const char *text,
                       struct am_problem *problem)
{
    struct am_span address, port_text;
    struct am_ip ip;
    uint16_t port = PORT_DNS;

    if (list->count == AM_DNS_SERVERS_MAX)
        return am_problem_set(problem, "more than %d name servers", AM_DNS_SERVERS_MAX);
    if (!split(am_span_str(text), &address, &port_text) || !am_ip_parse(&ip, address))
        return am_problem_set(problem,
                              "the name server '%s' is no IP address; write it as 192.0.2.1, "
                              "192.0.2.1:5353, 2001:db8::1 or [2001:db8::1]:5353",
                              text);
    if (port_text.len > 0 && !parse_port(port_text, &port))
        return am_problem_set(problem, "the port of the name server '%s' is not in 1 to 65535",
                              text);
    set_address(&list->servers[list->count++], &ip, port);
    return true;
}

struct reading {
    struct am_dns_server_list *list;
    struct am_problem *problem;
};

static bool add_from_file(void *context, const char *text)
{
    struct reading *reading = context;

    return add_server(reading->list, text, reading->problem);
}

bool am_dns_server_list_read(struct am_dns_server_list *list,
                             const struct am_dns_live_options *options, struct am_problem *problem)
{
    struct reading reading = {list, problem};
    const char *path = options->resolv_conf != NULL ? options->resolv_conf : "/etc/resolv.conf";

    memset(list, 0, sizeof(*list));
    for (size_t i = 0; i < options->nameserver_count; i++) {
        if (!add_server(list, options->nameservers[i], problem))
            return false;
    }
    if (list->count == 0 && !am_dns_resolv_conf_read(path, add_from_file, &reading, problem))
        return false;
    return list->count > 0 || add_server(list, "127.0.0.1", problem);
}

bool am_dns_live_list(const struct am_dns_live_options *options,
                      char (*out)[AM_DNS_LIVE_SERVER_TEXT], size_t room, size_t *count,
                      struct am_problem *problem)
{
    struct am_dns_server_list list;

    *count = 0;
    if (!am_dns_server_list_read(&list, options, problem))
        return false;
    for (size_t i = 0; i < list.count && *count < room; i++) {
        char host[64] = "", port[8] = "";
        (void)getnameinfo((const struct sockaddr *)&list.servers[i].address,
                          list.servers[i].address_len, host, sizeof(host), port, sizeof(port),
                          NI_NUMERICHOST | NI_NUMERICSERV);
        snprintf(out[(*count)++], AM_DNS_LIVE_SERVER_TEXT,
                 strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
    }
    return true;
}

/* --- choosing --- */

int am_dns_server_list_pick(const struct am_dns_server_list *list, am_dns_server_set tried,
                            am_dns_server_set failed)
{
    bool any_healthy = false;
    int best_aside = -1;

    for (size_t i = 0; i < list->count; i++) {
        const struct am_dns_server *server = &list->servers[i];
        if (failed >> i & 1)
            continue;
        if (!server->aside) {
            any_healthy = true;
            if (!(tried >> i & 1))
                return (int)i;
        } else if (!(tried >> i & 1) &&
                   (best_aside < 0 ||
                    server->aside_until_us < list->servers[best_aside].aside_until_us)) {
            best_aside = (int)i;
        }
    }
    return any_healthy ? -1 : best_aside;
}

int am_dns_server_list_pick_probe(const struct am_dns_server_list *list, int64_t now_us)
{
    int due = -1;
    bool any_healthy = false;

    for (size_t i = 0; i < list->count; i++) {
        const struct am_dns_server *server = &list->servers[i];
        if (!server->aside)
            any_healthy = true;
        else if (!server->probing && server->aside_until_us <= now_us && due < 0)
            due = (int)i;
    }
    return any_healthy ? due : -1;
}

static void tell(const struct am_dns_server *server, enum am_log_level level, const char *what)
{
    char host[64] = "?";
    char port[8] = "?";

    (void)getnameinfo((const struct sockaddr *)&server->address, server->address_len, host,
                      sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    am_log(level, "the name server %s, port %s, %s", host, port, what);
}

void am_dns_server_answered(struct am_dns_server *server, int64_t now_us)
{
    if (server->complained)
        tell(server, AM_LOG_NOTICE, "answers again");
    server->complained = false;
    server->unheard = 0;
    server->last_answer_us = now_us;
    server->failures = 0;
    server->aside = false;
}

void am_dns_server_unreachable(struct am_dns_server *server)
{
    if (server->complained || ++server->unheard < UNHEARD_TOLD)
        return;
    server->complained = true;
    tell(server, AM_LOG_WARNING,
         "does not answer; where no other one does, results are temperror (dns.nameservers)");
}

void am_dns_server_silent(struct am_dns_server *server, int64_t sent_us, int64_t now_us)
{
    /* It answers others: this one name is slow, not the server. */
    if (server->last_answer_us > sent_us)
        return;
    am_dns_server_unreachable(server);
    /* Of all attempts that were under way together only the first counts. */
    if (server->aside && sent_us < server->aside_since_us)
        return;
    int64_t pause_us = ASIDE_MAX_US;
    if (server->failures < 5)
        pause_us = ASIDE_FIRST_US << server->failures;
    server->failures++;
    server->aside = true;
    server->aside_since_us = now_us;
    server->aside_until_us = now_us + (pause_us < ASIDE_MAX_US ? pause_us : ASIDE_MAX_US);
}
