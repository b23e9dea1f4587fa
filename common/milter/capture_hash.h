#ifndef AM_MILTER_CAPTURE_HASH_H
#define AM_MILTER_CAPTURE_HASH_H

#include "common/base/span.h"

/* A running SHA-256 of a body that is not kept itself. */
struct am_capture_hash;

/* Begins one. Returns NULL when memory is short. */
struct am_capture_hash *am_capture_hash_new(void);

/* Adds octets. NULL is allowed. */
void am_capture_hash_add(struct am_capture_hash *hash, struct am_span chunk);

/* Ends it: writes 64 hexadecimal digits and a NUL, "" on failure. Frees it; NULL is allowed. */
void am_capture_hash_end(struct am_capture_hash *hash, char out[65]);

#endif
