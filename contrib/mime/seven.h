#ifndef CONTRIB_MIME_SEVEN_H
#define CONTRIB_MIME_SEVEN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/span.h"

/*
 * What a 7z archive's list of files costs before the first of its names is known. A bit may stand
 * for a file there, and the list is compressed: libarchive makes gigabytes of some hundred octets.
 */
enum am_seven {
    AM_SEVEN_NONE,      /* no such archive */
    AM_SEVEN_FITS,      /* it may be read, or is broken so that nothing will be */
    AM_SEVEN_ENCRYPTED, /* the list is */
    AM_SEVEN_BEYOND,    /* the list is longer, or stored in a way that none writes */
};

/* Judges an archive in memory. most: octets that its list may have, unpacked. */
enum am_seven am_seven_judge(struct am_span file, size_t most);

#endif
