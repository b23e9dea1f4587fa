#include "dkim-milter/dkim_reason.h"

#include <stddef.h>

static const struct row {
    enum dkim_result result;
    const char *word, *text;
} rows[DKIM_REASON_COUNT] = {
    [DKIM_REASON_NONE] = {DKIM_PASS, "none", ""},

    [DKIM_REASON_SIGNATURE_SYNTAX] = {DKIM_PERMERROR, "signature-syntax",
                                      "signature is no list of tags"},
    [DKIM_REASON_DUPLICATE_TAG] = {DKIM_PERMERROR, "duplicate-tag", "signature has a tag twice"},
    [DKIM_REASON_TOO_MANY_TAGS] = {DKIM_POLICY, "too-many-tags", "signature has too many tags"},
    [DKIM_REASON_MISSING_V] = {DKIM_PERMERROR, "missing-v", "signature without v="},
    [DKIM_REASON_MISSING_A] = {DKIM_PERMERROR, "missing-a", "signature without a="},
    [DKIM_REASON_MISSING_B] = {DKIM_PERMERROR, "missing-b", "signature without b="},
    [DKIM_REASON_MISSING_BH] = {DKIM_PERMERROR, "missing-bh", "signature without bh="},
    [DKIM_REASON_MISSING_D] = {DKIM_PERMERROR, "missing-d", "signature without d="},
    [DKIM_REASON_MISSING_H] = {DKIM_PERMERROR, "missing-h", "signature without h="},
    [DKIM_REASON_MISSING_S] = {DKIM_PERMERROR, "missing-s", "signature without s="},
    [DKIM_REASON_VERSION_UNKNOWN] = {DKIM_PERMERROR, "version-unknown",
                                     "unknown version of signature"},
    [DKIM_REASON_ALGORITHM_UNKNOWN] = {DKIM_PERMERROR, "algorithm-unknown",
                                       "unknown signature algorithm"},
    [DKIM_REASON_ALGORITHM_SHA1] = {DKIM_PERMERROR, "algorithm-sha1",
                                    "SHA-1 is not accepted (RFC 8301)"},
    [DKIM_REASON_CANON_UNKNOWN] = {DKIM_PERMERROR, "canonicalization-unknown",
                                   "unknown canonicalization"},
    [DKIM_REASON_QUERY_UNKNOWN] = {DKIM_PERMERROR, "query-unknown", "no known query method in q="},
    [DKIM_REASON_BAD_B] = {DKIM_PERMERROR, "bad-b", "b= is not base 64"},
    [DKIM_REASON_BAD_BH] = {DKIM_PERMERROR, "bad-bh", "bh= is no SHA-256 hash in base 64"},
    [DKIM_REASON_BAD_D] = {DKIM_PERMERROR, "bad-d", "d= is no domain name"},
    [DKIM_REASON_BAD_H] = {DKIM_PERMERROR, "bad-h", "h= is no list of field names"},
    [DKIM_REASON_BAD_I] = {DKIM_PERMERROR, "bad-i", "i= is no identity"},
    [DKIM_REASON_BAD_L] = {DKIM_PERMERROR, "bad-l", "l= is no number"},
    [DKIM_REASON_BAD_Q] = {DKIM_PERMERROR, "bad-q", "q= is no list of query methods"},
    [DKIM_REASON_BAD_S] = {DKIM_PERMERROR, "bad-s", "s= is no selector"},
    [DKIM_REASON_BAD_T] = {DKIM_PERMERROR, "bad-t", "t= is no time"},
    [DKIM_REASON_BAD_X] = {DKIM_PERMERROR, "bad-x", "x= is no time"},
    [DKIM_REASON_FROM_UNSIGNED] = {DKIM_PERMERROR, "from-unsigned", "From is not signed"},
    [DKIM_REASON_IDENTITY_OUTSIDE] = {DKIM_PERMERROR, "identity-outside", "i= is not within d="},
    [DKIM_REASON_IDENTITY_STRICT] = {DKIM_PERMERROR, "identity-strict",
                                     "i= is below d= but the key allows d= only (t=s)"},
    [DKIM_REASON_EXPIRY_ORDER] = {DKIM_PERMERROR, "expiry-order", "x= is not later than t="},
    [DKIM_REASON_EXPIRED] = {DKIM_PERMERROR, "expired", "signature has expired"},
    [DKIM_REASON_FUTURE] = {DKIM_PERMERROR, "future", "signature is dated in the future"},
    [DKIM_REASON_LENGTH_BEYOND] = {DKIM_PERMERROR, "length-beyond-body",
                                   "l= is larger than the body"},
    [DKIM_REASON_LENGTH_INCOMPLETE] = {DKIM_POLICY, "length-incomplete",
                                       "l= leaves content unsigned"},

    [DKIM_REASON_BODY_HASH_MISMATCH] = {DKIM_FAIL, "body-hash-mismatch",
                                        "body hash did not verify"},
    [DKIM_REASON_SIGNATURE_MISMATCH] = {DKIM_FAIL, "signature-mismatch",
                                        "signature did not verify"},
    [DKIM_REASON_NO_FROM] = {DKIM_PERMERROR, "no-from", "message without From"},
    [DKIM_REASON_SEVERAL_FROM] = {DKIM_POLICY, "several-from", "message with several From fields"},

    [DKIM_REASON_KEY_NONE] = {DKIM_PERMERROR, "no-key", "no key for signature"},
    [DKIM_REASON_KEY_SEVERAL] = {DKIM_PERMERROR, "several-keys", "several key records"},
    [DKIM_REASON_KEY_SYNTAX] = {DKIM_PERMERROR, "key-syntax", "key record is malformed"},
    [DKIM_REASON_KEY_VERSION] = {DKIM_PERMERROR, "key-version", "unknown version of key record"},
    [DKIM_REASON_KEY_NO_P] = {DKIM_PERMERROR, "key-without-p", "key record without p="},
    [DKIM_REASON_KEY_REVOKED] = {DKIM_PERMERROR, "key-revoked", "key is revoked"},
    [DKIM_REASON_KEY_TYPE_UNKNOWN] = {DKIM_PERMERROR, "key-type-unknown", "unknown key type"},
    [DKIM_REASON_KEY_TYPE_MISMATCH] = {DKIM_PERMERROR, "key-type-mismatch",
                                       "key type does not fit signature algorithm"},
    [DKIM_REASON_KEY_HASH] = {DKIM_PERMERROR, "key-hash", "key does not allow SHA-256"},
    [DKIM_REASON_KEY_SERVICE] = {DKIM_PERMERROR, "key-service", "key is not for mail"},
    [DKIM_REASON_KEY_MALFORMED] = {DKIM_PERMERROR, "key-malformed", "p= holds no usable key"},
    [DKIM_REASON_KEY_SHORT] = {DKIM_POLICY, "key-short", "RSA key is too short (RFC 8301)"},
    [DKIM_REASON_KEY_LONG] = {DKIM_POLICY, "key-long", "RSA key above 8192 bits"},

    [DKIM_REASON_DNS_TIMEOUT] = {DKIM_TEMPERROR, "dns-timeout", "key look-up timed out"},
    [DKIM_REASON_DNS_FAILURE] = {DKIM_TEMPERROR, "dns-failure", "key look-up failed"},
    [DKIM_REASON_DNS_BAD] = {DKIM_TEMPERROR, "dns-bad-answer", "unusable answer to key look-up"},

    [DKIM_REASON_TOO_MANY_SIGNATURES] = {DKIM_POLICY, "too-many-signatures",
                                         "not evaluated: too many signatures"},
    [DKIM_REASON_TOO_MANY_KEYS] = {DKIM_POLICY, "too-many-keys",
                                   "not evaluated: too many key look-ups"},
    [DKIM_REASON_TOO_MANY_NAMES] = {DKIM_POLICY, "too-many-names",
                                    "not evaluated: too many names in h="},
    [DKIM_REASON_HEADER_TOO_LARGE] = {DKIM_POLICY, "header-too-large",
                                      "not evaluated: header too large"},

    [DKIM_REASON_MEMORY] = {DKIM_TEMPERROR, "memory", "out of memory"},
    [DKIM_REASON_CRYPTO] = {DKIM_TEMPERROR, "crypto", "cryptographic library failed"},
    [DKIM_REASON_ENGINE] = {DKIM_TEMPERROR, "engine", "verifying engine failed"},
};

static const char *const result_words[DKIM_RESULT_COUNT] = {
    [DKIM_NONE] = "none",           [DKIM_PASS] = "pass",     [DKIM_FAIL] = "fail",
    [DKIM_NEUTRAL] = "neutral",     [DKIM_POLICY] = "policy", [DKIM_PERMERROR] = "permerror",
    [DKIM_TEMPERROR] = "temperror",
};

/* A value that is none of ours is an error of ours, and shows as one. */
static const struct row *row_of(enum dkim_reason reason)
{
    return &rows[(size_t)reason < DKIM_REASON_COUNT ? reason : DKIM_REASON_CRYPTO];
}

const char *dkim_result_word(enum dkim_result result)
{
    return (size_t)result < DKIM_RESULT_COUNT ? result_words[result] : "temperror";
}

enum dkim_result dkim_reason_result(enum dkim_reason reason)
{
    return row_of(reason)->result;
}

const char *dkim_reason_word(enum dkim_reason reason)
{
    return row_of(reason)->word;
}

const char *dkim_reason_text(enum dkim_reason reason)
{
    return row_of(reason)->text;
}
