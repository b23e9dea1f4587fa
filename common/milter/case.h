#ifndef AM_MILTER_CASE_H
#define AM_MILTER_CASE_H

#include <jansson.h>

#include "common/dns/dns_recording.h"
#include "common/milter/play.h"

/* A case as data, and as JSON (docs/case-files.md). */

#define AM_CASE_FORMAT "authmilter-case"
#define AM_CASE_VERSION 1

/* Largest file that is read. */
#define AM_CASE_FILE_MAX ((size_t)256 << 20)

/* Most items of each list of a case that are read. */
#define AM_CASE_ITEMS_MAX 100000

struct am_case {
    uint64_t number;               /* of the file, among those of its runtime; not in it */
    const char *program, *release; /* that kept it */
    int64_t time_s;
    const char *config;     /* text of all options that differ from the defaults */
    uint64_t config_digest; /* of all options */
    struct am_strlist modules;
    const char *authserv_id;
    const char *queue_id, *listener;
    int role; /* enum am_role */

    const char *client; /* as am_play_mail has it */
    const char *client_name, *helo, *sender;
    struct am_strlist sender_params, recipients;
    bool addresses_kept;
    struct am_play_macro *macros;
    size_t macro_count;

    const char *header_kept; /* "full", "auth", "none", "cut", "not seen" */
    struct am_play_field *fields;
    size_t field_count;
    const char *body_kept; /* "full", "hash", "none", "cut", "not seen" */
    struct am_span body;
    uint64_t body_octets;
    const char *body_sha256; /* hexadecimal, of the body as it came; NULL = not kept */

    struct am_dns_recording conn_dns; /* asked about the connection, by whichever message */
    struct am_dns_recording dns;      /* asked about this message */
    struct am_outcome outcome;
};

/* Makes the object. Returns NULL when memory is short. Ownership: the caller's reference. */
json_t *am_case_to_json(const struct am_case *kept) AM_MUST_USE;

/* Reads one from text; `name` stands for the file. Returns false with a sentence. Ownership: arena.
 */
bool am_case_parse(struct am_case *kept, struct am_arena *arena, struct am_span text,
                   const char *name, struct am_problem *problem) AM_MUST_USE;

/* The same from a file. Blocking: reads it. */
bool am_case_load(struct am_case *kept, struct am_arena *arena, const char *path,
                  struct am_problem *problem) AM_MUST_USE;

#endif
