#ifndef TESTS_SUPPORT_DKIM_HAND_SIGNER_H
#define TESTS_SUPPORT_DKIM_HAND_SIGNER_H

#include "common/base/buf.h"
#include "dkim-milter/dkim_crypto.h"

/*
 * Signs messages tag by tag, in the plainest way, and so as no signer would: with tags that are
 * missing, wrong, or say what is not so. Everything aborts when memory is short.
 */

/* A header field; `value` is all behind the colon. */
struct hand_field {
    char *name, *value;
};

/* Returns a key that lasts as long as the program: RSA of some size, or Ed25519 (bits 0). */
const struct dkim_private_key *hand_key(unsigned bits);

/* Appends what p= of the key's record holds. */
void hand_key_text(struct am_buf *out, const struct dkim_private_key *key);

/*
 * Makes a signature of a message and returns its value. The tags are those of a usual one
 * (d=example.org, s=sel, h=From:To:Subject, relaxed/relaxed); `changes` names those that shall be
 * otherwise: "x=17" sets or adds one, "!t" leaves one out; ends with NULL; may be NULL.
 * bh= and b= are computed unless they are given, or the tags cannot be read.
 *
 * fields: from the top. body: with CRLF at line ends.
 * Ownership: the caller frees the text.
 */
char *hand_sign(const struct hand_field *fields, size_t count, struct am_span body,
                const struct dkim_private_key *key, const char *const *changes);

#endif
