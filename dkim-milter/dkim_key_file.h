#ifndef DKIM_DKIM_KEY_FILE_H
#define DKIM_DKIM_KEY_FILE_H

#include "common/base/problem.h"
#include "common/base/span.h"
#include "dkim-milter/dkim_crypto.h"

/* No key file is nearly as large: an RSA key of 8192 bits takes 6 KB as PEM. */
#define DKIM_KEY_FILE_MAX 65536

/*
 * Reads a private key from what its file holds: PEM or DER, PKCS#1 or PKCS#8; for Ed25519 also the
 * 32 octets themselves, or their base 64 in one line.
 *
 * Returns: the key, or NULL with a sentence on what is wrong and how to mend it, which names
 *   neither the file nor anything of the key.
 * Ownership: freed with dkim_private_key_free(). `content` stays the caller's, who wipes it with
 *   dkim_wipe(). Threads: any.
 */
struct dkim_private_key *dkim_key_file_parse(struct am_span content,
                                             struct am_problem *problem) AM_MUST_USE;

#endif
