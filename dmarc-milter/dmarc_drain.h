#ifndef DMARC_DRAIN_H
#define DMARC_DRAIN_H

#include "dmarc-milter/dmarc_db.h"
#include "dmarc-milter/dmarc_place.h"

struct dmarc_drained {
    int64_t rows;    /* that came out of the stream */
    int64_t strange; /* entries that were no rows, and are removed */
};

/*
 * Takes all rows out of a stream and puts them into the database: first that, then they are removed
 * from the stream. A row that is met twice counts once, as long as the database still has it: no
 * report may be made of rows unless a drain has come to the end of the stream since they came.
 *
 * Returns: false with a sentence when it did not come to the end; what was taken by then is in the
 * database, and some of it perhaps in the stream as well. Blocking: server and disk.
 */
bool dmarc_drain(const struct dmarc_place *place, struct dmarc_db *db,
                 struct dmarc_drained *drained, struct am_problem *problem) AM_MUST_USE;

#endif
