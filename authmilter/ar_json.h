#ifndef AUTHMILTER_AR_JSON_H
#define AUTHMILTER_AR_JSON_H

#include <jansson.h>

#include "authres/authres.h"
#include "common/base/problem.h"

/*
 * A header field as JSON:
 *
 *     {"authserv_id":…,"version":…,"instance":…,
 *      "results":[{"method":…,"version":…,"result":…,"reason":…,
 *                  "properties":[{"ptype":…,"property":…,"value":…}],"comments":[…]}],
 *      "comments":[…],"forgiven":[{"offset":…,"what":…}]}
 *
 * What is not there is null. "comments_at" stands behind "comments" when one of them has another
 * place than the usual one (behind the result word; behind the authserv-id): an array as long as
 * "comments" that names the place of each, "before-method", "result", "reason" or the number of a
 * property in a result, "before-id", "id", "version" or "none" in the header. Comments are in the
 * order in which format writes them.
 */

/* Most octets of one JSON object that is read: every field that parse can read becomes a shorter
 * one. */
#define AR_JSON_MAX ((size_t)64 * AR_PARSE_MAX)

/*
 * Makes the object. `offset` is added to the offsets of what was forgiven.
 *
 * Returns: NULL when memory is short.
 * Ownership: the caller drops it with json_decref.
 */
json_t *ar_json_write(const struct ar_header *header, size_t offset);

/*
 * Makes a header of an object. Members that may be null may be absent too; unknown ones are
 * refused; "forgiven" is not looked at. `utf8` allows octets above 127.
 *
 * Returns: AR_OK and the header, else only `problem`, which begins with the place in the object,
 * e.g. "results[2].properties[0].value: ...".
 * Ownership: the caller frees the header with ar_header_free.
 */
enum ar_status ar_json_read(json_t *object, bool utf8, struct ar_header **out,
                            struct am_problem *problem);

#endif
