#ifndef DKIM_DKIM_SCAN_H
#define DKIM_DKIM_SCAN_H

#include "common/base/span.h"

/*
 * Find the first octet that the relaxed canonicalisation may have to change. Most
 * of a mail is canonical as it is, and this passes over it sixteen octets at a time.
 *
 * That octet is a TAB, or a SP that is the last octet of the text or stands before an octet up
 * to SP (another blank, a CR, ...; with LF and the like there may be nothing to change).
 */

/*
 * In a body: line ends are no reason to stop.
 *
 * Returns: the offset, or `text.len`.
 */
size_t dkim_scan_body(struct am_span text);

/* In a header field: LF is a reason, too; the octet before it may be its CR. Returns as above. */
size_t dkim_scan_field(struct am_span text);

/*
 * Returns the length of the octets at the start of `text` that may stand in the value of a tag and
 * need no second look: printable ASCII but ";".
 */
size_t dkim_scan_value(struct am_span text);

#endif
