#include "common/milter/transport_ops.h"

/* Chosen by am_transport_open(), before any thread uses it. */
static const struct am_transport_ops *chosen;

bool am_transport_open(const struct am_transport_options *options, struct am_problem *problem)
{
    chosen = options->kind == AM_TRANSPORT_NATIVE ? &am_transport_native : &am_transport_libmilter;
    return chosen->open(options, problem);
}

bool am_transport_listen(const struct am_listener *listener, struct am_problem *problem)
{
    return chosen->listen(listener, problem);
}

bool am_transport_serve(void)
{
    return chosen->serve();
}

void am_transport_before_wait(void)
{
    if (chosen != NULL)
        chosen->before_wait();
}

void am_transport_drain(void)
{
    chosen->drain();
}

void am_transport_stop(void)
{
    chosen->stop();
}
