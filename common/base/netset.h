#ifndef AM_BASE_NETSET_H
#define AM_BASE_NETSET_H

#include "common/base/ip.h"
#include "common/base/table.h"

/*
 * A set of networks, each with a number. The most specific network that holds
 * an address wins. A look-up costs one probe for each prefix length in use, however
 * many networks there are.
 *
 * Threads: filling one; reading any.
 */
struct am_netset;

/* Makes a set of at most `capacity` networks. NULL when memory is short. Ownership: `arena`. */
struct am_netset *am_netset_new(struct am_arena *arena, size_t capacity) AM_MUST_USE;

/* Makes a set of a list; each network's number is its index. NULL when memory is short. */
struct am_netset *am_netset_of(struct am_arena *arena, const struct am_netlist *list) AM_MUST_USE;

/* Adds a network unless it is there. Returns what am_table_put() does. */
uint32_t am_netset_add(struct am_netset *set, const struct am_net *net, uint32_t value);

/* Returns the number of the most specific network around `ip`, or AM_TABLE_NONE. */
uint32_t am_netset_find(const struct am_netset *set, const struct am_ip *ip);

/* Tells whether the set holds no network. */
bool am_netset_is_empty(const struct am_netset *set);

#endif
