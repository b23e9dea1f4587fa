#ifndef DKIM_DKIM_SELECTION_H
#define DKIM_DKIM_SELECTION_H

#include "dkim-milter/dkim_fields.h"

/*
 * Finds the header fields that the names in h= stand for (RFC 6376 5.4.2). One selection
 * serves the signatures of a message one after the other.
 *
 * Threads: one at a time.
 */
struct dkim_selection;

/*
 * Makes a selection.
 *
 * fields: prepared; must outlive the selection and not grow.
 * Returns: NULL when memory is short.
 * Ownership: `arena`.
 */
struct dkim_selection *dkim_selection_new(struct am_arena *arena,
                                          const struct dkim_fields *fields) AM_MUST_USE;

/*
 * Begins with the h= of one signature: all fields may be taken again.
 *
 * self: the signature that is being verified, or NULL. It is never selected, as if the
 *   message did not have it: when the signer selected, it was not there. A DKIM-Signature
 *   in h= means other signatures only (RFC 6376 5.4).
 */
void dkim_selection_begin(struct dkim_selection *selection, const struct dkim_field *self);

/*
 * Selects the field that the next name in h= stands for: the lowest one of that name that
 * was not taken since begin. Costs O(log fields), so one signature costs
 * O(names in h= x log fields) however often names and fields repeat.
 *
 * name: without blanks around it; letter case ignored.
 * Returns: the field, or NULL when no more is there: the name stands for nothing then,
 *   neither name nor colon nor line end is hashed.
 */
const struct dkim_field *dkim_selection_take(struct dkim_selection *selection, struct am_span name);

#endif
