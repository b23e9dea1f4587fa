#ifndef DKIM_DKIM_FIELDS_H
#define DKIM_DKIM_FIELDS_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/span.h"

/*
 * A header field, kept as it came. All spans point into one piece of memory;
 * `raw` is the whole: name, blanks before the colon, colon, value.
 */
struct dkim_field {
    struct am_span name;  /* in the letter case it came in, without the blanks before the colon */
    struct am_span value; /* after the colon: leading blank kept, folds as LF or CRLF, no final
                             line end */
    struct am_span raw;
    struct am_span lower; /* name in lower case and the colon: what relaxed begins with */
    uint64_t sort_key;
    size_t position;                /* 0 for the topmost field */
    const struct dkim_field *below; /* the next one down, or NULL */
};

/*
 * Makes a field outside of any message: the signature that is being written.
 *
 * name: blanks before the colon included, the colon not; letter case and blanks are kept
 *   for the simple canonicalisation.
 * value: everything after the colon, without the final line end.
 * Returns: the field, or NULL when memory is short.
 * Ownership: `arena`; both texts are copied.
 */
struct dkim_field *dkim_field_new(struct am_arena *arena, struct am_span name,
                                  struct am_span value) AM_MUST_USE;

/*
 * Tells whether a field has a name.
 *
 * name: in lower case, without colon: "dkim-signature".
 */
bool dkim_field_is(const struct dkim_field *field, const char *name);

/*
 * The header fields of one message, each kept once, and an index by name (letter case and
 * blanks before the colon ignored) for the selection that h= asks for.
 *
 * Life: init, add for each field from the top, prepare; then it is read only and any
 * number of selections may work on it. Nothing is to be released but the arena.
 * Threads: filling one; reading any.
 */
struct dkim_fields {
    const struct dkim_field *first; /* the topmost; the others follow by `below` */
    size_t count;
    size_t bytes; /* of names, colons and values, with a line end of two octets each */

    /* Of the implementation. */
    struct am_arena *arena;
    struct dkim_field *last;
    bool supply_blank;
    const struct dkim_field **sorted; /* by name, fields of one name from the top */
    struct dkim_name *names;          /* different ones, sorted */
    size_t name_count;
};

/*
 * Begins an empty header.
 *
 * arena: keeps everything.
 * supply_blank: the MTA took the SP after each colon away (no SMFIP_HDR_LEADSPC), so one is
 *   put before every value that does not begin with a TAB; for the simple canonicalisation
 *   that is a guess, right for nearly every mail.
 */
void dkim_fields_init(struct dkim_fields *fields, struct am_arena *arena, bool supply_blank);

/*
 * Adds the next field from the top. Limits of number and size are the caller's matter;
 * see `count` and `bytes`.
 *
 * name, value: as for dkim_field_new().
 * Returns: the field, or NULL when memory is short (or the limit of the arena is reached).
 */
struct dkim_field *dkim_fields_add(struct dkim_fields *fields, struct am_span name,
                                   struct am_span value) AM_MUST_USE;

/*
 * Builds the index, after the last field.
 * Costs O(fields x log fields), whatever the names are.
 *
 * Returns: false when memory is short.
 */
bool dkim_fields_prepare(struct dkim_fields *fields) AM_MUST_USE;

/*
 * Finds all fields of a name.
 *
 * name: letter case ignored.
 * count: gets their number.
 * Returns: the fields from the top; NULL when there is none.
 */
const struct dkim_field *const *dkim_fields_find(const struct dkim_fields *fields,
                                                 struct am_span name, size_t *count);

#endif
