#ifndef AM_MILTER_FIGURES_H
#define AM_MILTER_FIGURES_H

#include "common/base/buf.h"
#include "common/base/snapshot.h"
#include "common/milter/counters.h"

/*
 * Writes every figure of the process in the Prometheus text format: the counters, the resolver in
 * force and the configuration in force. Threads: any.
 */
void am_figures_metrics(struct am_snapshot_holder *runtime, const struct am_counters *counters,
                        struct am_buf *out);

/* The same as lines of "name value", for people. */
void am_figures_stats(struct am_snapshot_holder *runtime, const struct am_counters *counters,
                      struct am_buf *out);

#endif
