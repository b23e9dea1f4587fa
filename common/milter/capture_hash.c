#include "common/milter/capture_hash.h"

#include <openssl/evp.h>
#include <stdio.h>

/* The library's own type, under our name: nobody else needs to know it. */
static EVP_MD_CTX *context_of(struct am_capture_hash *hash)
{
    return (EVP_MD_CTX *)hash;
}

struct am_capture_hash *am_capture_hash_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return (struct am_capture_hash *)context;
}

void am_capture_hash_add(struct am_capture_hash *hash, struct am_span chunk)
{
    if (hash != NULL)
        (void)EVP_DigestUpdate(context_of(hash), chunk.ptr, chunk.len);
}

void am_capture_hash_end(struct am_capture_hash *hash, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    out[0] = '\0';
    if (hash != NULL && EVP_DigestFinal_ex(context_of(hash), digest, &len) == 1)
        for (unsigned i = 0; i < len && i < 32; i++)
            snprintf(out + 2 * i, 3, "%02x", digest[i]);
    EVP_MD_CTX_free(context_of(hash));
}
