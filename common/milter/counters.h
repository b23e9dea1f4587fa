#ifndef AM_MILTER_COUNTERS_H
#define AM_MILTER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/problem.h"

/*
 * Counters: one of the four mutable objects of a process. The fixed ones are
 * plain atomics; counters of modules live in a bounded table.
 *
 * Threads: any.
 */

enum am_counter {
    AM_COUNT_CONNECTIONS,      /* opened since the start */
    AM_COUNT_CONNECTIONS_OPEN, /* now */
    AM_COUNT_MESSAGES,         /* that reached a verdict */
    AM_COUNT_MESSAGES_OPEN,    /* now, from MAIL to the end of the message */
    AM_COUNT_ABORTED,
    AM_COUNT_ACCEPTED,
    AM_COUNT_REJECTED,
    AM_COUNT_TEMPFAILED,
    AM_COUNT_DISCARDED,
    AM_COUNT_QUARANTINED,
    AM_COUNT_OBSERVED, /* verdicts that observe mode held back */
    AM_COUNT_FAILURES, /* AM_FAIL of any module, blown budgets included */
    AM_COUNT_SCRUBBED, /* forged A-R fields removed */
    AM_COUNT_RESULTS_DROPPED,
    AM_COUNT_RELOADS,
    AM_COUNT_RELOADS_FAILED,
    AM_COUNTER_MAX
};

struct am_counters;

/* Makes the counters. Returns NULL when memory is short. Freed with am_counters_free(). */
struct am_counters *am_counters_new(void) AM_MUST_USE;

/* Frees the counters. NULL is allowed. */
void am_counters_free(struct am_counters *counters);

/* Adds to a fixed counter; `amount` may be negative for gauges. NULL counters are allowed. */
void am_counters_add(struct am_counters *counters, enum am_counter which, int64_t amount);

/* Reads a fixed counter. */
int64_t am_counters_read(const struct am_counters *counters, enum am_counter which);

/* Counts a published result: authmilter_results_total{method,result}. */
void am_counters_result(struct am_counters *counters, const char *method, const char *result);

/* Adds to a counter of a module: authmilter_<module>_<name>_total{label="..."}; label may be NULL.
 */
void am_counters_module(struct am_counters *counters, const char *module, const char *name,
                        const char *label, uint64_t amount);

/* Adds one message's processing time to the histogram (microseconds spent in our callbacks). */
void am_counters_latency(struct am_counters *counters, int64_t us);

/*
 * Most series of results and modules together. A series beyond that, or with a name or label of
 * more than AM_COUNTERS_TEXT_MAX bytes, is not kept; authmilter_series_dropped_total says how
 * often.
 */
#define AM_COUNTERS_SERIES_MAX 512
#define AM_COUNTERS_TEXT_MAX 64

/*
 * Writes every counter in the Prometheus text format. `extra`, if not NULL, appends
 * figures of other parts (the resolver's).
 */
void am_counters_print(const struct am_counters *counters, struct am_buf *out,
                       void (*extra)(void *user, struct am_buf *out), void *user);

#endif
