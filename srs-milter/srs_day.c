#include "srs-milter/srs_day.h"

#define SECONDS_PER_DAY 86400

/* RFC 4648 section 6. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

unsigned srs_day_of(int64_t time_s)
{
    return time_s < 0 ? 0 : (unsigned)((time_s / SECONDS_PER_DAY) % SRS_DAY_COUNT);
}

void srs_day_write(unsigned day, char out[3])
{
    out[0] = alphabet[(day >> 5) & 31];
    out[1] = alphabet[day & 31];
    out[2] = '\0';
}

bool srs_day_read(struct am_span text, unsigned *day)
{
    *day = 0;
    if (text.len != 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        unsigned value = 0;
        while (value < 32 && am_lower(alphabet[value]) != am_lower(text.ptr[i]))
            value++;
        if (value == 32)
            return false;
        *day = *day << 5 | value;
    }
    return true;
}

unsigned srs_day_age(unsigned day, unsigned today)
{
    return (today + SRS_DAY_COUNT - day) % SRS_DAY_COUNT;
}
