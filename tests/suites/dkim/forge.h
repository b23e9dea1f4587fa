#ifndef TESTS_SUITES_DKIM_FORGE_H
#define TESTS_SUITES_DKIM_FORGE_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "dkim-milter/dkim_canon.h"

/*
 * Signatures of any shape: the text around b= is the caller's, whatever it is worth, and b= is
 * right for it. Made with the slow canonicalisation of the unit tests and with the library's
 * hashes, not with what is tested.
 */

/* A private key as text. */
struct forge_pem {
    const char *name, *text;
};

/* The keys of the test: ends with a null name. */
extern const struct forge_pem forge_pems[];

/* A key of the test. */
struct forge_key {
    EVP_PKEY *pkey;
    bool is_rsa;
    unsigned bits;
    const char *p;       /* p= of its record */
    const char *p_pkcs1; /* as RSAPublicKey; NULL for Ed25519 */
};

#define FORGE_KEYS 6
#define FORGE_FIELDS_MAX 64

/* Reads the keys. Returns: false when one cannot be read. Ownership: `arena`. */
bool forge_keys_read(struct forge_key keys[FORGE_KEYS], struct am_arena *arena) AM_MUST_USE;

/* A header field: the name with blanks before the colon, the value with what follows the colon. */
struct forge_field {
    struct am_span name, value;
};

/* What is signed, and how. */
struct forge_order {
    const struct forge_key *key;
    bool sha1;
    enum dkim_canon header_canon;
    const struct forge_field *fields; /* from the top, without the signature */
    size_t field_count;
    const struct am_span *names; /* h= */
    size_t name_count;
    struct am_span name;   /* of the signature's own field */
    struct am_span before; /* its value up to the "=" of b= */
    struct am_span after;  /* from what ends b= */
};

/* Returns bh= in base 64. length: of l=; SIZE_MAX for none. Ownership: `arena`. */
const char *forge_body_hash(struct am_arena *arena, bool sha1, enum dkim_canon canon,
                            struct am_span body, size_t length);

/* Returns the octets of a canonical body. */
size_t forge_body_len(enum dkim_canon canon, struct am_span body);

/* Returns b= in base 64. Ownership: `arena`. */
const char *forge_sign(struct am_arena *arena, const struct forge_order *order);

#endif
