#ifndef DKIM_DKIM_CRYPTO_H
#define DKIM_DKIM_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"
#include "dkim-milter/dkim_reason.h"

/*
 * Hashes, keys and signatures. Nobody else knows the cryptographic library.
 */

/*
 * Has the library read its own configuration and find SHA-256 now, not with the first message.
 * Returns: false with a sentence. Blocking: reads files. Threads: any, as often as you like.
 */
bool dkim_crypto_start(struct am_problem *problem);

/* Octets of a SHA-256 hash. */
#define DKIM_HASH_LEN 32

/* RSA keys below the first never verify or sign (RFC 8301 section 3.2), above the last neither. */
#define DKIM_RSA_BITS_MIN 1024
#define DKIM_RSA_BITS_GOOD 2048
#define DKIM_RSA_BITS_MAX 8192

/* Longest signature, in octets. */
#define DKIM_SIGNATURE_LEN_MAX (DKIM_RSA_BITS_MAX / 8)

/* A key's type says which algorithm of a= it serves: there is one for each. */
enum dkim_key_type {
    DKIM_KEY_RSA,     /* rsa-sha256 */
    DKIM_KEY_ED25519, /* ed25519-sha256 (RFC 8463) */
};
#define DKIM_KEY_TYPE_COUNT 2

/* Returns the word of k=: "rsa", "ed25519". */
const char *dkim_key_type_word(enum dkim_key_type type);

/* Returns the word of a=: "rsa-sha256", "ed25519-sha256". */
const char *dkim_algorithm_word(enum dkim_key_type type);

/*
 * A running SHA-256. Zeroed memory is a hash that was not begun. Failure sticks and shows in
 * dkim_hash_final().
 * Threads: one at a time per hash.
 */
struct dkim_hash {
    struct evp_md_ctx_st *context;
    bool failed;
};

/*
 * Begins, or begins again. `hash` is zeroed memory or was begun before; its memory is reused.
 * Returns: false when memory is short (later calls are harmless, dkim_hash_final() fails).
 * Ownership: given back with dkim_hash_fini().
 */
bool dkim_hash_init(struct dkim_hash *hash);

/* Adds octets. */
void dkim_hash_update(struct dkim_hash *hash, const void *octets, size_t len);

/*
 * Makes `copy` (zeroed memory, or begun before) continue from where `hash` is.
 * Returns: false when memory is short or `hash` has failed; `copy` has failed then.
 */
bool dkim_hash_copy(struct dkim_hash *copy, const struct dkim_hash *hash);

/* Ends it. Returns false when it has failed; `out` is zeroed then. Begin again before other use. */
bool dkim_hash_final(struct dkim_hash *hash, uint8_t out[DKIM_HASH_LEN]) AM_MUST_USE;

/* Gives the memory back and leaves a hash that was not begun. */
void dkim_hash_fini(struct dkim_hash *hash);

/* A public key: never changes, shared by counted references. Threads: any. */
struct dkim_public_key;

/*
 * Makes a key of the octets of p=.
 *
 * RSA: SubjectPublicKeyInfo or a bare RSAPublicKey (PKCS#1), DER, nothing behind it; the exponent
 * is odd, at least 3 and below 2^33. Keys below DKIM_RSA_BITS_MIN are made, so that their size can
 * be told, but do not verify. Ed25519: the 32 octets of RFC 8463 section 4.2.
 *
 * Returns: DKIM_REASON_NONE, _KEY_MALFORMED, _KEY_LONG, _MEMORY or _CRYPTO; `*key` is NULL but for
 * the first. Ownership: the caller's reference goes back with dkim_public_key_drop().
 */
enum dkim_reason dkim_public_key_new(struct dkim_public_key **key, enum dkim_key_type type,
                                     struct am_span octets);

/* Takes one more reference and returns the key. */
struct dkim_public_key *dkim_public_key_ref(struct dkim_public_key *key);

/* Gives a reference back; the last one frees the key. NULL is allowed. */
void dkim_public_key_drop(struct dkim_public_key *key);

/* Returns the type. */
enum dkim_key_type dkim_public_key_type(const struct dkim_public_key *key);

/* Returns the size in bits: of the modulus, or 256. */
unsigned dkim_public_key_bits(const struct dkim_public_key *key);

/*
 * Verifies a signature over the SHA-256 of the header.
 *
 * Returns: DKIM_REASON_NONE, DKIM_REASON_SIGNATURE_MISMATCH (a wrong length too),
 *   DKIM_REASON_KEY_SHORT, DKIM_REASON_MEMORY or DKIM_REASON_CRYPTO. Memory that lacks inside the
 *   library's Ed25519 shows as a mismatch: it does not tell.
 */
enum dkim_reason dkim_public_key_verify(const struct dkim_public_key *key,
                                        const uint8_t digest[DKIM_HASH_LEN],
                                        struct am_span signature) AM_MUST_USE;

/* A private key: never changes; wiped when freed. Threads: any. */
struct dkim_private_key;

/* How a private key is written down. */
enum dkim_private_form {
    DKIM_PRIVATE_PEM,  /* PKCS#1 or PKCS#8 */
    DKIM_PRIVATE_DER,  /* the same */
    DKIM_PRIVATE_SEED, /* the 32 octets of an Ed25519 key */
};

/*
 * Reads a private key of a known form; dkim_key_file.h finds the form. Encrypted keys, other types,
 * RSA keys outside DKIM_RSA_BITS_MIN..DKIM_RSA_BITS_MAX and keys whose parts do not fit together
 * are refused.
 *
 * Returns: the key, or NULL with a sentence that names neither file nor anything of the key.
 * Ownership: freed with dkim_private_key_free(). `octets` stay the caller's, who wipes them.
 */
struct dkim_private_key *dkim_private_key_read(enum dkim_private_form form, struct am_span octets,
                                               struct am_problem *problem) AM_MUST_USE;

/*
 * Makes a new key. bits: of RSA, DKIM_RSA_BITS_MIN..DKIM_RSA_BITS_MAX; ignored for Ed25519.
 * Returns: the key, or NULL with a sentence. Blocking: RSA takes up to seconds.
 */
struct dkim_private_key *dkim_private_key_generate(enum dkim_key_type type, unsigned bits,
                                                   struct am_problem *problem) AM_MUST_USE;

/* Wipes and frees the key. NULL is allowed. */
void dkim_private_key_free(struct dkim_private_key *key);

/* Returns the type. */
enum dkim_key_type dkim_private_key_type(const struct dkim_private_key *key);

/* Returns the size in bits: of the modulus, or 256; warn below DKIM_RSA_BITS_GOOD. */
unsigned dkim_private_key_bits(const struct dkim_private_key *key);

/*
 * Returns the octets that p= of its key record holds, before base 64: SubjectPublicKeyInfo, or the
 * 32 octets of Ed25519. Ownership: lives as long as the key.
 */
struct am_span dkim_private_key_public_octets(const struct dkim_private_key *key);

/* Tells whether a published key is the other half of this one, in whichever form it was published.
 */
bool dkim_private_key_fits(const struct dkim_private_key *key,
                           const struct dkim_public_key *public_key);

/*
 * Writes the key as PEM (PKCS#8, not encrypted).
 *
 * Returns: false when memory is short or the buffer's limit is reached.
 * Ownership: the caller wipes the text with dkim_wipe() before it gives the buffer back; the
 *   buffer is never moved while it is filled.
 */
bool dkim_private_key_write_pem(const struct dkim_private_key *key, struct am_buf *out) AM_MUST_USE;

/*
 * Signs the SHA-256 of the header.
 *
 * out: `*len` octets are written, DKIM_SIGNATURE_LEN_MAX at most.
 * Returns: false when memory is short or the library failed; `*len` is 0 then.
 */
bool dkim_private_key_sign(const struct dkim_private_key *key, const uint8_t digest[DKIM_HASH_LEN],
                           uint8_t out[DKIM_SIGNATURE_LEN_MAX], size_t *len) AM_MUST_USE;

/* Overwrites memory that held a secret, so that no compiler leaves it out. NULL with 0 is allowed.
 */
void dkim_wipe(void *memory, size_t len);

#endif
