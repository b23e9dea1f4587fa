#ifndef AM_BASE_IP_H
#define AM_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * An IP address. IPv4-mapped IPv6 addresses (::ffff:a.b.c.d) are always held
 * as IPv4, as RFC 7208 section 5 asks.
 */
struct am_ip {
    uint8_t family;    /* 4, 6, or 0 for "not known" */
    uint8_t bytes[16]; /* network order; the first 4 for IPv4, the rest zero */
};

/* Longest text of an address with its NUL. */
#define AM_IP_TEXT_MAX 46

/* Parses "192.0.2.1" or "2001:db8::1". Returns false on anything else. */
bool am_ip_parse(struct am_ip *ip, struct am_span text);

/* Takes the address of a socket; family 0 for anything but AF_INET/AF_INET6 or NULL. */
void am_ip_from_sockaddr(struct am_ip *ip, const struct sockaddr *address);

/* Writes the usual text ("unknown" for family 0) and returns `out`. */
const char *am_ip_format(const struct am_ip *ip, char out[AM_IP_TEXT_MAX]);

/* Tells whether two addresses are the same. */
bool am_ip_equal(const struct am_ip *a, const struct am_ip *b);

/*
 * Tells whether the address cannot be that of a sender out on the Internet:
 * private (RFC 1918), shared (RFC 6598), loopback, link-local, unique local
 * (RFC 4193) or unspecified. Documentation networks are not private.
 */
bool am_ip_is_private(const struct am_ip *ip);

/* Tells whether the address is 127.0.0.0/8 or ::1. */
bool am_ip_is_loopback(const struct am_ip *ip);

/* A network in CIDR notation. Host bits of `base` are zero. */
struct am_net {
    struct am_ip base;
    uint8_t prefix; /* 0..32 or 0..128 */
};

/* A list of networks; the array belongs to whoever made it. */
struct am_netlist {
    struct am_net *nets;
    size_t count;
};

/*
 * Parses "192.0.2.0/24", "2001:db8::/32", or a single address.
 * Returns: false with a sentence in `problem` (host bits set, prefix too long, ...).
 */
bool am_net_parse(struct am_net *net, struct am_span text, struct am_problem *problem);

/* Tells whether `ip` lies in `net`; never across families. */
bool am_net_contains(const struct am_net *net, const struct am_ip *ip);

/* Tells whether `ip` lies in any network of the list. */
bool am_netlist_contains(const struct am_netlist *list, const struct am_ip *ip);

#endif
