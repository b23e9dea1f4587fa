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
    size_t position; /* 0 for the topmost field */
    struct dkim_field *below;
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
 * Life: init, add for each field from the top, prepare, then any number of
 * selections, one at a time. Nothing is to be released but the arena.
 * Threads: one at a time.
 */
struct dkim_fields {
    struct dkim_field *first; /* the topmost; the others follow by `below` */
    size_t count;
    size_t bytes; /* of names, colons and values, with a line end of two octets each */

    /* Of the implementation. */
    struct am_arena *arena;
    struct dkim_field *last;
    bool supply_blank;
    struct dkim_field **sorted; /* by name, fields of one name from the top */
    struct dkim_name *names;
    size_t name_count;
    const struct dkim_field *self;
    uint64_t selection;
};

/*
 * Begins an empty header.
 *
 * arena: keeps everything.
 * supply_blank: the MTA took the blank after each colon away (no SMFIP_HDR_LEADSPC), so one
 *   blank is put before every value; for the simple canonicalisation that is a guess, right
 *   for nearly every mail.
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
 * Builds the index. Needed before find and select; once more after a later addition.
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
struct dkim_field *const *dkim_fields_find(const struct dkim_fields *fields, struct am_span name,
                                           size_t *count);

/*
 * Begins the selection for one signature (RFC 6376 5.4.2); an earlier one is over then.
 *
 * self: the signature that is being verified, or NULL. It is never selected, as if the
 *   message did not have it: when the signer selected, it was not there. A DKIM-Signature
 *   in h= means other signatures only (RFC 6376 5.4).
 */
void dkim_fields_select(struct dkim_fields *fields, const struct dkim_field *self);

/*
 * Selects the field that the next name in h= stands for: the lowest one of that name that
 * this selection has not taken yet. Costs O(log fields), so one signature costs
 * O(names in h= x log fields) however often names and fields repeat.
 *
 * name: without blanks around it; letter case ignored.
 * Returns: the field, or NULL when no more is there: the name stands for nothing then,
 *   neither name nor colon nor line end is hashed.
 */
const struct dkim_field *dkim_fields_take(struct dkim_fields *fields, struct am_span name);

#endif
