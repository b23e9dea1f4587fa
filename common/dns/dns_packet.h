#ifndef AM_DNS_DNS_PACKET_H
#define AM_DNS_DNS_PACKET_H

#include "common/dns/dns.h"
#include "common/dns/dns_name.h"

/*
 * What is sent, and whether a reply belongs to it. Every datagram passes here
 * before anything else looks at it, so this works on the bytes alone, without
 * memory of its own: dropping a flood of forged replies is cheap.
 *
 * Threads: any; nothing here keeps state.
 */

/* Header, name, type and class, OPT record. */
#define AM_DNS_QUERY_MAX (12 + AM_DNS_NAME_WIRE_MAX + 4 + 11)

/* Largest datagram we ask for: fits the smallest IPv6 MTU, so it is never fragmented. */
#define AM_DNS_EDNS_SIZE 1232

/* A question as it was asked: fresh id, and letters in random case. */
struct am_dns_question {
    uint16_t id;
    uint16_t type;
    struct am_dns_name name; /* here alone the case is mixed */
};

/*
 * Makes a question with an unpredictable id and unpredictable letter case.
 *
 * Returns: false when the operating system has no random bytes.
 */
bool am_dns_question_make(struct am_dns_question *question, const struct am_dns_name *name,
                          enum am_dns_type type);

/* Writes the query packet (RD and AD set) and returns its length. */
size_t am_dns_packet_build(uint8_t out[AM_DNS_QUERY_MAX], const struct am_dns_question *question,
                           bool edns);

enum am_dns_match {
    AM_DNS_MATCH_NO,   /* another id, question, opcode, or no reply at all */
    AM_DNS_MATCH_CASE, /* ours but for the letter case of the name */
    AM_DNS_MATCH_BARE, /* our id and a refusal to read the question, which is left out (FORMERR,
                          NOTIMP) */
    AM_DNS_MATCH_YES,
};

/* Compares a packet with the question that was asked. */
enum am_dns_match am_dns_packet_match(const uint8_t *packet, size_t size,
                                      const struct am_dns_question *question);

/* Tells whether a packet that matched was cut by its sender (TC). */
bool am_dns_packet_is_truncated(const uint8_t *packet);

#endif
