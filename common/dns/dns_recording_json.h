#ifndef AM_DNS_DNS_RECORDING_JSON_H
#define AM_DNS_DNS_RECORDING_JSON_H

#include <jansson.h>

#include "common/dns/dns_recording.h"

/*
 * A recording as JSON (docs/dns-recording.md): a file of its own, and the member "dns" of a case.
 * Octets that are not printable UTF-8 stand as \xNN, a backslash as \\, within the JSON string.
 */

/* Largest file that is read. */
#define AM_DNS_RECORDING_FILE_MAX ((size_t)16 << 20)

/*
 * Makes the array of answers. Returns NULL when memory is short. Ownership: the caller's
 * reference.
 */
json_t *am_dns_recording_to_json(const struct am_dns_recording *recording) AM_MUST_USE;

/* Reads such an array into an empty recording. Returns false with a sentence that names the item.
 */
bool am_dns_recording_from_json(struct am_dns_recording *recording, const json_t *answers,
                                struct am_problem *problem) AM_MUST_USE;

/*
 * Writes a file, in place of one that is there.
 *
 * now_s: the time the answers came, seconds since 1970. Returns: false with a sentence.
 */
bool am_dns_recording_save(const struct am_dns_recording *recording, int64_t now_s,
                           const char *path, struct am_problem *problem) AM_MUST_USE;

/*
 * Reads a file; `now_s` is the time it was made, 0 when it does not say.
 *
 * Returns: false with a sentence. Blocking: reads the file.
 */
bool am_dns_recording_load(struct am_dns_recording *recording, const char *path, int64_t *now_s,
                           struct am_problem *problem) AM_MUST_USE;

/* The same from text in memory; `name` stands for the file in messages. */
bool am_dns_recording_parse(struct am_dns_recording *recording, struct am_span text,
                            const char *name, int64_t *now_s,
                            struct am_problem *problem) AM_MUST_USE;

#endif
