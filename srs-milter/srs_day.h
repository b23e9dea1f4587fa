#ifndef SRS_SRS_DAY_H
#define SRS_SRS_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/span.h"

/* The day in an SRS address: days since 1970 modulo 1,024, two characters of base32. */

#define SRS_DAY_COUNT 1024U

/* Returns the day of a time, 0 to 1,023; times before 1970 count as its first day. */
unsigned srs_day_of(int64_t time_s);

/* Writes a day as two characters and a NUL. */
void srs_day_write(unsigned day, char out[3]);

/* Reads one, in any letter case. Returns false when it is none. */
bool srs_day_read(struct am_span text, unsigned *day);

/* Returns how many days `day` lies before `today`: 0 to 1,023. A day yet to come is an old one. */
unsigned srs_day_age(unsigned day, unsigned today);

#endif
