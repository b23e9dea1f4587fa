#include "dmarc-milter/dmarc_report.h"

#include <stdio.h>
#include <time.h>

static void calendar(int64_t day, struct tm *out)
{
    time_t time = (time_t)(day * DMARC_REPORT_DAY_S);

    if (gmtime_r(&time, out) == NULL)
        memset(out, 0, sizeof(*out));
}

const char *dmarc_report_day(int64_t day, char out[DMARC_REPORT_ID_MAX])
{
    struct tm date;

    calendar(day, &date);
    strftime(out, DMARC_REPORT_ID_MAX, "%Y-%m-%d", &date);
    return out;
}

/* FNV-1a, with the NUL as an end that no text has in it. */
static uint64_t add(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    while (*text++ != '\0');
    return hash;
}

void dmarc_report_id(const struct dmarc_report_name *name, char out[DMARC_REPORT_ID_MAX])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char numbers[64];
    struct tm date;

    snprintf(numbers, sizeof(numbers), "%lld/%lld", (long long)name->day,
             (long long)name->sequence);
    hash = add(hash, name->instance);
    hash = add(hash, name->receiver);
    hash = add(hash, name->policy_domain);
    hash = add(hash, numbers);
    calendar(name->day, &date);
    size_t len = strftime(out, DMARC_REPORT_ID_MAX, "%Y%m%d", &date);
    snprintf(out + len, DMARC_REPORT_ID_MAX - len, "%016llx", (unsigned long long)hash);
}

const char *dmarc_report_file(const struct dmarc_report_name *name, struct am_arena *arena)
{
    char id[DMARC_REPORT_ID_MAX];
    int64_t begin_s = name->day * DMARC_REPORT_DAY_S;

    dmarc_report_id(name, id);
    return am_arena_printf(arena, "%s!%s!%lld!%lld!%s.xml.gz", name->receiver, name->policy_domain,
                           (long long)begin_s, (long long)(begin_s + DMARC_REPORT_DAY_S - 1), id);
}
