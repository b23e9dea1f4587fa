#include "dkim-milter/dkim_crypto.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_der.h"

/* Octets of an Ed25519 key, private or public (RFC 8032 section 5.1.5), and of its signature. */
#define ED25519_KEY_LEN 32
#define ED25519_SIGNATURE_LEN 64

/*
 * Verifying costs a multiplication for each bit of the exponent, so a long one from the DNS would
 * be an attack. F4 is what everybody has; 2^32 + 1 is the largest anybody is known to use.
 */
#define RSA_EXPONENT_BITS_MAX 33
#define RSA_EXPONENT_LEN_MAX 5

/* SHA-256, looked up once: constant from then on, and never given back. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

/*
 * The library does not clean up at exit: threads that are not ours to join (libmilter's) may still
 * be at work then, or keep an error queue that nobody could free any more.
 */
static void fetch_sha256(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static const EVP_MD *get_sha256(void)
{
    pthread_once(&sha256_once, fetch_sha256);
    return sha256;
}

bool dkim_crypto_start(struct am_problem *problem)
{
    return get_sha256() != NULL ||
           am_problem_set(problem, "the cryptographic library has no SHA-256");
}

const char *dkim_key_type_word(enum dkim_key_type type)
{
    return type == DKIM_KEY_ED25519 ? "ed25519" : "rsa";
}

const char *dkim_algorithm_word(enum dkim_key_type type)
{
    return type == DKIM_KEY_ED25519 ? "ed25519-sha256" : "rsa-sha256";
}

void dkim_wipe(void *memory, size_t len)
{
    OPENSSL_cleanse(memory, len);
}

/*
 * Tells why the library failed: for want of memory, or as the caller thinks. Empties the thread's
 * queue of errors, which would hold on to memory.
 */
static enum dkim_reason library_fault(enum dkim_reason otherwise)
{
    unsigned long error;
    while ((error = ERR_get_error()) != 0)
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
            otherwise = DKIM_REASON_MEMORY;
    return otherwise;
}

/* Hashes. */

bool dkim_hash_init(struct dkim_hash *hash)
{
    if (hash->context == NULL)
        hash->context = EVP_MD_CTX_new();
    hash->failed = hash->context == NULL || get_sha256() == NULL ||
                   EVP_DigestInit_ex2(hash->context, get_sha256(), NULL) != 1;
    return !hash->failed;
}

void dkim_hash_update(struct dkim_hash *hash, const void *octets, size_t len)
{
    if (!hash->failed && EVP_DigestUpdate(hash->context, octets, len) != 1)
        hash->failed = true;
}

bool dkim_hash_copy(struct dkim_hash *copy, const struct dkim_hash *hash)
{
    if (copy->context == NULL)
        copy->context = EVP_MD_CTX_new();
    copy->failed = hash->failed || copy->context == NULL ||
                   EVP_MD_CTX_copy_ex(copy->context, hash->context) != 1;
    return !copy->failed;
}

bool dkim_hash_final(struct dkim_hash *hash, uint8_t out[DKIM_HASH_LEN])
{
    if (!hash->failed && EVP_DigestFinal_ex(hash->context, out, NULL) == 1)
        return true;
    hash->failed = true;
    memset(out, 0, DKIM_HASH_LEN);
    return false;
}

void dkim_hash_fini(struct dkim_hash *hash)
{
    EVP_MD_CTX_free(hash->context);
    *hash = (struct dkim_hash){0};
}

/* Public keys. */

struct dkim_public_key {
    atomic_uint references;
    enum dkim_key_type type;
    unsigned bits;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *verifier; /* of RSA: ready to verify; copied for each use, which is cheap */
};

/* Judges the numbers before anything is calculated with them. */
static enum dkim_reason judge_rsa(const BIGNUM *modulus, const BIGNUM *exponent)
{
    if (modulus == NULL || exponent == NULL)
        return DKIM_REASON_MEMORY;
    if (!BN_is_odd(modulus) || !BN_is_odd(exponent) || BN_is_one(exponent) ||
        BN_num_bits(exponent) > RSA_EXPONENT_BITS_MAX || BN_cmp(exponent, modulus) >= 0)
        return DKIM_REASON_KEY_MALFORMED;
    return DKIM_REASON_NONE;
}

/*
 * Makes a key of its numbers: 25 times faster than the library's decoders, which try every form
 * they know.
 */
static EVP_PKEY *rsa_from_numbers(const BIGNUM *modulus, const BIGNUM *exponent)
{
    unsigned char n[DKIM_SIGNATURE_LEN_MAX], e[RSA_EXPONENT_LEN_MAX];
    size_t n_len = (size_t)BN_num_bytes(modulus), e_len = (size_t)BN_num_bytes(exponent);
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (context != NULL && BN_bn2nativepad(modulus, n, (int)n_len) > 0 &&
        BN_bn2nativepad(exponent, e, (int)e_len) > 0 && EVP_PKEY_fromdata_init(context) == 1) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, n_len),
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, e_len),
            OSSL_PARAM_construct_end(),
        };
        if (EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
            pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return pkey;
}

/* Makes a context that verifies or signs: PKCS#1 v1.5 over a SHA-256 that is there already. */
static EVP_PKEY_CTX *rsa_context(EVP_PKEY *pkey, int (*init)(EVP_PKEY_CTX *context))
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (context != NULL && init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context, get_sha256()) == 1)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static enum dkim_reason fill_rsa(struct dkim_public_key *key, struct am_span octets)
{
    struct am_span n, e;
    if (!dkim_der_rsa_numbers(octets, &n, &e) || e.len > RSA_EXPONENT_LEN_MAX)
        return DKIM_REASON_KEY_MALFORMED;
    if (n.len > DKIM_SIGNATURE_LEN_MAX)
        return DKIM_REASON_KEY_LONG;
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
    enum dkim_reason reason = judge_rsa(modulus, exponent);
    if (reason == DKIM_REASON_NONE) {
        key->bits = (unsigned)BN_num_bits(modulus);
        key->pkey = rsa_from_numbers(modulus, exponent);
        if (key->pkey != NULL)
            key->verifier = rsa_context(key->pkey, EVP_PKEY_verify_init);
        if (key->verifier == NULL)
            reason = DKIM_REASON_CRYPTO;
    }
    BN_free(modulus);
    BN_free(exponent);
    return reason;
}

static enum dkim_reason fill_ed25519(struct dkim_public_key *key, struct am_span octets)
{
    if (octets.len != ED25519_KEY_LEN)
        return DKIM_REASON_KEY_MALFORMED;
    key->bits = 8 * ED25519_KEY_LEN;
    key->pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                            (const unsigned char *)octets.ptr, octets.len);
    return key->pkey != NULL ? DKIM_REASON_NONE : DKIM_REASON_CRYPTO;
}

static void free_public(struct dkim_public_key *key)
{
    EVP_PKEY_CTX_free(key->verifier);
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum dkim_reason dkim_public_key_new(struct dkim_public_key **key, enum dkim_key_type type,
                                     struct am_span octets)
{
    *key = NULL;
    struct dkim_public_key *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return DKIM_REASON_MEMORY;
    atomic_init(&made->references, 1);
    made->type = type;
    enum dkim_reason reason =
        type == DKIM_KEY_ED25519 ? fill_ed25519(made, octets) : fill_rsa(made, octets);
    if (reason == DKIM_REASON_NONE) {
        *key = made;
        return reason;
    }
    free_public(made);
    return library_fault(reason);
}

struct dkim_public_key *dkim_public_key_ref(struct dkim_public_key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

void dkim_public_key_drop(struct dkim_public_key *key)
{
    if (key != NULL && atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) == 1)
        free_public(key);
}

enum dkim_key_type dkim_public_key_type(const struct dkim_public_key *key)
{
    return key->type;
}

unsigned dkim_public_key_bits(const struct dkim_public_key *key)
{
    return key->bits;
}

static enum dkim_reason verify_rsa(const struct dkim_public_key *key, const uint8_t *digest,
                                   struct am_span signature)
{
    if (key->bits < DKIM_RSA_BITS_MIN)
        return DKIM_REASON_KEY_SHORT;
    if (signature.len != (key->bits + 7) / 8)
        return DKIM_REASON_SIGNATURE_MISMATCH;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_dup(key->verifier);
    if (context == NULL)
        return DKIM_REASON_MEMORY;
    int verdict = EVP_PKEY_verify(context, (const unsigned char *)signature.ptr, signature.len,
                                  digest, DKIM_HASH_LEN);
    EVP_PKEY_CTX_free(context);
    return verdict == 1 ? DKIM_REASON_NONE : DKIM_REASON_SIGNATURE_MISMATCH;
}

/* PureEdDSA over the hash, as RFC 8463 section 3 has it. */
static enum dkim_reason verify_ed25519(const struct dkim_public_key *key, const uint8_t *digest,
                                       struct am_span signature)
{
    if (signature.len != ED25519_SIGNATURE_LEN)
        return DKIM_REASON_SIGNATURE_MISMATCH;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL)
        return DKIM_REASON_MEMORY;
    enum dkim_reason reason = DKIM_REASON_CRYPTO;
    if (EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1)
        reason = EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                                  digest, DKIM_HASH_LEN) == 1
                     ? DKIM_REASON_NONE
                     : DKIM_REASON_SIGNATURE_MISMATCH;
    EVP_MD_CTX_free(context);
    return reason;
}

enum dkim_reason dkim_public_key_verify(const struct dkim_public_key *key,
                                        const uint8_t digest[DKIM_HASH_LEN],
                                        struct am_span signature)
{
    enum dkim_reason reason = key->type == DKIM_KEY_ED25519 ? verify_ed25519(key, digest, signature)
                                                            : verify_rsa(key, digest, signature);
    return reason == DKIM_REASON_NONE ? reason : library_fault(reason);
}

/* Private keys. */

struct dkim_private_key {
    enum dkim_key_type type;
    unsigned bits;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *signer; /* of RSA: ready to sign; copied for each use */
    unsigned char *public_octets;
    size_t public_len;
};

static bool fill_public(struct dkim_private_key *key)
{
    if (key->type == DKIM_KEY_RSA) {
        int len = i2d_PUBKEY(key->pkey, &key->public_octets);
        key->public_len = len > 0 ? (size_t)len : 0;
        return len > 0;
    }
    key->public_len = ED25519_KEY_LEN;
    key->public_octets = OPENSSL_malloc(key->public_len);
    return key->public_octets != NULL &&
           EVP_PKEY_get_raw_public_key(key->pkey, key->public_octets, &key->public_len) == 1;
}

/* Signs and verifies once: a file whose numbers do not belong together must not come into use. */
static bool proves_itself(const struct dkim_private_key *key)
{
    static const uint8_t digest[DKIM_HASH_LEN] = {1};
    uint8_t signature[DKIM_SIGNATURE_LEN_MAX];
    size_t len;
    struct dkim_public_key *public_key;
    bool good = false;
    if (dkim_public_key_new(&public_key, key->type, dkim_private_key_public_octets(key)) ==
        DKIM_REASON_NONE)
        good = dkim_private_key_sign(key, digest, signature, &len) &&
               dkim_public_key_verify(public_key, digest,
                                      am_span_of((const char *)signature, len)) == DKIM_REASON_NONE;
    dkim_public_key_drop(public_key);
    return good;
}

static bool judge_private(struct dkim_private_key *key, struct am_problem *problem)
{
    switch (EVP_PKEY_get_base_id(key->pkey)) {
    case EVP_PKEY_RSA:
        key->type = DKIM_KEY_RSA;
        key->bits = (unsigned)EVP_PKEY_get_bits(key->pkey);
        break;
    case EVP_PKEY_ED25519:
        key->type = DKIM_KEY_ED25519;
        key->bits = 8 * ED25519_KEY_LEN;
        break;
    default:
        return am_problem_set(problem, "a key of type %s cannot sign mail; RSA and Ed25519 can",
                              EVP_PKEY_get0_type_name(key->pkey));
    }
    if (key->type == DKIM_KEY_RSA && key->bits < DKIM_RSA_BITS_MIN)
        return am_problem_set(problem,
                              "an RSA key of %u bits is too short: verifiers refuse less than %d "
                              "(RFC 8301); make one of %d",
                              key->bits, DKIM_RSA_BITS_MIN, DKIM_RSA_BITS_GOOD);
    if (key->type == DKIM_KEY_RSA && key->bits > DKIM_RSA_BITS_MAX)
        return am_problem_set(problem, "an RSA key of %u bits is too long; make one of %d",
                              key->bits, DKIM_RSA_BITS_GOOD);
    return true;
}

/* Takes over `pkey`, which may be NULL when `problem` is set already. */
static struct dkim_private_key *private_from(EVP_PKEY *pkey, struct am_problem *problem)
{
    if (pkey == NULL)
        return NULL;
    struct dkim_private_key *key = calloc(1, sizeof(*key));
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    key->pkey = pkey;
    if (judge_private(key, problem)) {
        if (key->type == DKIM_KEY_RSA)
            key->signer = rsa_context(pkey, EVP_PKEY_sign_init);
        if (fill_public(key) && proves_itself(key))
            return key;
        am_problem_set(problem, "the parts of the private key do not fit together: "
                                "what it signs does not verify");
    }
    dkim_private_key_free(key);
    return NULL;
}

/* Asked for a passphrase, there is none: nobody is there to type it. */
static int no_passphrase(char *buffer, int size, int writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

struct dkim_private_key *dkim_private_key_read(enum dkim_private_form form, struct am_span octets,
                                               struct am_problem *problem)
{
    const unsigned char *bytes = (const unsigned char *)octets.ptr;
    EVP_PKEY *pkey = NULL;
    if (form == DKIM_PRIVATE_PEM && octets.len <= INT_MAX) {
        BIO *bio = BIO_new_mem_buf(bytes, (int)octets.len);
        if (bio != NULL)
            pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        BIO_free(bio);
    } else if (form == DKIM_PRIVATE_DER && octets.len <= INT_MAX) {
        pkey = d2i_AutoPrivateKey(NULL, &bytes, (long)octets.len);
    } else if (form == DKIM_PRIVATE_SEED) {
        pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, octets.len);
    }
    if (pkey == NULL)
        am_problem_set(problem, "no readable private key");
    struct dkim_private_key *key = private_from(pkey, problem);
    ERR_clear_error();
    return key;
}

struct dkim_private_key *dkim_private_key_generate(enum dkim_key_type type, unsigned bits,
                                                   struct am_problem *problem)
{
    if (type == DKIM_KEY_RSA && (bits < DKIM_RSA_BITS_MIN || bits > DKIM_RSA_BITS_MAX)) {
        am_problem_set(problem, "an RSA key has %d to %d bits, not %u", DKIM_RSA_BITS_MIN,
                       DKIM_RSA_BITS_MAX, bits);
        return NULL;
    }
    EVP_PKEY *pkey =
        type == DKIM_KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_RSA_gen(bits);
    if (pkey == NULL)
        am_problem_set(problem, "the cryptographic library could not make a key");
    struct dkim_private_key *key = private_from(pkey, problem);
    ERR_clear_error();
    return key;
}

void dkim_private_key_free(struct dkim_private_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_CTX_free(key->signer);
    EVP_PKEY_free(key->pkey); /* the library overwrites the secret numbers */
    OPENSSL_free(key->public_octets);
    free(key);
}

enum dkim_key_type dkim_private_key_type(const struct dkim_private_key *key)
{
    return key->type;
}

unsigned dkim_private_key_bits(const struct dkim_private_key *key)
{
    return key->bits;
}

struct am_span dkim_private_key_public_octets(const struct dkim_private_key *key)
{
    return am_span_of((const char *)key->public_octets, key->public_len);
}

bool dkim_private_key_fits(const struct dkim_private_key *key,
                           const struct dkim_public_key *public_key)
{
    bool fits = key->type == public_key->type && EVP_PKEY_eq(key->pkey, public_key->pkey) == 1;
    ERR_clear_error();
    return fits;
}

bool dkim_private_key_write_pem(const struct dkim_private_key *key, struct am_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem()); /* wipes its memory when it is freed */
    char *text;
    if (bio != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        long len = BIO_get_mem_data(bio, &text);
        am_buf_add(out, am_span_of(text, (size_t)len));
    } else {
        out->failed = true;
    }
    BIO_free(bio);
    ERR_clear_error();
    return !out->failed;
}

static bool sign_rsa(const struct dkim_private_key *key, const uint8_t *digest, uint8_t *out,
                     size_t *len)
{
    EVP_PKEY_CTX *context = key->signer != NULL ? EVP_PKEY_CTX_dup(key->signer) : NULL;
    *len = DKIM_SIGNATURE_LEN_MAX;
    bool done = context != NULL && EVP_PKEY_sign(context, out, len, digest, DKIM_HASH_LEN) == 1;
    EVP_PKEY_CTX_free(context);
    return done;
}

static bool sign_ed25519(const struct dkim_private_key *key, const uint8_t *digest, uint8_t *out,
                         size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    *len = DKIM_SIGNATURE_LEN_MAX;
    bool done = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
                EVP_DigestSign(context, out, len, digest, DKIM_HASH_LEN) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

bool dkim_private_key_sign(const struct dkim_private_key *key, const uint8_t digest[DKIM_HASH_LEN],
                           uint8_t out[DKIM_SIGNATURE_LEN_MAX], size_t *len)
{
    bool done = key->type == DKIM_KEY_ED25519 ? sign_ed25519(key, digest, out, len)
                                              : sign_rsa(key, digest, out, len);
    if (!done) {
        *len = 0;
        ERR_clear_error();
    }
    return done;
}
