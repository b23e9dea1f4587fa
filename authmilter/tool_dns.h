#ifndef AUTHMILTER_TOOL_DNS_H
#define AUTHMILTER_TOOL_DNS_H

#include "common/dns/dns_recording.h"

/* The resolver that the options --zone, --dns and --nameserver of a command ask for. */

#define TOOL_DNS_SERVERS_MAX 8

/* All zero: the name servers of resolv.conf. */
struct tool_dns {
    const char *zone;     /* master file in place of the DNS, or NULL */
    const char *recorded; /* recording in place of the DNS, or NULL */
    int64_t time_s;       /* when the recording was made, once it is open; 0 = not known */
    const char *nameservers[TOOL_DNS_SERVERS_MAX];
    size_t count;
};

/* Takes an argument of --nameserver. Returns false with a sentence: no address, or too many. */
bool tool_dns_add_nameserver(struct tool_dns *dns, const char *text, struct am_problem *problem);

/* Judges the options together. Returns false with a sentence: they exclude each other. */
bool tool_dns_check(const struct tool_dns *dns, struct am_problem *problem);

/* Returns a resolver, or NULL with a sentence. Ownership: freed with am_resolver_free(). */
struct am_resolver *tool_dns_open(struct tool_dns *dns, struct am_problem *problem) AM_MUST_USE;

/* What the option --record-dns asks for: the answers that a command uses, kept in a file. */
struct tool_record_dns {
    const char *path; /* NULL: nothing is kept */
    struct am_arena *arena;
    struct am_resolver *inner, *outer;
    struct am_dns_recording recording;
};

/*
 * Puts a recorder in front of a resolver, which it owns then. Returns: the resolver to ask; NULL
 * when memory is short, with `inner` freed.
 */
struct am_resolver *tool_record_dns_begin(struct tool_record_dns *record,
                                          struct am_resolver *inner) AM_MUST_USE;

/* Frees the resolvers and writes the file. Returns false with a sentence. */
bool tool_record_dns_end(struct tool_record_dns *record, int64_t now_s,
                         struct am_problem *problem) AM_MUST_USE;

#endif
