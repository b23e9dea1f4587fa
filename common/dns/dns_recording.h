#ifndef AM_DNS_DNS_RECORDING_H
#define AM_DNS_DNS_RECORDING_H

#include "common/base/arena.h"
#include "common/dns/dns.h"

/*
 * What the DNS said while something was evaluated: each question once, with the first answer
 * that was used, or with the latest one (`latest`). With it the same evaluation can be made
 * anywhere and at any time (dns_recorder.h writes one, dns_replay.h answers from one,
 * dns_recording_json.h is its file).
 */

/* Bounds of a recording: more is left out, and `cut` says so. */
#define AM_DNS_RECORDING_QUESTIONS_MAX 2000
#define AM_DNS_RECORDING_BYTES_MAX ((size_t)2 << 20)

struct am_dns_recorded {
    struct am_dns_recorded *next;
    const char *name; /* lower case, no final dot */
    enum am_dns_type type;
    struct am_dns_answer answer;
};

struct am_dns_recording {
    struct am_arena *arena; /* of all that is in it */
    struct am_dns_recorded *first, *last;
    size_t count, bytes;
    bool cut;    /* a question found no room: the recording is not complete */
    bool latest; /* an answer takes the place of a former one to the same question */
};

/* Makes an empty recording in `arena`. */
void am_dns_recording_init(struct am_dns_recording *recording, struct am_arena *arena);

/* Adds an answer unless the question is there, or in place of what is there (`latest`). Copies all
 * of it; lack of room sets `cut`. */
void am_dns_recording_add(struct am_dns_recording *recording, const char *name,
                          enum am_dns_type type, const struct am_dns_answer *answer);

/* Returns what was said about a question, or NULL. The name in any letter case, with or without its
 * final dot. */
const struct am_dns_answer *am_dns_recording_find(const struct am_dns_recording *recording,
                                                  const char *name, enum am_dns_type type);

/* Finds a type by its word ("TXT"). Returns false when there is none. */
bool am_dns_type_find(const char *word, enum am_dns_type *type);

/* Finds an outcome by its word ("nxdomain"). Returns false when there is none. */
bool am_dns_outcome_find(const char *word, enum am_dns_outcome *outcome);

#endif
