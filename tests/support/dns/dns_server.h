#ifndef TESTS_SUPPORT_DNS_DNS_SERVER_H
#define TESTS_SUPPORT_DNS_DNS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/problem.h"

/*
 * A name server on 127.0.0.1 (UDP and TCP, one port) that answers from a master
 * file and misbehaves on demand. It has a thread of its own.
 *
 * Threads: any, for all functions but dns_server_free().
 */
struct dns_server;

enum dns_fault {
    DNS_FAULT_NONE,
    DNS_FAULT_SILENT, /* no answer at all */
    DNS_FAULT_SERVFAIL,
    DNS_FAULT_REFUSED,
    DNS_FAULT_FORMERR_EDNS, /* FORMERR to a query with EDNS0, the answer to one without */
    DNS_FAULT_FORMERR_BARE, /* the same, with a FORMERR that is a header only */
    DNS_FAULT_TRUNCATED,    /* TC over UDP; the answer over TCP */
    DNS_FAULT_GARBAGE,      /* our id and question, then bytes that are no records */
    DNS_FAULT_ONE_ALIAS,    /* of a chain of CNAMEs only the first, and no target */
    DNS_FAULT_CASE,         /* the question in lower case, over UDP every time */
    DNS_FAULT_REFERRAL,     /* no answer, no recursion, a name server in the authority section */
    /* A forged answer, the address in it changed, and the true one 20 ms later: */
    DNS_FAULT_FORGED_ID,
    DNS_FAULT_FORGED_QUESTION,
    DNS_FAULT_FORGED_TYPE,
    DNS_FAULT_FORGED_CASE,
    DNS_FAULT_FORGED_ADDRESS, /* from another port */
    DNS_FAULT_FORGED_QUERY,   /* not marked as an answer */
    DNS_FAULT_TWICE,          /* the true answer twice */
};

/*
 * Starts a server.
 *
 * zone: text of a master file. port: 0 for any free one.
 * Returns: the server, or NULL with a sentence.
 */
struct dns_server *dns_server_new(const char *zone, uint16_t port, struct am_problem *problem);

/* Stops and frees a server. NULL is allowed. */
void dns_server_free(struct dns_server *server);

/* Returns "127.0.0.1:port". */
const char *dns_server_address(const struct dns_server *server);

/* From now on the next `times` queries for a name (0: all) meet this fault. */
void dns_server_script(struct dns_server *server, const char *name, enum dns_fault fault,
                       unsigned times);

/* Sets the fault of every name that has no script. */
void dns_server_set_fault(struct dns_server *server, enum dns_fault fault);

/* Answers nothing about `name` and what is below it. Aborts on a name that cannot be. */
void dns_server_silence(struct dns_server *server, const char *name);

/* Has every answer wait. */
void dns_server_set_delay(struct dns_server *server, unsigned delay_ms);

/* Sets the AD bit in answers to queries that have it. */
void dns_server_set_secure(struct dns_server *server, bool secure);

/* Returns how many queries came for a name; NULL: for all names. */
unsigned dns_server_count(struct dns_server *server, const char *name);

/* Returns how many queries came over TCP. */
unsigned dns_server_count_tcp(struct dns_server *server);

#endif
