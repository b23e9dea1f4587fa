#ifndef AM_MILTER_NATIVE_PACKET_H
#define AM_MILTER_NATIVE_PACKET_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/span.h"

/*
 * Packets of the milter protocol, version 6: a length in network order, a command or answer byte
 * that the length counts, and fields. Pure: bytes in, bytes out.
 */

/* Versions spoken. */
#define AM_NATIVE_VERSION 6u
#define AM_NATIVE_VERSION_MIN 2u

/* Most bytes behind the command byte of a packet that is taken. Postfix' longest field has 100 KB.
 */
#define AM_NATIVE_CONTENT_MAX ((size_t)1 << 20)

/* Most bytes of a body chunk that is sent. */
#define AM_NATIVE_CHUNK_MAX ((size_t)65535)

/* From the MTA. */
enum am_native_command {
    AM_NATIVE_ABORT = 'A',
    AM_NATIVE_BODY = 'B',
    AM_NATIVE_CONNECT = 'C',
    AM_NATIVE_MACRO = 'D',
    AM_NATIVE_EOM = 'E',
    AM_NATIVE_HELO = 'H',
    AM_NATIVE_QUIT_NC = 'K', /* the SMTP connection is over, and the next one follows */
    AM_NATIVE_HEADER = 'L',
    AM_NATIVE_MAIL = 'M',
    AM_NATIVE_EOH = 'N',
    AM_NATIVE_NEGOTIATE = 'O',
    AM_NATIVE_QUIT = 'Q',
    AM_NATIVE_RCPT = 'R',
    AM_NATIVE_DATA = 'T',
    AM_NATIVE_UNKNOWN = 'U',
};

/* To the MTA; the answer to a negotiation bears AM_NATIVE_NEGOTIATE. */
enum am_native_answer {
    AM_NATIVE_ADD_RCPT = '+',
    AM_NATIVE_DELETE_RCPT = '-',
    AM_NATIVE_ADD_RCPT_PARAMS = '2',
    AM_NATIVE_ACCEPT = 'a',
    AM_NATIVE_REPLACE_BODY = 'b',
    AM_NATIVE_CONTINUE = 'c',
    AM_NATIVE_DISCARD = 'd',
    AM_NATIVE_CHANGE_FROM = 'e',
    AM_NATIVE_ADD_HEADER = 'h',
    AM_NATIVE_INSERT_HEADER = 'i',
    AM_NATIVE_CHANGE_HEADER = 'm',
    AM_NATIVE_PROGRESS = 'p',
    AM_NATIVE_QUARANTINE = 'q',
    AM_NATIVE_REJECT = 'r',
    AM_NATIVE_SKIP = 's',
    AM_NATIVE_TEMPFAIL = 't',
    AM_NATIVE_REPLY = 'y',
};

struct am_native_packet {
    char command;
    struct am_span content;
};

enum am_native_take {
    AM_NATIVE_TAKEN,
    AM_NATIVE_MORE,   /* the packet is not complete yet */
    AM_NATIVE_BROKEN, /* its length is out of bounds: nothing that follows can be read */
};

/*
 * Takes the next packet off the front of `bytes`; its content points there. With AM_NATIVE_MORE
 * nothing is taken.
 */
enum am_native_take am_native_packet_take(struct am_span *bytes,
                                          struct am_native_packet *packet) AM_MUST_USE;

/*
 * Takes what is there of an incomplete AM_NATIVE_BODY packet off the front of `bytes`, which is all
 * of them, and judges its length like am_native_packet_take().
 *
 * Returns: how many bytes of its content are still to come; 0, with nothing taken, when the packet
 *   is another one, complete, or without any content so far.
 */
size_t am_native_packet_take_body(struct am_span *bytes, struct am_span *piece);

/* Returns how many bytes the packet at the front of `bytes` has in all; 0 while that is unknown. */
size_t am_native_packet_size(struct am_span bytes);

/* Takes a number off the front of `fields`. Returns false when there is none. */
bool am_native_take_u32(struct am_span *fields, uint32_t *value) AM_MUST_USE;

/* The same for a number of two bytes. */
bool am_native_take_u16(struct am_span *fields, uint16_t *value) AM_MUST_USE;

/* Takes a text and its NUL off the front of `fields`. Returns it in place, or NULL when there is
 * none. */
const char *am_native_take_text(struct am_span *fields) AM_MUST_USE;

/* Starts a packet at the end of `out`. Returns what am_native_packet_end() needs. */
size_t am_native_packet_begin(struct am_buf *out, char answer);

/* Ends the packet: writes its length. */
void am_native_packet_end(struct am_buf *out, size_t begin);

/* Appends a number of four bytes. */
void am_native_put_u32(struct am_buf *out, uint32_t value);

/* Appends a text and its NUL. */
void am_native_put_text(struct am_buf *out, const char *text);

#endif
