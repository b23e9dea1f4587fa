#ifndef DMARC_DB_SCHEMA_H
#define DMARC_DB_SCHEMA_H

#include "dmarc-milter/dmarc_db.h"

/* Version of the tables; a file of a later one is left alone. */
#define DMARC_DB_VERSION 1

/* Makes the tables of a new file, or checks that they are ours. Returns false with a sentence. */
bool dmarc_db_schema(struct dmarc_db *db, bool only_read, struct am_problem *problem) AM_MUST_USE;

#endif
