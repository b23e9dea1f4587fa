#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_key_file.h"
#include "tests/support/arena_fixture.h"

/* Appendix A of RFC 8463: keys, and what the two signatures of its message are made of. */
#define ED25519_SECRET "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define ED25519_PUBLIC "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RSA_PUBLIC                                                                                 \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J1" \
    "6JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2" \
    "EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define ED25519_B                                                                                  \
    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
#define RSA_B                                                                                      \
    "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9" \
    "mPYQTnGdaSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="

/* The message's header in relaxed form, up to the signature. */
#define HEADER                                                                                     \
    "from:Joe SixPack <joe@football.example.com>\r\n"                                              \
    "to:Suzie Q <suzie@shopping.example.net>\r\n"                                                  \
    "subject:Is dinner ready?\r\n"                                                                 \
    "date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                               \
    "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
#define REST                                                                                       \
    "t=1528637909; h=from : to : subject : date : message-id : from : subject : date; "            \
    "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b="

static struct am_span decoded(const char *text)
{
    struct am_span octets;
    assert_true(dkim_base64_decode(arena, am_span_str(text), &octets));
    return octets;
}

static void hash_of(const char *text, uint8_t out[DKIM_HASH_LEN])
{
    struct dkim_hash hash = {0};
    assert_true(dkim_hash_init(&hash));
    dkim_hash_update(&hash, text, strlen(text));
    assert_true(dkim_hash_final(&hash, out));
    dkim_hash_fini(&hash);
}

static void hashes(void **state)
{
    /* "abc" and "" of FIPS 180-4's examples. */
    static const uint8_t abc[4] = {0xba, 0x78, 0x16, 0xbf}, nothing[4] = {0xe3, 0xb0, 0xc4, 0x42};
    struct dkim_hash hash = {0}, copy = {0}, again = {0};
    uint8_t out[DKIM_HASH_LEN], other[DKIM_HASH_LEN];
    (void)state;
    assert_true(dkim_hash_init(&hash));
    dkim_hash_update(&hash, "a", 1);
    assert_true(dkim_hash_copy(&copy, &hash));
    dkim_hash_update(&hash, "bc", 2);
    assert_true(dkim_hash_final(&hash, out));
    assert_memory_equal(out, abc, sizeof(abc));
    dkim_hash_update(&copy, "bc", 2); /* the copy goes its own way */
    assert_true(dkim_hash_copy(&again, &copy));
    assert_true(dkim_hash_final(&copy, other));
    assert_memory_equal(out, other, sizeof(out));
    assert_true(dkim_hash_init(&hash)); /* and again with the same memory */
    assert_true(dkim_hash_final(&hash, out));
    assert_memory_equal(out, nothing, sizeof(nothing));
    assert_true(dkim_hash_copy(&copy, &again)); /* over one that has ended */
    assert_true(dkim_hash_final(&copy, out));
    assert_memory_equal(out, abc, sizeof(abc));
    dkim_hash_fini(&hash);
    dkim_hash_fini(&copy);
    dkim_hash_fini(&again);
    dkim_hash_fini(&again);
    struct dkim_hash failed = {.failed = true};
    dkim_hash_update(&failed, "a", 1);
    assert_false(dkim_hash_copy(&copy, &failed));
    assert_false(dkim_hash_final(&failed, out));
    dkim_hash_fini(&copy);
}

static struct dkim_public_key *public_key(enum dkim_key_type type, struct am_span octets)
{
    struct dkim_public_key *key;
    assert_int_equal(dkim_public_key_new(&key, type, octets), DKIM_REASON_NONE);
    assert_int_equal(dkim_public_key_type(key), type);
    return key;
}

/* Flips each bit group of hash and signature; only the true ones verify. */
static void verify_all(struct dkim_public_key *key, const char *text, const char *b)
{
    uint8_t digest[DKIM_HASH_LEN];
    struct am_span good = decoded(b);
    char *bad = am_arena_copy(arena, good);
    assert_non_null(bad);
    hash_of(text, digest);
    assert_int_equal(dkim_public_key_verify(key, digest, good), DKIM_REASON_NONE);
    for (size_t i = 0; i < good.len; i += 7) {
        bad[i] = (char)(bad[i] ^ 0x10);
        assert_int_equal(dkim_public_key_verify(key, digest, am_span_of(bad, good.len)),
                         DKIM_REASON_SIGNATURE_MISMATCH);
        bad[i] = good.ptr[i];
    }
    for (size_t len = 0; len < good.len; len += 21)
        assert_int_equal(dkim_public_key_verify(key, digest, am_span_of(good.ptr, len)),
                         DKIM_REASON_SIGNATURE_MISMATCH);
    bad = am_arena_alloc(arena, good.len + 1);
    memcpy(bad, good.ptr, good.len);
    assert_int_equal(dkim_public_key_verify(key, digest, am_span_of(bad, good.len + 1)),
                     DKIM_REASON_SIGNATURE_MISMATCH);
    digest[0] ^= 1;
    assert_int_equal(dkim_public_key_verify(key, digest, good), DKIM_REASON_SIGNATURE_MISMATCH);
}

static void rfc8463_signatures(void **state)
{
    (void)state;
    struct dkim_public_key *key = public_key(DKIM_KEY_ED25519, decoded(ED25519_PUBLIC));
    assert_int_equal(dkim_public_key_bits(key), 256);
    verify_all(key,
               HEADER
               "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; "
               "d=football.example.com; i=@football.example.com; q=dns/txt; s=brisbane; " REST,
               ED25519_B);
    dkim_public_key_drop(key);
    key = public_key(DKIM_KEY_RSA, decoded(RSA_PUBLIC));
    assert_int_equal(dkim_public_key_bits(key), 1024);
    verify_all(key,
               HEADER "dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; "
                      "d=football.example.com; i=@football.example.com; q=dns/txt; s=test; " REST,
               RSA_B);
    dkim_public_key_drop(key);
}

/* RFC 8463's secret signs what RFC 8463 shows. */
static void rfc8463_signing(void **state)
{
    struct am_problem problem;
    uint8_t digest[DKIM_HASH_LEN], out[DKIM_SIGNATURE_LEN_MAX];
    size_t len;
    (void)state;
    struct dkim_private_key *key = dkim_key_file_parse(am_span_str(ED25519_SECRET "\n"), &problem);
    assert_non_null(key);
    assert_int_equal(dkim_private_key_type(key), DKIM_KEY_ED25519);
    assert_true(am_span_equal(dkim_private_key_public_octets(key), decoded(ED25519_PUBLIC)));
    hash_of(HEADER "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; "
                   "d=football.example.com; i=@football.example.com; q=dns/txt; s=brisbane; " REST,
            digest);
    assert_true(dkim_private_key_sign(key, digest, out, &len));
    assert_true(am_span_equal(am_span_of((char *)out, len), decoded(ED25519_B)));
    dkim_private_key_free(key);
    key = dkim_key_file_parse(decoded(ED25519_SECRET), &problem);
    assert_non_null(key);
    dkim_private_key_free(key);
}

/* DER by hand, so that it can be wrong. */
struct der {
    char octets[8192];
    size_t len;
};

static void der_add(struct der *der, int tag, const void *content, size_t len)
{
    char *at = der->octets + der->len;
    assert_true(der->len + len + 4 <= sizeof(der->octets));
    *at++ = (char)tag;
    *at++ = (char)0x82;
    *at++ = (char)(len >> 8);
    *at++ = (char)len;
    memcpy(at, content, len);
    der->len += len + 4;
}

/* A bare RSAPublicKey of a modulus of so many bits, its lowest octet, and an exponent. */
static struct am_span numbers(size_t bits, int low, const char *exponent, size_t exponent_len)
{
    static struct der inside, der;
    static char modulus[4096];
    size_t len = bits / 8 + 1;
    inside.len = der.len = 0;
    memset(modulus, 0x5a, len);
    modulus[0] = 0;
    modulus[1] = (char)0x80;
    modulus[len - 1] = (char)low;
    der_add(&inside, 0x02, modulus, len);
    der_add(&inside, 0x02, exponent, exponent_len);
    der_add(&der, 0x30, inside.octets, inside.len);
    return am_span_of(der.octets, der.len);
}

static enum dkim_reason rsa_reason(struct am_span octets)
{
    struct dkim_public_key *key;
    enum dkim_reason reason = dkim_public_key_new(&key, DKIM_KEY_RSA, octets);
    assert_true((key == NULL) == (reason != DKIM_REASON_NONE));
    dkim_public_key_drop(key);
    return reason;
}

static void rsa_numbers(void **state)
{
    (void)state;
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\x01\x00\x01", 3)), DKIM_REASON_NONE);
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\x03", 1)), DKIM_REASON_NONE);
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\x01\x00\x00\x00\x01", 5)), DKIM_REASON_NONE);
    assert_int_equal(rsa_reason(numbers(8192, 0x5b, "\x03", 1)), DKIM_REASON_NONE);
    assert_int_equal(rsa_reason(numbers(8200, 0x5b, "\x03", 1)), DKIM_REASON_KEY_LONG);
    assert_int_equal(rsa_reason(numbers(16384, 0x5b, "\x03", 1)), DKIM_REASON_KEY_LONG);
    assert_int_equal(rsa_reason(numbers(2048, 0x5a, "\x03", 1)), DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\x01", 1)), DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\x04", 1)), DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\x00", 1)), DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\xff", 1)), DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, "\x02\x00\x00\x00\x01", 5)),
                     DKIM_REASON_KEY_MALFORMED);
    static char long_exponent[257];
    memset(long_exponent, 0x55, sizeof(long_exponent));
    assert_int_equal(rsa_reason(numbers(2048, 0x5b, long_exponent, 256)),
                     DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(rsa_reason(numbers(8, 0x5b, "\x01\x00\x01", 3)), DKIM_REASON_KEY_MALFORMED);
}

/* A key that is too short can be told its size, but does not verify. */
static void short_key(void **state)
{
    uint8_t digest[DKIM_HASH_LEN] = {0};
    static const char zeros[128];
    (void)state;
    struct dkim_public_key *key = public_key(DKIM_KEY_RSA, numbers(1016, 0x5b, "\x01\x00\x01", 3));
    assert_int_equal(dkim_public_key_bits(key), 1016);
    assert_int_equal(dkim_public_key_verify(key, digest, am_span_of(zeros, 127)),
                     DKIM_REASON_KEY_SHORT);
    dkim_public_key_drop(key);
}

static void wrong_octets(void **state)
{
    (void)state;
    struct am_span good = decoded(RSA_PUBLIC);
    char *octets = am_arena_alloc(arena, good.len + 1);
    memcpy(octets, good.ptr, good.len);
    assert_int_equal(rsa_reason(am_span_of(octets, good.len)), DKIM_REASON_NONE);
    assert_int_equal(rsa_reason(am_span_of(octets, good.len + 1)), DKIM_REASON_KEY_MALFORMED);
    for (size_t len = 0; len < good.len; len++)
        assert_int_equal(rsa_reason(am_span_of(octets, len)), DKIM_REASON_KEY_MALFORMED);
    octets[10] ^= 1; /* in the algorithm's name */
    assert_int_equal(rsa_reason(am_span_of(octets, good.len)), DKIM_REASON_KEY_MALFORMED);
    octets[10] ^= 1;
    octets[21] = 1; /* unused bits of the bit string */
    assert_int_equal(rsa_reason(am_span_of(octets, good.len)), DKIM_REASON_KEY_MALFORMED);
    struct dkim_public_key *key;
    struct am_span ed25519 = decoded(ED25519_PUBLIC);
    assert_int_equal(rsa_reason(ed25519), DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(dkim_public_key_new(&key, DKIM_KEY_ED25519, am_span_of(ed25519.ptr, 31)),
                     DKIM_REASON_KEY_MALFORMED);
    assert_int_equal(dkim_public_key_new(&key, DKIM_KEY_ED25519, good), DKIM_REASON_KEY_MALFORMED);
}

/* The key in its two forms is one key. */
static void both_forms(void **state)
{
    (void)state;
    struct am_span octets = decoded(RSA_PUBLIC);
    struct dkim_public_key *whole = public_key(DKIM_KEY_RSA, octets);
    struct dkim_public_key *bare =
        public_key(DKIM_KEY_RSA, am_span_of(octets.ptr + 22, octets.len - 22));
    assert_int_equal(dkim_public_key_bits(whole), dkim_public_key_bits(bare));
    assert_ptr_equal(dkim_public_key_ref(bare), bare);
    dkim_public_key_drop(bare);
    verify_all(bare,
               HEADER "dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; "
                      "d=football.example.com; i=@football.example.com; q=dns/txt; s=test; " REST,
               RSA_B);
    dkim_public_key_drop(bare);
    dkim_public_key_drop(whole);
    dkim_public_key_drop(NULL);
}

static struct am_span bio_text(BIO *bio)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    struct am_span content =
        am_span_of(am_arena_copy(arena, am_span_of(text, (size_t)len)), (size_t)len);
    BIO_free(bio);
    return content;
}

/* Writes a key in one of the forms its file may have. */
static struct am_span file_of(EVP_PKEY *pkey, int form)
{
    BIO *bio = BIO_new(BIO_s_mem());
    switch (form) {
    case 0:
        assert_true(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL));
        break;
    case 1:
        assert_true(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
        break;
    case 2:
        assert_true(i2d_PrivateKey_bio(bio, pkey));
        break;
    case 3:
        assert_true(i2d_PKCS8PrivateKey_bio(bio, pkey, NULL, NULL, 0, NULL, NULL));
        break;
    case 4:
        assert_true(PEM_write_bio_PUBKEY(bio, pkey));
        break;
    case 5:
        assert_true(
            PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_128_cbc(), "secret", 6, NULL, NULL));
        break;
    default:
        assert_true(PEM_write_bio_PrivateKey_traditional(
            bio, pkey, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL));
    }
    return bio_text(bio);
}

static EVP_PKEY *rsa_key(unsigned bits)
{
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    assert_non_null(pkey);
    return pkey;
}

static void key_files(void **state)
{
    struct am_problem problem;
    uint8_t digest[DKIM_HASH_LEN] = {7}, out[DKIM_SIGNATURE_LEN_MAX];
    size_t len;
    (void)state;
    EVP_PKEY *pkeys[] = {rsa_key(2048), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        for (int form = type == DKIM_KEY_RSA ? 0 : 1; form < 4; form++) {
            struct dkim_private_key *key =
                dkim_key_file_parse(file_of(pkeys[type], form), &problem);
            assert_non_null(key);
            assert_int_equal(dkim_private_key_type(key), type);
            assert_int_equal(dkim_private_key_bits(key), type == DKIM_KEY_RSA ? 2048 : 256);
            struct dkim_public_key *public =
                public_key((enum dkim_key_type)type, dkim_private_key_public_octets(key));
            assert_true(dkim_private_key_fits(key, public));
            assert_true(dkim_private_key_sign(key, digest, out, &len));
            assert_int_equal(len, type == DKIM_KEY_RSA ? 256 : 64);
            assert_int_equal(dkim_public_key_verify(public, digest, am_span_of((char *)out, len)),
                             DKIM_REASON_NONE);
            struct dkim_public_key *other =
                public_key((enum dkim_key_type) !type,
                           decoded(type == DKIM_KEY_RSA ? ED25519_PUBLIC : RSA_PUBLIC));
            assert_false(dkim_private_key_fits(key, other));
            dkim_public_key_drop(other);
            dkim_public_key_drop(public);
            dkim_private_key_free(key);
        }
    }
    EVP_PKEY_free(pkeys[0]);
    EVP_PKEY_free(pkeys[1]);
}

static void assert_refused(struct am_span content, const char *says)
{
    struct am_problem problem = {""};
    assert_null(dkim_key_file_parse(content, &problem));
    if (strstr(problem.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", problem.text, says);
}

static void refused_files(void **state)
{
    (void)state;
    EVP_PKEY *good = rsa_key(1024), *small = rsa_key(768), *ec = EVP_EC_gen("P-256");
    assert_refused(file_of(small, 1), "768 bits is too short");
    assert_refused(file_of(ec, 0), "EC");
    assert_refused(file_of(ec, 3), "EC");
    assert_refused(file_of(good, 4), "public key");
    assert_refused(file_of(good, 5), "encrypted");
    assert_refused(file_of(good, 6), "encrypted");
    assert_refused(am_span_of(NULL, 0), "empty");
    assert_refused(am_span_str("hello\n"), "no private key");
    assert_refused(am_span_str("-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"),
                   "no readable private key");
    assert_refused(am_span_str("-----BEGIN CERTIFICATE-----\n"), "no private key");
    assert_refused(am_span_str("-----BEGIN OPENSSH PRIVATE KEY-----\n"), "OpenSSH");
    assert_refused(am_span_str("0\x82"), "no readable private key");
    char *large = am_arena_alloc(arena, DKIM_KEY_FILE_MAX + 1);
    assert_refused(am_span_of(large, DKIM_KEY_FILE_MAX + 1), "too large");

    struct am_span der = file_of(good, 2);
    char *broken = am_arena_copy(arena, der);
    broken[60] ^= 4; /* in the modulus */
    assert_refused(am_span_of(broken, der.len), "do not fit together");
    for (size_t len = 1; len < der.len; len += 13)
        if (len != 32)
            assert_refused(am_span_of(der.ptr, len), "private key");
    EVP_PKEY_free(good);
    EVP_PKEY_free(small);
    EVP_PKEY_free(ec);
}

static void generated(void **state)
{
    struct am_problem problem;
    (void)state;
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        struct dkim_private_key *key =
            dkim_private_key_generate((enum dkim_key_type)type, 1024, &problem);
        assert_non_null(key);
        struct am_buf pem;
        am_buf_init(&pem, 0);
        assert_true(dkim_private_key_write_pem(key, &pem));
        assert_memory_equal(pem.data, "-----BEGIN PRIVATE KEY-----\n", 28);
        struct dkim_private_key *again = dkim_key_file_parse(am_buf_span(&pem), &problem);
        assert_non_null(again);
        assert_true(am_span_equal(dkim_private_key_public_octets(key),
                                  dkim_private_key_public_octets(again)));
        dkim_wipe(pem.data, pem.len);
        assert_int_equal(pem.data[0], 0);
        am_buf_fini(&pem);
        am_buf_init(&pem, 16);
        assert_false(dkim_private_key_write_pem(key, &pem));
        am_buf_fini(&pem);
        dkim_private_key_free(again);
        dkim_private_key_free(key);
    }
    assert_null(dkim_private_key_generate(DKIM_KEY_RSA, 512, &problem));
    assert_non_null(strstr(problem.text, "1024 to 8192"));
    assert_null(dkim_private_key_generate(DKIM_KEY_RSA, 16384, &problem));
    assert_non_null(strstr(problem.text, "1024 to 8192"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),          cmocka_unit_test(rfc8463_signatures),
        cmocka_unit_test(rfc8463_signing), cmocka_unit_test(rsa_numbers),
        cmocka_unit_test(short_key),       cmocka_unit_test(wrong_octets),
        cmocka_unit_test(both_forms),      cmocka_unit_test(key_files),
        cmocka_unit_test(refused_files),   cmocka_unit_test(generated),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
