#include "common/base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static void set_v4(struct am_ip *ip, const void *bytes)
{
    *ip = (struct am_ip){.family = 4};
    memcpy(ip->bytes, bytes, 4);
}

static void set_v6(struct am_ip *ip, const void *bytes)
{
    if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        set_v4(ip, (const uint8_t *)bytes + sizeof(mapped_prefix));
        return;
    }
    ip->family = 6;
    memcpy(ip->bytes, bytes, 16);
}

bool am_ip_parse(struct am_ip *ip, struct am_span text)
{
    char copy[AM_IP_TEXT_MAX];
    uint8_t bytes[16];

    *ip = (struct am_ip){0};
    if (text.len == 0 || text.len >= sizeof(copy) || am_span_find(text, '\0') != text.len)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        set_v4(ip, bytes);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        set_v6(ip, bytes);
    return ip->family != 0;
}

void am_ip_from_sockaddr(struct am_ip *ip, const struct sockaddr *address)
{
    *ip = (struct am_ip){0};
    if (address == NULL)
        return;
    /* Copied out: the caller's storage need not be aligned for these types. */
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        set_v4(ip, &in.sin_addr);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        set_v6(ip, &in6.sin6_addr);
    }
}

const char *am_ip_format(const struct am_ip *ip, char out[AM_IP_TEXT_MAX])
{
    int family = ip->family == 4 ? AF_INET : AF_INET6;

    if (ip->family == 0 || inet_ntop(family, ip->bytes, out, AM_IP_TEXT_MAX) == NULL)
        memcpy(out, "unknown", sizeof("unknown"));
    return out;
}

bool am_ip_equal(const struct am_ip *a, const struct am_ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool am_ip_is_loopback(const struct am_ip *ip)
{
    static const struct am_net nets[] = {{{4, {127}}, 8}, {{6, {[15] = 1}}, 128}};
    static const struct am_netlist list = {(struct am_net *)nets, sizeof(nets) / sizeof(nets[0])};

    return am_netlist_contains(&list, ip);
}

bool am_ip_is_private(const struct am_ip *ip)
{
    static const struct am_net nets[] = {
        {{4, {0}}, 8},          /* "this network", RFC 1122 */
        {{4, {10}}, 8},         /* RFC 1918 */
        {{4, {172, 16}}, 12},   /* RFC 1918 */
        {{4, {192, 168}}, 16},  /* RFC 1918 */
        {{4, {100, 64}}, 10},   /* shared, RFC 6598 */
        {{4, {127}}, 8},        /* loopback */
        {{4, {169, 254}}, 16},  /* link-local, RFC 3927 */
        {{6, {0}}, 127},        /* unspecified and loopback */
        {{6, {0xFC}}, 7},       /* unique local, RFC 4193 */
        {{6, {0xFE, 0x80}}, 10} /* link-local, RFC 4291 */
    };
    static const struct am_netlist list = {(struct am_net *)nets, sizeof(nets) / sizeof(nets[0])};

    return am_netlist_contains(&list, ip);
}
