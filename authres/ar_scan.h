#ifndef AR_SCAN_H
#define AR_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How programs that are no strict readers get to the authserv-id of a value. What one of them
 * takes for a blank or a comment another drops or reads: a walk has the habits of one.
 */

enum {
    AR_SCAN_FLAT = 1,   /* a comment ends at the first ")": they do not nest */
    AR_SCAN_RAW = 2,    /* a backslash in a comment protects nothing */
    AR_SCAN_JOINED = 4, /* line ends, with the blanks behind, and comments leave no gap */
    AR_SCAN_ASCII = 8,  /* octets above 127 are dropped */
    AR_SCAN_ALL = 15
};

struct ar_scan {
    const char *text;
    size_t len, pos;
    unsigned habits;
    bool no_comments; /* a parenthesis is open to the end: none is a comment */
    bool encoded;     /* an encoded word has been passed */
};

/* Returns the habits that could make a difference to how a value is read. */
unsigned ar_scan_useful(const char *value, size_t len);

/* Tells whether no id begins with this octet; in quotes it could, but then it does not count. */
bool ar_scan_is_rubbish(unsigned char c);

/*
 * Tells whether an encoded word begins at the position (RFC 2047 section 2). None is allowed in
 * these fields outside comments, but programs decode the field before they read it.
 */
bool ar_scan_is_encoded(const struct ar_scan *scan);

/* Returns the length of the control character at the position, else 0. */
size_t ar_scan_control(const struct ar_scan *scan);

/* Returns the length of what is dropped at the position: control characters that are no blanks,
 * octets that are no UTF-8, and what the habits say. */
size_t ar_scan_void(const struct ar_scan *scan);

/* Passes the comment at the position. Returns: false when there is none or it does not end. */
bool ar_scan_comment(struct ar_scan *scan);

/* Passes blanks and complete comments. Returns: whether there were any. */
bool ar_scan_cfws(struct ar_scan *scan);

/* Passes whatever may stand before an id: rubbish, the field's name once more, an ARC instance. */
void ar_scan_opening(struct ar_scan *scan);

#endif
