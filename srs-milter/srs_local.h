#ifndef SRS_SRS_LOCAL_H
#define SRS_SRS_LOCAL_H

#include "srs-milter/srs.h"

/* Local parts: what quotes hide, and the parts of one that was rewritten. */

/*
 * Takes quotes and quoted pairs off a local part (RFC 5321 section 4.1.2).
 *
 * Returns: false with an empty `out` when memory is short. Ownership: `arena`, or the text itself.
 */
bool srs_local_unquote(struct am_arena *arena, struct am_span local,
                       struct am_span *out) AM_MUST_USE;

/*
 * Writes local part and domain as an address, with quotes where they are needed. UTF-8 needs none
 * (RFC 6531 section 3.3).
 *
 * Returns: SRS_OK, SRS_MALFORMED (a control character), SRS_TOO_LONG, SRS_FAILED.
 */
enum srs_status srs_local_join(struct am_arena *arena, struct am_span local, struct am_span domain,
                               const char **address) AM_MUST_USE;

/* An SRS0 or SRS1 local part, taken apart without judging it. */
struct srs_local {
    bool second;           /* SRS1 */
    struct am_span hash;   /* as it came */
    struct am_span day;    /* SRS0 only */
    struct am_span domain; /* of the former address; of the first forwarder */
    struct am_span rest;   /* its local part; all that stands behind "SRS0", separator included */
};

/*
 * Takes an unquoted local part apart.
 *
 * Returns: SRS_OK, SRS_NO_SRS, or SRS_MALFORMED. Ownership: points into `text`.
 */
enum srs_status srs_local_split(struct srs_local *parts, struct am_span text) AM_MUST_USE;

/* Returns the length of "SRS0" or "SRS1" with a separator behind it (5), else 0. */
size_t srs_local_tag(struct am_span text);

#endif
