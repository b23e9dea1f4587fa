#include <string.h>

#include "authres/ar_chars.h"
#include "authres/ar_internal.h"
#include "authres/ar_signature.h"

/* Which result speaks of what. */

static bool equal(const char *text, const char *word)
{
    return ar_keyword_is(text, strlen(text), word);
}

bool ar_result_is(const struct ar_result *result, const char *method, const char *word)
{
    return equal(result->method, method) && (word == NULL || equal(result->word, word));
}

const struct ar_property *ar_result_find(const struct ar_result *result, const char *ptype,
                                         const char *name, size_t nth)
{
    for (size_t i = 0; i < result->properties.count; i++) {
        const struct ar_property *property = result->properties.items[i];
        if (equal(property->ptype, ptype) && equal(property->name, name) && nth-- == 0)
            return property;
    }
    return NULL;
}

/* Tells whether header.b is the beginning of a signature, long enough (RFC 6008 section 4). */
static bool begins(struct ar_text signature, struct ar_text beginning)
{
    size_t common;

    if (ar_signature_compare(beginning, signature, &common) == 0)
        return true;
    return common >= AR_SIGNATURE_MIN && common == ar_signature_len(beginning);
}

static bool same_name(struct ar_text known, struct ar_text stated)
{
    return ar_id_equal(known.ptr, known.len, stated.ptr, stated.len);
}

/* What a result may state about a signature, and how it is compared. */
static const struct {
    const char *name;
    size_t offset; /* of the member of struct ar_signature */
    bool (*agree)(struct ar_text known, struct ar_text stated);
    bool telling; /* speaks of one signature without the others */
} tags[] = {
    {"b", offsetof(struct ar_signature, signature), begins, true},
    {"d", offsetof(struct ar_signature, domain), same_name, true},
    {"s", offsetof(struct ar_signature, selector), same_name, false},
};

#define TAG_COUNT (sizeof(tags) / sizeof(tags[0]))

/* Compares one property. Returns: false when it contradicts; `*told` becomes true when it tells. */
static bool property_agrees(const struct ar_property *property,
                            const struct ar_signature *signature, bool *told)
{
    if (!equal(property->ptype, "header"))
        return true;
    for (size_t i = 0; i < TAG_COUNT; i++) {
        struct ar_text known;
        if (!equal(property->name, tags[i].name))
            continue;
        memcpy(&known, (const char *)signature + tags[i].offset, sizeof(known));
        if (known.ptr == NULL)
            return true;
        *told = *told || tags[i].telling;
        return tags[i].agree(known, property->value);
    }
    return true;
}

static bool result_agrees(const struct ar_result *result, const struct ar_signature *signature)
{
    bool told = false;

    if (!equal(result->method, "dkim") || !ar_version_known(result->method_version))
        return false;
    for (size_t i = 0; i < result->properties.count; i++)
        if (!property_agrees(result->properties.items[i], signature, &told))
            return false;
    return told;
}

size_t ar_match_signature(const struct ar_header *header, const struct ar_signature *signature,
                          const struct ar_result **found)
{
    size_t count = 0;

    *found = NULL;
    for (size_t i = 0; i < header->results.count; i++) {
        const struct ar_result *result = header->results.items[i];
        if (result_agrees(result, signature) && count++ == 0)
            *found = result;
    }
    return count;
}
