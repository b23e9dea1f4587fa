#include "common/base/ip.h"

/* Clears the bits after `prefix`; tells whether any was set. */
static bool clear_host_bits(struct am_ip *ip, unsigned prefix)
{
    size_t width = ip->family == 4 ? 4 : 16;
    bool any = false;

    for (size_t i = prefix / 8; i < width; i++) {
        uint8_t mask = i == prefix / 8 ? (uint8_t)(0xFFu >> (prefix % 8)) : 0xFFu;
        any = any || (ip->bytes[i] & mask) != 0;
        ip->bytes[i] &= (uint8_t)~mask;
    }
    return any;
}

/* Reads a prefix length: digits only, no leading zero, at most 128. */
static bool parse_prefix(struct am_span text, unsigned *prefix)
{
    *prefix = 0;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!am_is_digit((unsigned char)text.ptr[i]))
            return false;
        *prefix = *prefix * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return *prefix <= 128;
}

/* How much of a hostile or mistyped text a sentence repeats. */
static int shown(struct am_span text)
{
    return text.len > 80 ? 80 : (int)text.len;
}

static bool wrong_prefix(struct am_span text, const char *family, unsigned max,
                         struct am_problem *problem)
{
    return am_problem_set(problem, "\"%.*s\": the prefix length of an %s network is 0 to %u",
                          shown(text), text.ptr, family, max);
}

bool am_net_parse(struct am_net *net, struct am_span text, struct am_problem *problem)
{
    size_t slash = am_span_find(text, '/');
    struct am_span address = am_span_of(text.ptr, slash);
    unsigned prefix, max;
    char base[AM_IP_TEXT_MAX];
    bool mapped;

    *net = (struct am_net){0};
    if (!am_ip_parse(&net->base, address))
        return am_problem_set(problem,
                              "\"%.*s\" is not a network; give an address or a network such as "
                              "192.0.2.0/24 or 2001:db8::/32",
                              shown(text), text.len > 0 ? text.ptr : "");
    mapped = net->base.family == 4 && am_span_find(address, ':') != address.len;
    max = net->base.family == 4 ? 32 : 128;
    prefix = max;
    if (slash < text.len) {
        struct am_span digits = am_span_of(text.ptr + slash + 1, text.len - slash - 1);
        if (!parse_prefix(digits, &prefix) || (!mapped && prefix > max))
            return wrong_prefix(text, max == 32 ? "IPv4" : "IPv6", mapped ? 128 : max, problem);
        if (mapped && prefix < 96)
            return am_problem_set(problem,
                                  "\"%.*s\" mixes IPv4 and IPv6; write the IPv4 network by itself",
                                  shown(text), text.ptr);
        if (mapped)
            prefix -= 96;
    }
    net->prefix = (uint8_t)prefix;
    if (clear_host_bits(&net->base, prefix))
        return am_problem_set(problem,
                              "\"%.*s\" has bits set after the prefix; the network is %s/%u, a "
                              "single address has no prefix length",
                              shown(text), text.ptr, am_ip_format(&net->base, base), prefix);
    return true;
}

bool am_net_contains(const struct am_net *net, const struct am_ip *ip)
{
    size_t whole = net->prefix / 8;
    unsigned rest = net->prefix % 8;

    if (ip->family == 0 || net->base.family != ip->family)
        return false;
    if (memcmp(net->base.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || ((net->base.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest)) == 0;
}

bool am_netlist_contains(const struct am_netlist *list, const struct am_ip *ip)
{
    for (size_t i = 0; i < list->count; i++)
        if (am_net_contains(&list->nets[i], ip))
            return true;
    return false;
}
