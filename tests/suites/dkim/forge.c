#include "tests/suites/dkim/forge.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "tests/unit/dkim/reference_canon.h"

static const char *base64(struct am_arena *arena, const unsigned char *octets, size_t len)
{
    char *text = am_arena_alloc(arena, (len + 2) / 3 * 4 + 1);

    if (text == NULL)
        abort();
    EVP_EncodeBlock((unsigned char *)text, octets, (int)len);
    return text;
}

static void release_key(void *key)
{
    EVP_PKEY_free(key);
}

static bool read_key(struct forge_key *key, struct am_arena *arena, const char *pem)
{
    unsigned char raw[64], *der = NULL;
    size_t raw_len = sizeof(raw);
    BIO *bio = BIO_new_mem_buf(pem, -1);

    key->pkey = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (key->pkey == NULL || !am_arena_defer(arena, release_key, key->pkey))
        return false;
    key->bits = (unsigned)EVP_PKEY_get_bits(key->pkey);
    key->is_rsa = EVP_PKEY_is_a(key->pkey, "RSA") == 1;
    if (!key->is_rsa) {
        if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &raw_len) != 1)
            return false;
        key->p = base64(arena, raw, raw_len);
        return true;
    }
    int len = i2d_PUBKEY(key->pkey, &der);
    if (len <= 0)
        return false;
    key->p = base64(arena, der, (size_t)len);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_PublicKey(key->pkey, &der);
    if (len <= 0)
        return false;
    key->p_pkcs1 = base64(arena, der, (size_t)len);
    OPENSSL_free(der);
    return true;
}

bool forge_keys_read(struct forge_key keys[FORGE_KEYS], struct am_arena *arena)
{
    for (size_t i = 0; i < FORGE_KEYS; i++)
        if (!read_key(&keys[i], arena, forge_pems[i].text))
            return false;
    return true;
}

static const EVP_MD *hash_of(bool sha1)
{
    return sha1 ? EVP_sha1() : EVP_sha256();
}

size_t forge_body_len(enum dkim_canon canon, struct am_span body)
{
    struct am_buf out;

    am_buf_init(&out, 0);
    reference_canon_body(canon, body, &out);
    size_t len = out.len;
    am_buf_fini(&out);
    return len;
}

const char *forge_body_hash(struct am_arena *arena, bool sha1, enum dkim_canon canon,
                            struct am_span body, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct am_buf out;

    am_buf_init(&out, 0);
    reference_canon_body(canon, body, &out);
    if (EVP_Digest(am_buf_str(&out), out.len < length ? out.len : length, digest, &len,
                   hash_of(sha1), NULL) != 1)
        abort();
    am_buf_fini(&out);
    return base64(arena, digest, len);
}

static struct am_span bare_name(struct am_span name)
{
    while (name.len > 0 && (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t'))
        name.len--;
    return name;
}

/* The field that the `index`th name of h= means (RFC 6376 section 5.4.2), or NULL. */
static const struct forge_field *select_field(const struct forge_order *order, size_t index)
{
    size_t skip = 0;

    for (size_t i = 0; i < index; i++)
        skip += am_span_equal_nocase(order->names[i], order->names[index]);
    for (size_t i = order->field_count; i-- > 0;)
        if (am_span_equal_nocase(bare_name(order->fields[i].name), order->names[index]) &&
            skip-- == 0)
            return &order->fields[i];
    return NULL;
}

static void hash_input(const struct forge_order *order, struct am_buf *out)
{
    struct am_span none = am_span_of(NULL, 0);
    struct am_buf value;

    for (size_t i = 0; i < order->name_count; i++) {
        const struct forge_field *field = select_field(order, i);

        if (field == NULL)
            continue;
        reference_canon_header(order->header_canon, field->name, field->value, none, out);
        am_buf_add_str(out, "\r\n");
    }
    am_buf_init(&value, 0);
    am_buf_add(&value, order->before);
    am_buf_add(&value, order->after);
    reference_canon_header(order->header_canon, order->name, am_buf_span(&value), none, out);
    am_buf_fini(&value);
}

/* Ed25519 signs the hash (RFC 8463 section 3); RSA knows which hash it is. */
static bool sign(const struct forge_order *order, struct am_span input, unsigned char *out,
                 size_t *len)
{
    const EVP_MD *hash = hash_of(order->sha1);
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned digest_len = 0;
    bool good = false;

    if (context != NULL && order->key->is_rsa)
        good = EVP_DigestSignInit(context, NULL, hash, NULL, order->key->pkey) == 1 &&
               EVP_DigestSign(context, out, len, (const unsigned char *)input.ptr, input.len) == 1;
    else if (context != NULL)
        good = EVP_Digest(input.ptr, input.len, digest, &digest_len, hash, NULL) == 1 &&
               EVP_DigestSignInit(context, NULL, NULL, NULL, order->key->pkey) == 1 &&
               EVP_DigestSign(context, out, len, digest, digest_len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

const char *forge_sign(struct am_arena *arena, const struct forge_order *order)
{
    unsigned char signature[1024];
    size_t len = sizeof(signature);
    struct am_buf input;

    am_buf_init(&input, 0);
    hash_input(order, &input);
    if (!sign(order, am_buf_span(&input), signature, &len))
        abort();
    am_buf_fini(&input);
    return base64(arena, signature, len);
}
