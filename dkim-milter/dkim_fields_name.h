#ifndef DKIM_DKIM_FIELDS_NAME_H
#define DKIM_DKIM_FIELDS_NAME_H

#include "dkim-milter/dkim_fields.h"

/* The index of dkim_fields as the selection sees it. */

/* All fields of one name: a range of `sorted`. */
struct dkim_name {
    size_t first;
    size_t count;
};

#define DKIM_NAME_NONE SIZE_MAX

/* Returns the first eight octets of a name in lower case as a number: most names differ there. */
static inline uint64_t dkim_name_key(struct am_span name)
{
    uint64_t key = 0;

    for (size_t i = 0; i < 8; i++)
        key = key << 8 | (i < name.len ? (unsigned char)am_lower(name.ptr[i]) : 0);
    return key;
}

/* Compares a name of any letter case with that of a field; below, 0 or above zero. */
static inline int dkim_name_compare(uint64_t key, struct am_span name,
                                    const struct dkim_field *field)
{
    if (key != field->sort_key)
        return key < field->sort_key ? -1 : 1;
    if (name.len != field->name.len)
        return name.len < field->name.len ? -1 : 1;
    for (size_t i = 8; i < name.len; i++) {
        int difference = (unsigned char)am_lower(name.ptr[i]) - (unsigned char)field->lower.ptr[i];
        if (difference != 0)
            return difference;
    }
    return 0;
}

/* Returns the number of a name in `names`, or DKIM_NAME_NONE. */
size_t dkim_fields_name_find(const struct dkim_fields *fields, struct am_span name);

#endif
