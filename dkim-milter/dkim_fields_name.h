#ifndef DKIM_DKIM_FIELDS_NAME_H
#define DKIM_DKIM_FIELDS_NAME_H

#include <endian.h>

#include "dkim-milter/dkim_fields.h"

/* The index of dkim_fields as the selection sees it. */

/* All fields of one name: a range of `sorted`. */
struct dkim_name {
    uint64_t key; /* of each of them */
    size_t first;
    size_t count;
};

#define DKIM_NAME_NONE SIZE_MAX

/* Puts all letters of eight octets into lower case at once: bit 7 marks those from A to Z. */
static inline uint64_t dkim_name_lower(uint64_t octets)
{
    const uint64_t each = 0x0101010101010101;
    uint64_t low = octets & 0x7f * each;
    uint64_t from_a = low + (0x80 - 'A') * each;
    uint64_t beyond_z = low + (0x80 - 'Z' - 1) * each;

    return octets | ((from_a & ~beyond_z & ~octets & 0x80 * each) >> 2);
}

/* Returns the first eight octets of a name in lower case as a number: most names differ there. */
static inline uint64_t dkim_name_key(struct am_span name)
{
    uint64_t key = 0;

    if (name.len > 0)
        memcpy(&key, name.ptr, name.len < sizeof(key) ? name.len : sizeof(key));
    return dkim_name_lower(be64toh(key));
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
