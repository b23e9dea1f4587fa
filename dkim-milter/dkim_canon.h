#ifndef DKIM_DKIM_CANON_H
#define DKIM_DKIM_CANON_H

/* The canonicalisations of RFC 6376 3.4; the values index arrays of DKIM_CANON_COUNT. */
enum dkim_canon {
    DKIM_CANON_SIMPLE,
    DKIM_CANON_RELAXED,
};

#define DKIM_CANON_COUNT 2

#endif
