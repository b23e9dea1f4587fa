#ifndef DKIM_DKIM_SIGN_TEXT_H
#define DKIM_DKIM_SIGN_TEXT_H

#include "common/base/buf.h"

/* Writes the value of a DKIM-Signature in lines for readers. */

struct dkim_sign_text {
    struct am_buf *out;
    size_t column; /* octets in the line so far */
};

/* Begins behind "DKIM-Signature: ". */
void dkim_sign_text_init(struct dkim_sign_text *text, struct am_buf *out);

/* Writes a piece that is not divided, with a blank in front or on a new line. */
void dkim_sign_text_word(struct dkim_sign_text *text, const char *word);

/* Writes a piece that is not divided on a new line: what a reader looks for stands at the left. */
void dkim_sign_text_line(struct dkim_sign_text *text, const char *word);

/* Writes a piece that is not divided right behind what stands there, or on a new line. */
void dkim_sign_text_join(struct dkim_sign_text *text, struct am_span piece);

/* The same with a separator right behind it, so that no line begins with one. */
void dkim_sign_text_item(struct dkim_sign_text *text, struct am_span piece, char separator);

/* Writes base 64, divided anywhere. */
void dkim_sign_text_split(struct dkim_sign_text *text, struct am_span digits);

/* Writes octets as dkim-quoted-printable (RFC 6376 section 2.11), divided where that may be; "|"
 * is encoded too, as z= asks. */
void dkim_sign_text_quoted(struct dkim_sign_text *text, struct am_span octets);

/* The same for names, which no fold may divide. */
void dkim_sign_text_name(struct dkim_sign_text *text, struct am_span octets);

#endif
