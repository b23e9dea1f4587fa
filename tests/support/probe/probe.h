#ifndef AM_TESTS_PROBE_H
#define AM_TESTS_PROBE_H

#include "common/milter/module.h"

/* Options of both modules. */
struct probe_conf {
    const char *trace;                /* file that events are appended to; "": none */
    struct am_strlist wants, answers; /* stages by name; "all" */
};

/* What conf_open makes. */
struct probe {
    const char *name; /* of the module; its script is the macro "{NAME}" */
    int trace;        /* descriptor, -1: none */
};

/* Appends "CONNECTION MODULE " and the text to the trace, as one line and one write. Bytes that
 * are not printable are written as \xNN. */
void probe_trace(struct am_ctx *ctx, const char *format, ...) AM_PRINTF(2, 3);

/*
 * Runs the lines of the script that name `stage`, in order.
 *
 * eom: NULL elsewhere than at end of message. Returns: the last verdict the lines name.
 */
enum am_verdict probe_script_run(struct am_ctx *ctx, struct am_eom_ctx *eom, const char *stage);

#endif
