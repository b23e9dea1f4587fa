#include "common/milter/reload.h"

#include <inttypes.h>

#include "common/base/notify.h"
#include "common/milter/runtime_modules.h"

void am_reload_apply_log(const struct am_reload *reload, const struct am_milter_options *options)
{
    enum am_log_target target = (enum am_log_target)options->log_target;
    struct am_log_options log = {
        .target = reload->detached ? AM_LOG_SYSLOG : target,
        .format = (enum am_log_format)options->log_format,
        .level = (enum am_log_level)options->log_level,
        .facility = options->log_facility,
    };
    am_log_open(reload->program, &log);
}

bool am_reload_run(struct am_reload *reload, enum am_reload_kind kind, struct am_problem *problem)
{
    struct am_runtime *former = (struct am_runtime *)am_snapshot_take(reload->holder);
    am_notify_reloading();
    reload->source.keep_config = kind == AM_RELOAD_FILES;
    struct am_runtime *next = am_runtime_load(&reload->source, former, problem);
    struct am_counters *counters = reload->source.counters;
    if (next == NULL) {
        am_counters_add(counters, AM_COUNT_RELOADS_FAILED, 1);
        am_log(AM_LOG_ERROR, "reload refused, the former configuration stays in force: %s",
               problem->text);
        am_notify("READY=1\nSTATUS=serving with configuration %" PRIu64 "; the last reload failed",
                  former->generation);
    } else {
        uint64_t generation = next->generation;
        am_reload_apply_log(reload, next->milter);
        if (reload->watch != NULL)
            am_watch_set(reload->watch, next->watches.items, next->watches.count);
        am_snapshot_swap(reload->holder, &next->snapshot);
        am_counters_add(counters, AM_COUNT_RELOADS, 1);
        am_log(AM_LOG_NOTICE, "reloaded %s: configuration %" PRIu64 " is in force",
               kind == AM_RELOAD_FILES ? "changed files" : "the configuration", generation);
        if (kind != AM_RELOAD_FILES)
            am_runtime_log_modules(next);
        am_notify("READY=1\nSTATUS=serving with configuration %" PRIu64, generation);
    }
    am_snapshot_drop(&former->snapshot);
    return next != NULL;
}
