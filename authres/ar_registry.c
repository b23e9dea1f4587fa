#include "authres/ar_registry.h"

#include <string.h>

#include "authres/ar_chars.h"

static bool equal(const char *text, const char *word)
{
    return ar_keyword_is(text, strlen(text), word);
}

/*
 * Tells whether a Keyword begins with "x-". RFC 5451 sections 2.4.5 and 2.5.2 set such names
 * aside for private use; RFC 7001 stopped that, but they are in use.
 */
static bool is_experimental(const char *name)
{
    return ar_lower((unsigned char)name[0]) == 'x' && name[1] == '-' &&
           ar_is_keyword(name, strlen(name));
}

/* Tells whether the name in a row, which may be "*", is that of a property. */
static bool stands_for(const char *row, const char *name)
{
    return strcmp(row, "*") == 0 ? ar_is_keyword(name, strlen(name)) : equal(name, row);
}

const struct ar_registered_method *ar_registry_method(size_t index)
{
    return index < ar_registry_method_count ? &ar_registry_methods[index] : NULL;
}

const struct ar_registered_method *ar_registry_find(const char *method)
{
    for (size_t i = 0; i < ar_registry_method_count; i++)
        if (equal(method, ar_registry_methods[i].method))
            return &ar_registry_methods[i];
    return NULL;
}

enum ar_registration ar_registry_result(const char *method, const char *word)
{
    const struct ar_registered_method *entry = ar_registry_find(method);

    if (entry == NULL)
        return is_experimental(method) ? AR_EXPERIMENTAL : AR_UNREGISTERED;
    for (size_t i = 0; i < entry->result_count; i++)
        if (equal(word, entry->results[i].word))
            return entry->results[i].state;
    return is_experimental(word) ? AR_EXPERIMENTAL : AR_UNREGISTERED;
}

enum ar_registration ar_registry_property(const char *method, const char *ptype, const char *name)
{
    const struct ar_registered_method *entry = ar_registry_find(method);

    if (entry == NULL)
        return is_experimental(method) ? AR_EXPERIMENTAL : AR_UNREGISTERED;
    for (size_t i = 0; i < entry->property_count; i++)
        if (equal(ptype, entry->properties[i].ptype) && stands_for(entry->properties[i].name, name))
            return entry->properties[i].state;
    /* Names of ptype "policy" are each site's own (RFC 8601 section 2.4). */
    bool policy = equal(ptype, "policy") && stands_for("*", name);
    return policy || is_experimental(ptype) || is_experimental(name) ? AR_EXPERIMENTAL
                                                                     : AR_UNREGISTERED;
}

enum ar_registration ar_registry_ptype(const char *ptype)
{
    for (size_t i = 0; i < ar_registry_ptype_count; i++)
        if (equal(ptype, ar_registry_ptypes[i].ptype))
            return ar_registry_ptypes[i].state;
    return is_experimental(ptype) ? AR_EXPERIMENTAL : AR_UNREGISTERED;
}
