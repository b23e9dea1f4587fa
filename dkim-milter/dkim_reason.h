#ifndef DKIM_DKIM_REASON_H
#define DKIM_DKIM_REASON_H

/*
 * What became of a signature, and why: one word of RFC 8601 section 2.7.1 and one reason behind
 * it. Each reason belongs to exactly one result, so whoever finds a reason has found the result.
 *
 * What RFC 6376 calls PERMFAIL is "permerror", but for the two findings that say something about
 * the message (body hash and signature do not match), which are "fail". What we refuse to do
 * though the signature may be good is "policy"; what may succeed later is "temperror".
 */

enum dkim_result {
    DKIM_NONE, /* the message is not signed */
    DKIM_PASS,
    DKIM_FAIL,
    DKIM_NEUTRAL,
    DKIM_POLICY,
    DKIM_PERMERROR,
    DKIM_TEMPERROR,
};
#define DKIM_RESULT_COUNT 7

enum dkim_reason {
    DKIM_REASON_NONE, /* nothing is wrong */

    /* The signature field itself (RFC 6376 section 6.1.1). */
    DKIM_REASON_SIGNATURE_SYNTAX, /* no tag list */
    DKIM_REASON_DUPLICATE_TAG,
    DKIM_REASON_TOO_MANY_TAGS,
    DKIM_REASON_MISSING_V,
    DKIM_REASON_MISSING_A,
    DKIM_REASON_MISSING_B,
    DKIM_REASON_MISSING_BH,
    DKIM_REASON_MISSING_D,
    DKIM_REASON_MISSING_H,
    DKIM_REASON_MISSING_S,
    DKIM_REASON_VERSION_UNKNOWN,
    DKIM_REASON_ALGORITHM_UNKNOWN,
    DKIM_REASON_ALGORITHM_SHA1, /* RFC 8301 section 3.1 */
    DKIM_REASON_CANON_UNKNOWN,
    DKIM_REASON_QUERY_UNKNOWN, /* q= without dns/txt */
    DKIM_REASON_BAD_B,         /* a tag's value breaks the tag's own syntax */
    DKIM_REASON_BAD_BH,
    DKIM_REASON_BAD_D,
    DKIM_REASON_BAD_H,
    DKIM_REASON_BAD_I,
    DKIM_REASON_BAD_L,
    DKIM_REASON_BAD_Q,
    DKIM_REASON_BAD_S,
    DKIM_REASON_BAD_T,
    DKIM_REASON_BAD_X,
    DKIM_REASON_FROM_UNSIGNED,     /* h= without From */
    DKIM_REASON_IDENTITY_OUTSIDE,  /* i= neither equal to nor below d= */
    DKIM_REASON_IDENTITY_STRICT,   /* i= below d= though the key says t=s */
    DKIM_REASON_EXPIRY_ORDER,      /* x= not after t= */
    DKIM_REASON_EXPIRED,           /* x= is past */
    DKIM_REASON_FUTURE,            /* t= lies ahead by more than the skew */
    DKIM_REASON_LENGTH_BEYOND,     /* l= beyond the end of the body */
    DKIM_REASON_LENGTH_INCOMPLETE, /* l= leaves content unsigned */

    /* What the message says. */
    DKIM_REASON_BODY_HASH_MISMATCH,
    DKIM_REASON_SIGNATURE_MISMATCH,
    DKIM_REASON_NO_FROM,
    DKIM_REASON_SEVERAL_FROM,

    /* The key record (RFC 6376 sections 3.6.1 and 6.1.2). */
    DKIM_REASON_KEY_NONE,    /* no such record */
    DKIM_REASON_KEY_SEVERAL, /* more than one TXT record */
    DKIM_REASON_KEY_SYNTAX,  /* no tag list, or a tag twice */
    DKIM_REASON_KEY_VERSION, /* v= not DKIM1, or not the first tag */
    DKIM_REASON_KEY_NO_P,
    DKIM_REASON_KEY_REVOKED, /* p= is empty */
    DKIM_REASON_KEY_TYPE_UNKNOWN,
    DKIM_REASON_KEY_TYPE_MISMATCH, /* k= does not fit a= */
    DKIM_REASON_KEY_HASH,          /* h= without sha256 */
    DKIM_REASON_KEY_SERVICE,       /* s= without email */
    DKIM_REASON_KEY_MALFORMED,     /* p= holds no usable key of the type */
    DKIM_REASON_KEY_SHORT,         /* RSA below 1024 bits, or what the limits ask */
    DKIM_REASON_KEY_LONG,          /* RSA above 8192 bits */

    /* The DNS did not say. */
    DKIM_REASON_DNS_TIMEOUT,
    DKIM_REASON_DNS_FAILURE, /* servers answered, none usefully */
    DKIM_REASON_DNS_BAD,     /* an answer that cannot be used */

    /* Budgets. */
    DKIM_REASON_TOO_MANY_SIGNATURES,
    DKIM_REASON_TOO_MANY_KEYS,  /* distinct key look-ups */
    DKIM_REASON_TOO_MANY_NAMES, /* in h= */
    DKIM_REASON_HEADER_TOO_LARGE,

    /* Ourselves. */
    DKIM_REASON_MEMORY,
    DKIM_REASON_CRYPTO, /* the library failed */
    DKIM_REASON_ENGINE, /* a peer engine in a process of its own failed or died */
};
#define DKIM_REASON_COUNT (DKIM_REASON_ENGINE + 1)

/* Returns the word of RFC 8601: "none", "pass", "permerror", ... Threads: any. */
const char *dkim_result_word(enum dkim_result result);

/* Returns the result a reason leads to; DKIM_PASS for DKIM_REASON_NONE. Threads: any. */
enum dkim_result dkim_reason_result(enum dkim_reason reason);

/*
 * Returns a word for logs and counters: lower-case letters, digits and hyphens, one for each
 * reason, "none" for DKIM_REASON_NONE. Threads: any.
 */
const char *dkim_reason_word(enum dkim_reason reason);

/*
 * Returns a short text for people, as it stands in reason= of an Authentication-Results field:
 * printable ASCII without quotes, no full stop; "" for DKIM_REASON_NONE. Threads: any.
 */
const char *dkim_reason_text(enum dkim_reason reason);

#endif
