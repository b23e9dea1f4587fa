#include "dkim-milter/dkim_signature.h"

#include <string.h>

#include "common/mail/domain.h"
#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_identity.h"
#include "dkim-milter/dkim_scan.h"
#include "dkim-milter/dkim_tag.h"

/* Reads the value of one tag into its members. */
typedef enum dkim_reason read_value(struct dkim_signature *signature, struct am_arena *arena,
                                    const struct dkim_tag *tag);

static bool is(struct am_span text, const char *word)
{
    return am_span_equal(text, am_span_str(word));
}

static enum dkim_reason read_version(struct dkim_signature *signature, struct am_arena *arena,
                                     const struct dkim_tag *tag)
{
    (void)signature;
    (void)arena;
    return is(tag->value, "1") ? DKIM_REASON_NONE : DKIM_REASON_VERSION_UNKNOWN;
}

static enum dkim_reason read_algorithm(struct dkim_signature *signature, struct am_arena *arena,
                                       const struct dkim_tag *tag)
{
    (void)arena;
    signature->algorithm = tag->value;
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        if (!is(tag->value, dkim_algorithm_word((enum dkim_key_type)type)))
            continue;
        signature->key_type = (enum dkim_key_type)type;
        return DKIM_REASON_NONE;
    }
    return is(tag->value, "rsa-sha1") ? DKIM_REASON_ALGORITHM_SHA1 : DKIM_REASON_ALGORITHM_UNKNOWN;
}

/* b=; what the value is leaves no trace in the hash, so it is noted whether it is good or not. */
static enum dkim_reason read_signature(struct dkim_signature *signature, struct am_arena *arena,
                                       const struct dkim_tag *tag)
{
    signature->signature_raw = tag->raw;
    if (!dkim_base64_decode(arena, tag->value, &signature->signature)) {
        bool memory = signature->signature.len > 0;
        signature->signature.len = 0;
        return memory ? DKIM_REASON_MEMORY : DKIM_REASON_BAD_B;
    }
    char *text = am_arena_alloc(arena, tag->value.len);
    if (text == NULL)
        return DKIM_REASON_MEMORY;
    size_t len = 0;
    for (struct am_span rest = tag->value; rest.len > 0;) {
        size_t run = dkim_scan_value(rest);
        memcpy(text + len, rest.ptr, run);
        len += run;
        run += run < rest.len; /* an octet of white space */
        rest = am_span_of(rest.ptr + run, rest.len - run);
    }
    signature->signature_text = am_span_of(text, len);
    return DKIM_REASON_NONE;
}

static enum dkim_reason read_body_hash(struct dkim_signature *signature, struct am_arena *arena,
                                       const struct dkim_tag *tag)
{
    (void)arena;
    size_t len;
    uint8_t hash[DKIM_HASH_LEN];
    if (!dkim_base64_decode_into(tag->value, hash, sizeof(hash), &len) || len != sizeof(hash))
        return DKIM_REASON_BAD_BH;
    memcpy(signature->body_hash, hash, sizeof(hash));
    return DKIM_REASON_NONE;
}

/* c=: one word for the header, one for the body or "simple" (section 3.5). */
static enum dkim_reason read_canon(struct dkim_signature *signature, struct am_arena *arena,
                                   const struct dkim_tag *tag)
{
    (void)arena;
    size_t slash = am_span_find(tag->value, '/');
    struct am_span header = am_span_of(tag->value.ptr, slash), body = am_span_str("simple");
    if (slash < tag->value.len)
        body = am_span_of(tag->value.ptr + slash + 1, tag->value.len - slash - 1);
    bool header_relaxed = is(header, "relaxed"), body_relaxed = is(body, "relaxed");
    if ((!header_relaxed && !is(header, "simple")) || (!body_relaxed && !is(body, "simple")))
        return DKIM_REASON_CANON_UNKNOWN;
    signature->header_canon = header_relaxed ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE;
    signature->body_canon = body_relaxed ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE;
    return DKIM_REASON_NONE;
}

/* A domain name may have one label only where a selector is meant. */
static enum dkim_reason read_name(struct am_arena *arena, const struct dkim_tag *tag,
                                  bool is_domain, struct am_span *text, const char **ascii)
{
    enum dkim_reason bad = is_domain ? DKIM_REASON_BAD_D : DKIM_REASON_BAD_S;
    const char *name;
    enum dkim_identity_status status = dkim_domain_to_ascii(&name, arena, tag->value);
    if (status == DKIM_IDENTITY_OK && is_domain && !am_domain_is_multi_label(am_span_str(name)))
        status = DKIM_IDENTITY_BAD;
    if (status != DKIM_IDENTITY_OK)
        return status == DKIM_IDENTITY_MEMORY ? DKIM_REASON_MEMORY : bad;
    *text = tag->value;
    *ascii = name;
    return DKIM_REASON_NONE;
}

static enum dkim_reason read_domain(struct dkim_signature *signature, struct am_arena *arena,
                                    const struct dkim_tag *tag)
{
    return read_name(arena, tag, true, &signature->domain, &signature->ascii_domain);
}

static enum dkim_reason read_selector(struct dkim_signature *signature, struct am_arena *arena,
                                      const struct dkim_tag *tag)
{
    return read_name(arena, tag, false, &signature->selector, &signature->ascii_selector);
}

/* A field name of RFC 5322 section 3.6.8; ":" and ";" cannot get here. */
static bool is_field_name(struct am_span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] < '!' || name.ptr[i] > '~')
            return false;
    return name.len > 0;
}

static enum dkim_reason read_names(struct dkim_signature *signature, struct am_arena *arena,
                                   const struct dkim_tag *tag)
{
    size_t count = 1;
    for (size_t i = 0; i < tag->value.len; i++)
        count += tag->value.ptr[i] == ':';
    if (count > DKIM_SIGNATURE_NAMES_MAX)
        return DKIM_REASON_TOO_MANY_NAMES;
    struct am_span *names = am_arena_alloc(arena, count * sizeof(*names));
    if (names == NULL)
        return DKIM_REASON_MEMORY;
    struct am_span rest = tag->value;
    bool has_from = false;
    for (size_t i = 0; dkim_list_next(&rest, &names[i]); i++) {
        if (!is_field_name(names[i]))
            return DKIM_REASON_BAD_H;
        has_from = has_from || am_span_equal_nocase(names[i], am_span_str("from"));
    }
    signature->names = names;
    signature->name_count = count;
    return has_from ? DKIM_REASON_NONE : DKIM_REASON_FROM_UNSIGNED;
}

/* i= is compared with d= when both are known. */
static enum dkim_reason read_identity(struct dkim_signature *signature, struct am_arena *arena,
                                      const struct dkim_tag *tag)
{
    struct dkim_identity identity;
    enum dkim_identity_status status = dkim_identity_parse(&identity, arena, tag->value);
    if (status != DKIM_IDENTITY_OK)
        return status == DKIM_IDENTITY_MEMORY ? DKIM_REASON_MEMORY : DKIM_REASON_BAD_I;
    signature->has_identity = true;
    signature->identity = identity.text;
    signature->identity_local = identity.local;
    signature->identity_domain = identity.domain;
    if (signature->ascii_domain == NULL)
        return DKIM_REASON_NONE;
    struct am_span name = am_span_str(identity.ascii_domain);
    struct am_span domain = am_span_str(signature->ascii_domain);
    signature->identity_is_below = !am_domain_equal(name, domain);
    return am_domain_is_within(name, domain) ? DKIM_REASON_NONE : DKIM_REASON_IDENTITY_OUTSIDE;
}

/*
 * Reads 1 to `most` digits.
 *
 * Returns: false when it is not that. `*value` is `ceiling` for any larger number.
 */
static bool read_number(struct am_span text, size_t most, uint64_t ceiling, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!am_is_digit((unsigned char)text.ptr[i]))
            return false;
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        *value = *value > (ceiling - digit) / 10 ? ceiling : *value * 10 + digit;
    }
    return text.len > 0 && text.len <= most;
}

/* l=: 1*76DIGIT; no body is as long as numbers that 64 bits do not hold. */
static enum dkim_reason read_length(struct dkim_signature *signature, struct am_arena *arena,
                                    const struct dkim_tag *tag)
{
    (void)arena;
    if (!read_number(tag->value, 76, UINT64_MAX, &signature->length))
        return DKIM_REASON_BAD_L;
    signature->has_length = true;
    return signature->length == UINT64_MAX ? DKIM_REASON_LENGTH_BEYOND : DKIM_REASON_NONE;
}

/* q=: methods that are not known are passed over (section 3.5). */
static enum dkim_reason read_query(struct dkim_signature *signature, struct am_arena *arena,
                                   const struct dkim_tag *tag)
{
    (void)signature;
    (void)arena;
    struct am_span rest = tag->value, method;
    bool is_known = false;
    while (dkim_list_next(&rest, &method)) {
        if (!is_field_name(method))
            return DKIM_REASON_BAD_Q;
        is_known = is_known || is(method, "dns/txt");
    }
    return is_known ? DKIM_REASON_NONE : DKIM_REASON_QUERY_UNKNOWN;
}

/* t= and x=: numbers too large for 64 bits mean "never comes" (section 3.5). */
static bool read_time(struct am_span text, bool *has, int64_t *value)
{
    uint64_t number;
    *has = read_number(text, 20, INT64_MAX, &number);
    *value = *has ? (int64_t)number : 0;
    return *has;
}

static enum dkim_reason read_timestamp(struct dkim_signature *signature, struct am_arena *arena,
                                       const struct dkim_tag *tag)
{
    (void)arena;
    return read_time(tag->value, &signature->has_timestamp, &signature->timestamp)
               ? DKIM_REASON_NONE
               : DKIM_REASON_BAD_T;
}

/* x= is compared with t= when both are known. */
static enum dkim_reason read_expiry(struct dkim_signature *signature, struct am_arena *arena,
                                    const struct dkim_tag *tag)
{
    (void)arena;
    if (!read_time(tag->value, &signature->has_expiry, &signature->expiry))
        return DKIM_REASON_BAD_X;
    return signature->has_timestamp && signature->expiry <= signature->timestamp
               ? DKIM_REASON_EXPIRY_ORDER
               : DKIM_REASON_NONE;
}

static enum dkim_reason read_copied_fields(struct dkim_signature *signature, struct am_arena *arena,
                                           const struct dkim_tag *tag)
{
    (void)arena;
    signature->copied_fields = tag->value;
    return DKIM_REASON_NONE;
}

/* In the order in which faults are told; d= stands before i=, t= before x=. */
static const struct rule {
    const char *name;
    enum dkim_reason missing; /* DKIM_REASON_NONE: the tag is optional */
    read_value *read;
} rules[] = {
    {"v", DKIM_REASON_MISSING_V, read_version},   {"a", DKIM_REASON_MISSING_A, read_algorithm},
    {"d", DKIM_REASON_MISSING_D, read_domain},    {"s", DKIM_REASON_MISSING_S, read_selector},
    {"h", DKIM_REASON_MISSING_H, read_names},     {"bh", DKIM_REASON_MISSING_BH, read_body_hash},
    {"b", DKIM_REASON_MISSING_B, read_signature}, {"c", DKIM_REASON_NONE, read_canon},
    {"q", DKIM_REASON_NONE, read_query},          {"i", DKIM_REASON_NONE, read_identity},
    {"l", DKIM_REASON_NONE, read_length},         {"t", DKIM_REASON_NONE, read_timestamp},
    {"x", DKIM_REASON_NONE, read_expiry},         {"z", DKIM_REASON_NONE, read_copied_fields},
};

static enum dkim_reason list_reason(enum dkim_tag_status status)
{
    switch (status) {
    case DKIM_TAG_OK:
        return DKIM_REASON_NONE;
    case DKIM_TAG_DUPLICATE:
        return DKIM_REASON_DUPLICATE_TAG;
    case DKIM_TAG_TOO_MANY:
        return DKIM_REASON_TOO_MANY_TAGS;
    default:
        return DKIM_REASON_SIGNATURE_SYNTAX;
    }
}

enum dkim_reason dkim_signature_parse(struct dkim_signature *signature, struct am_arena *arena,
                                      struct am_span value)
{
    struct dkim_tag_list list;
    enum dkim_reason first = list_reason(dkim_tag_list_parse(&list, value));
    *signature = (struct dkim_signature){.value = value};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        const struct dkim_tag *tag = dkim_tag_find(&list, rule->name);
        enum dkim_reason reason = tag != NULL ? rule->read(signature, arena, tag) : rule->missing;
        /* Memory says nothing about the signature, so nothing about it is told. */
        if (first == DKIM_REASON_NONE || reason == DKIM_REASON_MEMORY)
            first = reason;
    }
    return first;
}
