#include "dkim-milter/dkim_key_file.h"

#include "dkim-milter/dkim_base64.h"

static bool contains(struct am_span content, const char *text)
{
    return memmem(content.ptr, content.len, text, strlen(text)) != NULL;
}

static struct dkim_private_key *parse_pem(struct am_span content, struct am_problem *problem)
{
    if (contains(content, "ENCRYPTED"))
        am_problem_set(problem, "the private key is encrypted; store it without a passphrase "
                                "(openssl pkey -in FILE -out NEW)");
    else if (contains(content, "BEGIN OPENSSH "))
        am_problem_set(problem, "this is a key of OpenSSH; make one with \"authmilter keygen\"");
    else if (contains(content, "PRIVATE KEY-----"))
        return dkim_private_key_read(DKIM_PRIVATE_PEM, content, problem);
    else if (contains(content, "PUBLIC KEY-----"))
        am_problem_set(problem, "this is a public key; the private key is needed");
    else
        am_problem_set(problem, "there is no private key in it");
    return NULL;
}

/* The base 64 of an Ed25519 key, as dkimpy writes it. */
static bool is_text_seed(struct am_span content, uint8_t seed[32])
{
    size_t len;
    return dkim_base64_decode_into(am_span_trim(content), seed, 32, &len) && len == 32;
}

struct dkim_private_key *dkim_key_file_parse(struct am_span content, struct am_problem *problem)
{
    struct dkim_private_key *key = NULL;
    uint8_t seed[32];
    if (content.len == 0)
        am_problem_set(problem, "the file is empty");
    else if (content.len > DKIM_KEY_FILE_MAX)
        am_problem_set(problem, "too large for a private key");
    else if (contains(content, "-----BEGIN "))
        key = parse_pem(content, problem);
    else if (content.len == sizeof(seed))
        key = dkim_private_key_read(DKIM_PRIVATE_SEED, content, problem);
    else if (is_text_seed(content, seed))
        key = dkim_private_key_read(DKIM_PRIVATE_SEED, am_span_of((const char *)seed, sizeof(seed)),
                                    problem);
    else if (content.ptr[0] == 0x30) /* a sequence: how every key in DER begins */
        key = dkim_private_key_read(DKIM_PRIVATE_DER, content, problem);
    else
        am_problem_set(
            problem,
            "there is no private key in it: neither PEM (\"-----BEGIN PRIVATE KEY-----\"), "
            "nor DER, nor the 32 octets of an Ed25519 key or their base 64");
    dkim_wipe(seed, sizeof(seed));
    return key;
}
