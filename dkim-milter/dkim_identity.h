#ifndef DKIM_DKIM_IDENTITY_H
#define DKIM_DKIM_IDENTITY_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * The identity of i= (RFC 6376 section 3.5, RFC 8616): an optional local part, "@" and a domain,
 * in dkim-quoted-printable.
 */
struct dkim_identity {
    struct am_span text;   /* decoded: "user@example.com", "\"a@b\"@example.com", "@example.com" */
    struct am_span local;  /* before the last "@", quotes included; may be empty */
    struct am_span domain; /* behind it */
    const char *ascii_domain; /* in lower-case A-labels */
};

enum dkim_identity_status {
    DKIM_IDENTITY_OK,
    DKIM_IDENTITY_BAD,
    DKIM_IDENTITY_MEMORY,
};

/*
 * Reads the value of i=. The local part is a dot-string or a quoted string (RFC 5321 section 4.1.2,
 * RFC 6531), so there is no control character in it; a "@" in quotes belongs to it.
 *
 * Ownership: lives as long as `arena`. Threads: any, one at a time per arena.
 */
enum dkim_identity_status dkim_identity_parse(struct dkim_identity *identity,
                                              struct am_arena *arena, struct am_span value);

/*
 * Converts a domain of a tag to lower-case A-labels.
 *
 * Labels are letters, digits, hyphens inside and underscores (which the grammar of RFC 6376 does
 * not have but senders use); U-labels are converted (RFC 8616). No final dot.
 *
 * Returns: short memory while a U-label is converted cannot be told from a bad one.
 * Ownership: `*ascii` lives as long as `arena`; it is NULL but for DKIM_IDENTITY_OK.
 */
enum dkim_identity_status dkim_domain_to_ascii(const char **ascii, struct am_arena *arena,
                                               struct am_span text);

#endif
