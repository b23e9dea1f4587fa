#include "common/milter/shadow_claims.h"

#include <string.h>

#include "authres/authres.h"

/* Longest field that is read; what honest programs write has some hundred octets. */
#define FIELD_MAX ((size_t)64 * 1024)

/* Octets of a signature by which it is known (RFC 6008 section 4). */
#define SIGNATURE_SURE 8

static bool is_method(const struct am_shadow_claim *claim, const char *method)
{
    return am_span_equal_nocase(am_span_str(claim->method), am_span_str(method));
}

static bool is_known(const struct am_shadow_claims *claims, const struct am_shadow_claim *claim)
{
    if (is_method(claim, "dkim") || is_method(claim, AM_SHADOW_SIGNATURE))
        return false;
    for (size_t i = 0; i < claims->count; i++)
        if (is_method(&claims->items[i], claim->method) &&
            strcmp(claims->items[i].identity, claim->identity) == 0)
            return true;
    return false;
}

static void add(struct am_shadow_claims *claims, struct am_arena *arena,
                const struct am_shadow_claim *claim)
{
    if (is_known(claims, claim))
        return;
    if (claims->items == NULL)
        claims->items = am_arena_alloc(arena, AM_SHADOW_CLAIMS_MAX * sizeof(*claims->items));
    if (claims->items == NULL || claims->count == AM_SHADOW_CLAIMS_MAX)
        claims->cut = true;
    else
        claims->items[claims->count++] = *claim;
}

/* Takes what a property says about which identity or signature is meant. */
static void take_property(struct am_shadow_claim *claim, const char *ptype, const char *name,
                          struct am_span value)
{
    struct am_span type = am_span_str(ptype), property = am_span_str(name);
    bool is_header = am_span_equal_nocase(type, am_span_str("header"));

    if (is_method(claim, "spf") && am_span_equal_nocase(type, am_span_str("smtp"))) {
        /* Who names both speaks of MAIL FROM. */
        if (am_span_equal_nocase(property, am_span_str("mailfrom")))
            claim->identity = "mailfrom";
        else if (am_span_equal_nocase(property, am_span_str("helo")) && *claim->identity == '\0')
            claim->identity = "helo";
    }
    if (!is_method(claim, "dkim") || !is_header)
        return;
    if (am_span_equal_nocase(property, am_span_str("d")))
        claim->domain = value;
    else if (am_span_equal_nocase(property, am_span_str("s")))
        claim->selector = value;
    else if (am_span_equal_nocase(property, am_span_str("b")))
        claim->signature = value;
}

void am_shadow_claims_add_results(struct am_shadow_claims *claims, struct am_arena *arena,
                                  const struct am_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct am_result *result = &results->items[i];
        struct am_shadow_claim claim = {
            .method = result->method, .word = result->result, .identity = ""};

        for (size_t k = 0; k < result->property_count; k++)
            take_property(&claim, result->properties[k].ptype, result->properties[k].property,
                          result->properties[k].value);
        add(claims, arena, &claim);
    }
}

static void *alloc_in_arena(void *user, size_t size)
{
    return am_arena_alloc(user, size);
}

/* Returns our name of the result's method, NULL when it is none of ours. */
static const char *find_method(const struct am_shadow_methods *methods,
                               const struct ar_result *result)
{
    for (size_t i = 0; i < methods->count; i++)
        if (ar_result_is(result, methods->names[i], NULL))
            return methods->names[i];
    return NULL;
}

static void add_result(struct am_shadow_claims *claims, struct am_arena *arena, const char *method,
                       const struct ar_result *result)
{
    struct am_shadow_claim claim = {
        .method = method, .word = ar_result_word(result), .identity = ""};

    for (size_t i = 0; i < ar_result_property_count(result); i++) {
        const struct ar_property *property = ar_result_property(result, i);
        struct ar_text value = ar_property_value(property);

        take_property(&claim, ar_property_ptype(property), ar_property_name(property),
                      am_span_of(value.ptr, value.len));
    }
    add(claims, arena, &claim);
}

void am_shadow_claims_add_field(struct am_shadow_claims *claims, struct am_arena *arena,
                                struct am_span value, const char *const *ids, size_t id_count,
                                const struct am_shadow_methods *methods)
{
    const struct ar_allocator allocator = {.alloc = alloc_in_arena, .user = arena};
    const struct ar_parse_options options = {
        .kind = AR_KIND_AR, .lenient = true, .max_len = FIELD_MAX};
    const struct ar_trust trust = {.ids = ids, .id_count = id_count};
    const struct ar_header *header =
        ar_header_parse(&allocator, value.ptr, value.len, &options, NULL);
    bool former_dkim = claims->dkim_read;

    if (header == NULL || !ar_header_is_trusted(header, &trust))
        return;
    for (size_t i = 0; i < ar_header_result_count(header); i++) {
        const struct ar_result *result = ar_header_result(header, i);
        const char *method = find_method(methods, result);
        bool is_dkim = ar_result_is(result, "dkim", NULL);

        claims->dkim_read = claims->dkim_read || is_dkim;
        if (method != NULL && !(is_dkim && former_dkim))
            add_result(claims, arena, method, result);
    }
}

void am_shadow_claims_add_signature(struct am_shadow_claims *claims, struct am_arena *arena,
                                    struct am_span value)
{
    struct am_shadow_claim claim = {
        .method = AM_SHADOW_SIGNATURE, .word = "signed", .identity = ""};

    while (value.len > 0) {
        size_t end = am_span_find(value, ';');
        struct am_span tag = am_span_of(value.ptr, end);
        size_t equals = am_span_find(tag, '=');
        size_t next = end < value.len ? end + 1 : end;

        value = am_span_of(value.ptr + next, value.len - next);
        if (equals == tag.len)
            continue;
        struct am_span name = am_span_trim(am_span_of(tag.ptr, equals));
        struct am_span text = am_span_trim(am_span_of(tag.ptr + equals + 1, tag.len - equals - 1));
        if (am_span_equal(name, am_span_str("d")))
            claim.domain = text;
        else if (am_span_equal(name, am_span_str("s")))
            claim.selector = text;
    }
    add(claims, arena, &claim);
}

/* --- comparing --- */

/* Tells whether two names are the same as far as both are known. */
static bool names_agree(struct am_span a, struct am_span b)
{
    return a.len == 0 || b.len == 0 || ar_id_equal(a.ptr, a.len, b.ptr, b.len);
}

/* How much of a b= value is written is each program's own choice: the shorter text decides. */
static bool signatures_agree(struct am_span a, struct am_span b)
{
    size_t len = a.len < b.len ? a.len : b.len;

    if (len == 0)
        return true;
    return len < SIGNATURE_SURE ? am_span_equal(a, b) : memcmp(a.ptr, b.ptr, len) == 0;
}

/* Tells whether two claims speak of the same; `surely`: by the octets of a signature. */
static bool agree(const struct am_shadow_claim *a, const struct am_shadow_claim *b, bool surely)
{
    bool both_domains = a->domain.len > 0 && b->domain.len > 0;
    bool both_signatures = a->signature.len > 0 && b->signature.len > 0;
    bool neither = a->domain.len + b->domain.len + a->signature.len + b->signature.len == 0;

    if (!is_method(a, b->method) || strcmp(a->identity, b->identity) != 0)
        return false;
    if (surely && !both_signatures)
        return false;
    if (!names_agree(a->domain, b->domain) || !names_agree(a->selector, b->selector) ||
        !signatures_agree(a->signature, b->signature))
        return false;
    return both_domains || both_signatures || neither;
}

static void find_partners(const struct am_shadow_claims *ours,
                          const struct am_shadow_claims *theirs, bool surely,
                          const struct am_shadow_claim *partners[AM_SHADOW_CLAIMS_MAX],
                          bool taken[AM_SHADOW_CLAIMS_MAX])
{
    for (size_t i = 0; i < ours->count; i++) {
        for (size_t k = 0; partners[i] == NULL && k < theirs->count; k++) {
            if (taken[k] || !agree(&ours->items[i], &theirs->items[k], surely))
                continue;
            partners[i] = &theirs->items[k];
            taken[k] = true;
        }
    }
}

void am_shadow_claims_compare(const struct am_shadow_claims *ours,
                              const struct am_shadow_claims *theirs, am_shadow_tell *tell,
                              void *user)
{
    const struct am_shadow_claim *partners[AM_SHADOW_CLAIMS_MAX] = {NULL};
    bool taken[AM_SHADOW_CLAIMS_MAX] = {false};

    find_partners(ours, theirs, true, partners, taken);
    find_partners(ours, theirs, false, partners, taken);
    for (size_t i = 0; i < ours->count; i++)
        tell(user, &ours->items[i], partners[i]);
    for (size_t k = 0; k < theirs->count; k++)
        if (!taken[k])
            tell(user, NULL, &theirs->items[k]);
}

const char *am_shadow_claim_word(const struct am_shadow_claim *claim,
                                 const struct am_shadow_claim *other)
{
    if (claim != NULL)
        return claim->word;
    return is_method(other, AM_SHADOW_SIGNATURE) ? "unsigned" : "none";
}
