#include "srs-milter/srs_hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/* base64 characters of the longest digest, with its padding and a NUL. */
#define ENCODED_MAX 48

static bool add_lower(EVP_MAC_CTX *context, struct am_span text)
{
    unsigned char chunk[64];

    for (size_t at = 0; at < text.len;) {
        size_t n = 0;
        while (n < sizeof(chunk) && at < text.len)
            chunk[n++] = (unsigned char)am_lower(text.ptr[at++]);
        if (EVP_MAC_update(context, chunk, n) != 1)
            return false;
    }
    return true;
}

static bool run(EVP_MAC_CTX *context, enum srs_digest digest, struct am_span secret,
                const struct am_span *texts, size_t count, unsigned char *out, size_t *len)
{
    char name[8] = "SHA1";
    if (digest == SRS_SHA256)
        memcpy(name, "SHA256", 7);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };

    if (EVP_MAC_init(context, (const unsigned char *)secret.ptr, secret.len, params) != 1)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_lower(context, texts[i]))
            return false;
    return EVP_MAC_final(context, out, len, EVP_MAX_MD_SIZE) == 1;
}

bool srs_hash_make(enum srs_digest digest, struct am_span secret, const struct am_span *texts,
                   size_t count, char out[SRS_HASH_LENGTH_MAX + 1])
{
    unsigned char octets[EVP_MAX_MD_SIZE];
    unsigned char encoded[ENCODED_MAX];
    size_t len = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    bool ok = context != NULL && run(context, digest, secret, texts, count, octets, &len);

    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    if (!ok || len > 32)
        return false;
    EVP_EncodeBlock(encoded, octets, (int)len);
    memcpy(out, encoded, SRS_HASH_LENGTH_MAX);
    out[SRS_HASH_LENGTH_MAX] = '\0';
    OPENSSL_cleanse(octets, sizeof(octets));
    return true;
}

int srs_hash_agrees(struct am_span came, const char *made)
{
    unsigned char differs = 0, differs_folded = 0;

    if (came.len > SRS_HASH_LENGTH_MAX)
        return 0;
    for (size_t i = 0; i < came.len; i++) {
        differs |= (unsigned char)(came.ptr[i] ^ made[i]);
        differs_folded |= (unsigned char)(am_lower(came.ptr[i]) ^ am_lower(made[i]));
    }
    return (differs_folded == 0) + (differs == 0);
}

void srs_hash_wipe(void *memory, size_t len)
{
    OPENSSL_cleanse(memory, len);
}
