#ifndef DKIM_DKIM_CANON_HEADER_H
#define DKIM_DKIM_CANON_HEADER_H

#include "dkim-milter/dkim_canon.h"
#include "dkim-milter/dkim_fields.h"
#include "dkim-milter/dkim_sink.h"

/*
 * Canonical header fields. In values a line end is LF or CRLF, both
 * hashed as CRLF; a CR before anything else is an ordinary octet, and so are NUL, VT and FF.
 *
 * simple (RFC 6376 3.4.1): name, blanks before the colon and value exactly as they came.
 * relaxed (RFC 6376 3.4.2): name in lower case, no blanks around the colon, line ends
 *   taken out, each run of SP and TAB one SP, none at the end.
 */

/* Hands on one field with its final CRLF. */
void dkim_canon_header(enum dkim_canon canon, const struct dkim_field *field,
                       const struct dkim_sink *sink);

/*
 * Hands on the signature itself, the last thing that is hashed (RFC 6376 3.7): the value of
 * b= left out, no final CRLF.
 *
 * b_value: lies within field->value: all between the "=" of b= and the ";" or the end, blanks
 *   and folds around the base64 included (RFC 6376 3.5: "including all surrounding
 *   whitespace"). Empty, with any pointer, when nothing is to be left out: signing.
 */
void dkim_canon_header_signature(enum dkim_canon canon, const struct dkim_field *field,
                                 struct am_span b_value, const struct dkim_sink *sink);

#endif
