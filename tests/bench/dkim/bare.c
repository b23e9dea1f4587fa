#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "dkim-milter/dkim_canon_body.h"
#include "dkim-milter/dkim_canon_header.h"
#include "dkim-milter/dkim_selection.h"
#include "dkim-milter/dkim_signature.h"
#include "tests/bench/dkim/subject.h"

struct bare {
    struct am_arena *arena;
    const struct bench_mail *mail;
    struct dkim_fields fields;
    struct dkim_signature signature;
    const struct dkim_field *signed_fields[64]; /* in the order of h= */
    size_t signed_count;
    EVP_PKEY *key;
    EVP_PKEY_CTX *operation;
    EVP_MD_CTX *hash;
    EVP_MD *sha256;
};

static void close_bare(void *state)
{
    struct bare *bare = state;

    EVP_MD_CTX_free(bare->hash);
    EVP_MD_free(bare->sha256);
    EVP_PKEY_CTX_free(bare->operation);
    EVP_PKEY_free(bare->key);
    am_arena_free(bare->arena);
    free(bare);
}

/* Takes what the signature says about the header. */
static bool read_header(struct bare *bare, const struct bench_mail *mail)
{
    dkim_fields_init(&bare->fields, bare->arena, false);
    for (size_t i = 0; i < mail->field_count; i++)
        if (dkim_fields_add(&bare->fields, mail->fields[i].name, mail->fields[i].value) == NULL)
            return false;
    if (!dkim_fields_prepare(&bare->fields))
        return false;
    struct dkim_selection *selection = dkim_selection_new(bare->arena, &bare->fields);
    if (selection == NULL || dkim_signature_parse(&bare->signature, bare->arena,
                                                  bare->fields.first->value) != DKIM_REASON_NONE)
        return false;
    dkim_selection_begin(selection, bare->fields.first);
    for (size_t i = 0; i < bare->signature.name_count; i++) {
        const struct dkim_field *field = dkim_selection_take(selection, bare->signature.names[i]);
        if (field != NULL && bare->signed_count < 64)
            bare->signed_fields[bare->signed_count++] = field;
    }
    return true;
}

/* Gets the key from the engine as OpenSSL has it. */
static EVP_PKEY *plain_key(const struct dkim_private_key *key)
{
    struct am_buf pem;
    EVP_PKEY *plain = NULL;

    am_buf_init(&pem, 0);
    if (dkim_private_key_write_pem(key, &pem)) {
        BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
        if (bio != NULL)
            plain = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    am_buf_fini(&pem);
    return plain;
}

static struct bare *open_bare(const struct bench_mail *mail, const struct dkim_private_key *key,
                              int (*init)(EVP_PKEY_CTX *context), struct am_problem *problem)
{
    struct bare *bare = calloc(1, sizeof(*bare));

    if (bare == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    bare->mail = mail;
    bare->arena = am_arena_new(4096, 0);
    bare->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    bare->hash = EVP_MD_CTX_new();
    bare->key = plain_key(key);
    if (bare->key != NULL)
        bare->operation = EVP_PKEY_CTX_new_from_pkey(NULL, bare->key, NULL);
    if (bare->arena != NULL && bare->sha256 != NULL && bare->hash != NULL &&
        bare->operation != NULL && init(bare->operation) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(bare->operation, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(bare->operation, bare->sha256) == 1 &&
        read_header(bare, mail))
        return bare;
    am_problem_set(problem, "the bare work could not be set up");
    close_bare(bare);
    return NULL;
}

static void take(void *user, const char *ptr, size_t len)
{
    EVP_DigestUpdate(user, ptr, len);
}

static bool hash_all(struct bare *bare, uint8_t digest[DKIM_HASH_LEN])
{
    const struct dkim_sink sink = {take, bare->hash};
    struct am_span rest = bare->mail->body;
    struct dkim_canon_body body;
    uint8_t body_hash[DKIM_HASH_LEN];

    EVP_DigestInit_ex2(bare->hash, bare->sha256, NULL);
    dkim_canon_body_init(&body, DKIM_CANON_RELAXED);
    while (rest.len > 0) {
        size_t len = rest.len < BENCH_CHUNK ? rest.len : BENCH_CHUNK;
        dkim_canon_body_update(&body, am_span_of(rest.ptr, len), &sink);
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    dkim_canon_body_finish(&body, &sink);
    EVP_DigestFinal_ex(bare->hash, body_hash, NULL);

    EVP_DigestInit_ex2(bare->hash, bare->sha256, NULL);
    for (size_t i = 0; i < bare->signed_count; i++)
        dkim_canon_header(DKIM_CANON_RELAXED, bare->signed_fields[i], &sink);
    dkim_canon_header_signature(DKIM_CANON_RELAXED, bare->fields.first,
                                bare->signature.signature_raw, &sink);
    EVP_DigestFinal_ex(bare->hash, digest, NULL);
    return memcmp(body_hash, bare->signature.body_hash, sizeof(body_hash)) == 0;
}

static void *open_verify(const struct bench_mail *mail, const struct dkim_private_key *key,
                         struct am_problem *problem)
{
    return open_bare(mail, key, EVP_PKEY_verify_init, problem);
}

static bool verify(void *state)
{
    struct bare *bare = state;
    struct am_span signature = bare->signature.signature;
    uint8_t digest[DKIM_HASH_LEN];

    return hash_all(bare, digest) &&
           EVP_PKEY_verify(bare->operation, (const unsigned char *)signature.ptr, signature.len,
                           digest, sizeof(digest)) == 1;
}

static void *open_sign(const struct bench_mail *mail, const struct dkim_private_key *key,
                       struct am_problem *problem)
{
    return open_bare(mail, key, EVP_PKEY_sign_init, problem);
}

static bool sign(void *state)
{
    struct bare *bare = state;
    uint8_t digest[DKIM_HASH_LEN], out[DKIM_SIGNATURE_LEN_MAX];
    size_t len = sizeof(out);

    return hash_all(bare, digest) &&
           EVP_PKEY_sign(bare->operation, out, &len, digest, sizeof(digest)) == 1 &&
           len == bare->signature.signature.len &&
           memcmp(out, bare->signature.signature.ptr, len) == 0;
}

const struct bench_subject bench_bare_verify = {"bare", open_verify, verify, close_bare};
const struct bench_subject bench_bare_sign = {"bare", open_sign, sign, close_bare};
