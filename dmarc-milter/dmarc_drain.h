#ifndef DMARC_DRAIN_H
#define DMARC_DRAIN_H

#include "dmarc-milter/dmarc_db.h"
#include "dmarc-milter/dmarc_place.h"

struct dmarc_drained {
    int64_t rows;    /* that came out of the stream */
    int64_t strange; /* entries that were no rows, and are removed */
};

/*
 * Takes rows out of a stream and puts them into the database: first that, then they are removed
 * from the stream. A row that is met twice, for whatever reason, counts once.
 *
 * Returns: false with a sentence; what was taken by then is in the database. Blocking: server and
 * disk.
 */
bool dmarc_drain(const struct dmarc_place *place, struct dmarc_db *db,
                 struct dmarc_drained *drained, struct am_problem *problem) AM_MUST_USE;

#endif
