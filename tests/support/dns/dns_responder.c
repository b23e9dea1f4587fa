#include "tests/support/dns/dns_responder.h"

#include <string.h>

#define HEADER_LEN 12
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define TYPE_OPT 41

/* A chain longer than any resolver follows; a loop ends here too. */
#define CHAIN_MAX 14

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

bool dns_request_read(struct dns_request *request, const uint8_t *packet, size_t size)
{
    if (size < HEADER_LEN + 5 || (packet[2] & 0xf8) != 0 || get16(packet + 4) != 1)
        return false;
    if (!am_dns_name_from_wire(&request->name, packet + HEADER_LEN, size - HEADER_LEN))
        return false;
    size_t at = HEADER_LEN + request->name.len;
    if (size < at + 4)
        return false;
    request->id = (uint16_t)get16(packet);
    request->type = (uint16_t)get16(packet + at);
    memcpy(request->asked, packet + HEADER_LEN, request->name.len);
    request->wants_ad = (packet[3] & 0x20) != 0;
    at += 4;
    request->edns = size >= at + 11 && packet[at] == 0 && get16(packet + at + 1) == TYPE_OPT;
    request->udp_size = request->edns ? get16(packet + at + 3) : 512;
    return true;
}

static void begin(struct dns_response *response, const struct dns_request *request, unsigned rcode)
{
    uint8_t *data = response->data;
    size_t name_len = request->name.len;

    memset(data, 0, HEADER_LEN);
    put16(data, request->id);
    data[2] = 0x81;                    /* QR, RD */
    data[3] = (uint8_t)(0x80 | rcode); /* RA */
    put16(data + 4, 1);
    memcpy(data + HEADER_LEN, request->asked, name_len);
    put16(data + HEADER_LEN + name_len, request->type);
    put16(data + HEADER_LEN + name_len + 2, 1);
    response->len = HEADER_LEN + name_len + 4;
}

void dns_response_fail(struct dns_response *response, const struct dns_request *request,
                       unsigned rcode)
{
    begin(response, request, rcode);
}

void dns_response_truncate(struct dns_response *response, const struct dns_request *request)
{
    begin(response, request, DNS_RCODE_NOERROR);
    response->data[2] |= 0x02;
}

/* Adds a record; `count_at` is the place of its section's counter. One that does not fit is left
 * out. */
static void add_record(struct dns_response *response, const struct am_dns_name *owner,
                       const struct dns_request *request, uint16_t type,
                       const struct am_dns_rdata *rdata, size_t count_at)
{
    uint8_t *at = response->data + response->len;
    bool same = am_dns_name_equal(owner, &request->name);
    size_t owner_len = same ? 2 : owner->len;

    if (response->len + owner_len + 10 + rdata->len > DNS_MESSAGE_MAX)
        return;
    if (same)
        put16(at, 0xc000 | HEADER_LEN);
    else
        memcpy(at, owner->wire, owner_len);
    at += owner_len;
    put16(at, type);
    put16(at + 2, 1);
    put16(at + 4, rdata->ttl_s >> 16);
    put16(at + 6, rdata->ttl_s);
    put16(at + 8, (unsigned)rdata->len);
    memcpy(at + 10, rdata->data, rdata->len);
    response->len += owner_len + 10 + rdata->len;
    put16(response->data + count_at, get16(response->data + count_at) + 1);
}

static void add_matches(struct dns_response *response, const struct am_dns_name *owner,
                        const struct dns_request *request, const struct am_dns_zone_match *match)
{
    for (size_t i = 0; i < match->count; i++)
        add_record(response, owner, request, match->entries[i].type, &match->entries[i].rdata, 6);
}

/* The SOA of the closest zone above, with negative answers; without any in the file, none. */
static void add_soa(struct dns_response *response, const struct am_dns_zone_data *zone,
                    const struct dns_request *request, struct am_dns_name name)
{
    struct am_dns_zone_match match;

    do {
        am_dns_zone_data_find(zone, &name, TYPE_SOA, &match);
        if (match.outcome == AM_DNS_OK && !match.alias) {
            add_record(response, &name, request, TYPE_SOA, &match.entries[0].rdata, 8);
            return;
        }
    } while (am_dns_name_parent(&name, &name));
}

bool dns_response_build(struct dns_response *response, const struct am_dns_zone_data *zone,
                        const struct dns_request *request, const struct dns_manner *manner)
{
    struct am_dns_name name = request->name;
    struct am_dns_zone_match match;

    begin(response, request, DNS_RCODE_NOERROR);
    if (manner->secure && request->wants_ad)
        response->data[3] |= 0x20;
    for (int hops = 0; hops < CHAIN_MAX; hops++) {
        am_dns_zone_data_find(zone, &name, request->type, &match);
        if (match.outcome != AM_DNS_OK)
            break;
        add_matches(response, &name, request, &match);
        if (!match.alias || manner->one_alias)
            return true;
        const struct am_dns_rdata *target = &match.entries[0].rdata;
        if (!am_dns_name_from_wire(&name, target->data, target->len))
            return false;
    }
    if (match.outcome == AM_DNS_TIMEOUT)
        return false;
    if (match.outcome == AM_DNS_SERVFAIL) {
        dns_response_fail(response, request, DNS_RCODE_SERVFAIL);
        return true;
    }
    if (match.outcome == AM_DNS_NXDOMAIN)
        response->data[3] |= DNS_RCODE_NXDOMAIN;
    if (match.outcome != AM_DNS_OK)
        add_soa(response, zone, request, name);
    return true;
}
