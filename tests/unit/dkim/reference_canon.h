#ifndef TESTS_UNIT_DKIM_REFERENCE_CANON_H
#define TESTS_UNIT_DKIM_REFERENCE_CANON_H

#include "common/base/buf.h"
#include "dkim-milter/dkim_canon.h"
#include "dkim-milter/dkim_sink.h"

/*
 * RFC 6376 section 3.4 as it reads, one sentence after the other, with everything in memory:
 * slow and obvious. The programs' own code is held against it.
 */

/* Appends a canonical body. */
void reference_canon_body(enum dkim_canon canon, struct am_span body, struct am_buf *out);

/*
 * Appends a canonical header field without its final CRLF.
 *
 * name: with blanks before the colon. value: what follows the colon.
 * cut: a part of `value` that is left out; empty for none.
 */
void reference_canon_header(enum dkim_canon canon, struct am_span name, struct am_span value,
                            struct am_span cut, struct am_buf *out);

/* Makes a sink that appends what it gets to `out`. */
struct dkim_sink reference_sink(struct am_buf *out);

#endif
