#ifndef AM_MILTER_APP_SERVE_H
#define AM_MILTER_APP_SERVE_H

#include "common/milter/app.h"
#include "common/milter/runtime.h"

/*
 * Runs the program from the configuration to its end: log, socket, rights, threads, control loop,
 * drain.
 *
 * Returns: the exit status of am_app_main().
 */
int am_app_serve(const struct am_app *app, const struct am_runtime_source *source, bool foreground);

#endif
