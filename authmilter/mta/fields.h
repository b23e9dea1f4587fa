#ifndef AUTHMILTER_MTA_FIELDS_H
#define AUTHMILTER_MTA_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/span.h"

/*
 * The fields of a packet, read in order with every bound checked. The first
 * field that is not there sets `bad`; later reads give empty values.
 */
struct mta_fields {
    struct am_span rest;
    bool bad;
};

/* Starts reading a packet's content. */
struct mta_fields mta_fields_of(struct am_span content);

/* Reads a 32-bit number in network order. */
uint32_t mta_fields_u32(struct mta_fields *fields);

/* Reads a NUL-terminated string; the text without its NUL points into the packet. */
const char *mta_fields_string(struct mta_fields *fields);

/* Tells whether nothing is left and nothing was missing. */
bool mta_fields_done(const struct mta_fields *fields);

/* Appends a 32-bit number in network order. */
void mta_put_u32(struct am_buf *out, uint32_t value);

/* Appends a string with its NUL; a NUL inside the text ends it early, as in an MTA. */
void mta_put_string(struct am_buf *out, struct am_span text);

/* Appends a whole packet: length, command, content. */
void mta_put_packet(struct am_buf *out, char command, struct am_span content);

#endif
