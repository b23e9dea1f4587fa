#include "common/dns/dns_packet.h"

#include <string.h>
#include <sys/random.h>

#include "common/base/span.h"

#define HEADER_LEN 12
#define CLASS_IN 1
#define TYPE_OPT 41

/* Bits of the third and fourth header octets (RFC 1035 section 4.1.1, RFC 6840 section 5.7). */
#define FLAG_QR 0x80u
#define FLAG_OPCODE 0x78u
#define FLAG_TC 0x02u
#define FLAG_RD 0x01u
#define FLAG_AD 0x20u
#define RCODE_MASK 0x0fu
#define RCODE_FORMERR 1
#define RCODE_NOTIMP 4

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

bool am_dns_question_make(struct am_dns_question *question, const struct am_dns_name *name,
                          enum am_dns_type type)
{
    uint8_t random[2 + (AM_DNS_NAME_WIRE_MAX + 7) / 8];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return false;
    question->id = (uint16_t)get16(random);
    question->type = (uint16_t)type;
    question->name = *name;
    /* Length octets are below 64 and so never letters. */
    for (size_t i = 0; i < name->len; i++) {
        uint8_t c = name->wire[i];
        if (c >= 'a' && c <= 'z' && (random[2 + i / 8] >> i % 8 & 1))
            question->name.wire[i] = (uint8_t)(c - ('a' - 'A'));
    }
    return true;
}

size_t am_dns_packet_build(uint8_t out[AM_DNS_QUERY_MAX], const struct am_dns_question *question,
                           bool edns)
{
    uint8_t *at = out;

    memset(out, 0, HEADER_LEN);
    put16(at, question->id);
    at[2] = FLAG_RD;
    at[3] = FLAG_AD; /* "tell me whether you validated it" */
    put16(at + 4, 1);
    put16(at + 10, edns ? 1 : 0);
    at += HEADER_LEN;
    memcpy(at, question->name.wire, question->name.len);
    at += question->name.len;
    put16(at, question->type);
    put16(at + 2, CLASS_IN);
    at += 4;
    if (edns) {
        /* RFC 6891 section 6.1.2: root, OPT, size, no extended rcode, version 0, no options. */
        memset(at, 0, 11);
        put16(at + 1, TYPE_OPT);
        put16(at + 3, AM_DNS_EDNS_SIZE);
        at += 11;
    }
    return (size_t)(at - out);
}

enum am_dns_match am_dns_packet_match(const uint8_t *packet, size_t size,
                                      const struct am_dns_question *question)
{
    size_t name_len = question->name.len;

    if (size < HEADER_LEN || get16(packet) != question->id || !(packet[2] & FLAG_QR) ||
        (packet[2] & FLAG_OPCODE) != 0)
        return AM_DNS_MATCH_NO;
    unsigned rcode = packet[3] & RCODE_MASK;
    if (get16(packet + 4) == 0 && size == HEADER_LEN &&
        (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP))
        return AM_DNS_MATCH_BARE;
    if (get16(packet + 4) != 1 || size < HEADER_LEN + name_len + 4)
        return AM_DNS_MATCH_NO;
    const uint8_t *after = packet + HEADER_LEN + name_len;
    if (get16(after) != question->type || get16(after + 2) != CLASS_IN)
        return AM_DNS_MATCH_NO;
    if (memcmp(packet + HEADER_LEN, question->name.wire, name_len) == 0)
        return AM_DNS_MATCH_YES;
    for (size_t i = 0; i < name_len; i++) {
        if (am_lower((char)packet[HEADER_LEN + i]) != am_lower((char)question->name.wire[i]))
            return AM_DNS_MATCH_NO;
    }
    return AM_DNS_MATCH_CASE;
}

bool am_dns_packet_is_truncated(const uint8_t *packet)
{
    return (packet[2] & FLAG_TC) != 0;
}
