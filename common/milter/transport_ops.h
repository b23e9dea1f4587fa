#ifndef AM_MILTER_TRANSPORT_OPS_H
#define AM_MILTER_TRANSPORT_OPS_H

#include "common/milter/transport.h"

/* One implementation of the functions of transport.h; their contracts stand there. */
struct am_transport_ops {
    bool (*open)(const struct am_transport_options *options, struct am_problem *problem);
    bool (*listen)(const struct am_listener *listener, struct am_problem *problem);
    bool (*serve)(void);
    void (*before_wait)(void);
    void (*drain)(void);
    void (*stop)(void);
};

extern const struct am_transport_ops am_transport_libmilter; /* libmilter_*.c */
extern const struct am_transport_ops am_transport_native;    /* native_*.c */

#endif
