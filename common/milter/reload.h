#ifndef AM_MILTER_RELOAD_H
#define AM_MILTER_RELOAD_H

#include "common/base/snapshot.h"
#include "common/milter/runtime.h"
#include "common/milter/watch.h"

/* What a reload reads and where it puts the result. */
struct am_reload {
    struct am_runtime_source source;
    struct am_snapshot_holder *holder; /* of the runtime in force */
    struct am_watch *watch;            /* told which files to watch; may be NULL */
    const char *program;               /* for the log sink */
    bool detached; /* standard error leads nowhere: syslog is used in its place */
};

enum am_reload_kind {
    AM_RELOAD_ALL,   /* the file and everything derived from it */
    AM_RELOAD_FILES, /* only what modules read: a map file changed */
};

/* Sets the log sink as a configuration says. */
void am_reload_apply_log(const struct am_reload *reload, const struct am_milter_options *options);

/*
 * Loads the configuration anew and puts it in force for connections to come; those that are open
 * keep theirs. Tells the service manager, counts and logs.
 *
 * Returns: false with a sentence; nothing has changed then.
 * Blocking: reads files. Threads: the control loop only, never a mail thread.
 */
bool am_reload_run(struct am_reload *reload, enum am_reload_kind kind, struct am_problem *problem);

#endif
