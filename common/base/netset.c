#include "common/base/netset.h"

#define LENGTHS 129

struct am_netset {
    struct am_table *table;
    uint8_t lengths[2][LENGTHS]; /* in use, longest first: IPv4, IPv6 */
    uint8_t length_count[2];
};

struct am_netset *am_netset_new(struct am_arena *arena, size_t capacity)
{
    struct am_netset *set = am_arena_alloc(arena, sizeof(*set));

    if (set == NULL)
        return NULL;
    set->table = am_table_new(arena, capacity);
    return set->table == NULL ? NULL : set;
}

struct am_netset *am_netset_of(struct am_arena *arena, const struct am_netlist *list)
{
    struct am_netset *set = am_netset_new(arena, list->count);

    for (size_t i = 0; set != NULL && i < list->count; i++)
        if (am_netset_add(set, &list->nets[i], (uint32_t)i) == AM_TABLE_NONE)
            return NULL;
    return set;
}

/* Keeps the lengths sorted, longest first. */
static void note_length(struct am_netset *set, int family, uint8_t length)
{
    uint8_t *lengths = set->lengths[family];
    size_t count = set->length_count[family];
    size_t at = 0;

    while (at < count && lengths[at] > length)
        at++;
    if (at < count && lengths[at] == length)
        return;
    memmove(lengths + at + 1, lengths + at, count - at);
    lengths[at] = length;
    set->length_count[family]++;
}

/* The key: the network's significant bytes, the last one masked; the kind tells family and length
 * apart. */
static struct am_span key_of(const struct am_ip *ip, uint8_t length, char out[16])
{
    size_t whole = length / 8;
    unsigned rest = length % 8;

    memcpy(out, ip->bytes, sizeof(ip->bytes));
    if (rest != 0) {
        out[whole] = (char)(ip->bytes[whole] & (0xff00U >> rest));
        whole++;
    }
    return am_span_of(out, whole);
}

static uint8_t kind_of(int family, uint8_t length)
{
    /* IPv4: 0..32, IPv6: 33..161. */
    return (uint8_t)(family == 0 ? length : length + 33);
}

uint32_t am_netset_add(struct am_netset *set, const struct am_net *net, uint32_t value)
{
    int family = net->base.family == 4 ? 0 : 1;
    char bytes[16];

    note_length(set, family, net->prefix);
    return am_table_put(set->table, kind_of(family, net->prefix),
                        key_of(&net->base, net->prefix, bytes), value);
}

uint32_t am_netset_find(const struct am_netset *set, const struct am_ip *ip)
{
    if (ip->family != 4 && ip->family != 6)
        return AM_TABLE_NONE;

    int family = ip->family == 4 ? 0 : 1;
    for (size_t i = 0; i < set->length_count[family]; i++) {
        uint8_t length = set->lengths[family][i];
        char bytes[16];
        uint32_t value =
            am_table_get(set->table, kind_of(family, length), key_of(ip, length, bytes));

        if (value != AM_TABLE_NONE)
            return value;
    }
    return AM_TABLE_NONE;
}

bool am_netset_is_empty(const struct am_netset *set)
{
    return set->length_count[0] == 0 && set->length_count[1] == 0;
}
