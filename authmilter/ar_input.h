#ifndef AUTHMILTER_AR_INPUT_H
#define AUTHMILTER_AR_INPUT_H

#include <stdio.h>

#include "authres/authres.h"
#include "common/base/buf.h"

/*
 * Cuts a stream into Authentication-Results and ARC-Authentication-Results fields.
 *
 * An unindented line begins a field; the indented ones after it belong to it. Three kinds of first
 * line: one of the two names with its colon; another field's name with its colon, which is passed
 * over; anything else, which is a value without its name. An empty line ends the header, and
 * nothing is read after it. A first line of all that begins with "From " and holds no semicolon
 * separates the messages of a mailbox file, and is passed over; so is the byte order mark of
 * UTF-8 before it.
 *
 * Another field's name is a run of visible ASCII characters without any of ( ) " / ; = @ before an
 * optional blank and a colon. The exception: behind the colon stand, without a blank, only
 * hexadecimal digits, dots and colons, then at most a version number, then a semicolon. That is a
 * value whose authserv-id holds a port or an IPv6 address, as in "host:25; none".
 *
 * Memory is bounded by AR_PARSE_MAX, whatever the stream holds.
 * Threads: one at a time per stream.
 */

struct ar_input {
    FILE *file; /* not owned */
    struct am_buf text;
    size_t line, fields; /* read so far */
    bool cut, ended;
    bool marked; /* the text begins with a mark of UTF-8 */
};

/* One field as it stands in the stream, without its last line end. */
struct ar_field {
    struct am_span text; /* lives until the next field is read */
    size_t number;       /* counted from 1 among those handed out */
    size_t line;         /* its first one, counted from 1 in the stream */
    bool too_long;       /* longer than AR_PARSE_MAX octets; `text` is the beginning of it */
};

enum ar_input_status { AR_INPUT_FIELD, AR_INPUT_END, AR_INPUT_UNREADABLE, AR_INPUT_NO_MEMORY };

/* Starts reading at the stream's present position. */
void ar_input_init(struct ar_input *input, FILE *file);

/* Frees the memory. The stream stays open. */
void ar_input_fini(struct ar_input *input);

/*
 * Reads the next field. `*field` is filled with AR_INPUT_FIELD only. AR_INPUT_UNREADABLE leaves
 * the reason in errno.
 *
 * Blocking: on the stream.
 */
enum ar_input_status ar_input_next(struct ar_input *input, struct ar_field *field);

#endif
