#ifndef AM_MILTER_ORDER_H
#define AM_MILTER_ORDER_H

#include "common/milter/module.h"

/* Most modules of one program. */
#define AM_MODULES_MAX 32

/*
 * Sorts modules so that each comes after those it names in `after`. Where nothing is said, the
 * order given is kept. Names in `after` that are not among the modules are ignored.
 *
 * sorted: room for `count` pointers.
 * Returns: false with a sentence when two modules have one name, when there are too many, or when
 * they wait for each other in a circle, which is named.
 */
bool am_order_sort(const struct am_module *const *modules, size_t count,
                   const struct am_module **sorted, struct am_problem *problem) AM_MUST_USE;

#endif
