#ifndef TESTS_FUZZ_NATIVE_RUNTIME_H
#define TESTS_FUZZ_NATIVE_RUNTIME_H

#include <stdlib.h>

#include "common/milter/runtime.h"

/* A module that looks at everything and finds nothing. */
static enum am_verdict fuzz_body(struct am_ctx *ctx, struct am_span chunk)
{
    (void)ctx;
    return chunk.len > 0 && chunk.ptr[chunk.len - 1] == '!' ? AM_SKIP_BODY : AM_CONTINUE;
}

static enum am_verdict fuzz_mail(struct am_ctx *ctx)
{
    bool refused = am_ctx_set_reply(ctx, 550, "5.7.1", am_ctx_msg(ctx)->sender_text) &&
                   am_ctx_msg(ctx)->sender_params.count == 1;
    return refused ? AM_REJECT : AM_CONTINUE;
}

static enum am_verdict fuzz_eom(struct am_eom_ctx *eom)
{
    (void)am_eom_add_header(eom, "X-Sender", am_ctx_msg(am_eom_ctx_base(eom))->sender_text);
    return AM_CONTINUE;
}

static const struct am_module fuzz_module = {.abi = AM_MODULE_ABI,
                                             .name = "fuzz",
                                             .summary = "looks at everything",
                                             .actions = AM_ACTION_ADD_HEADER,
                                             .envfrom = fuzz_mail,
                                             .body = fuzz_body,
                                             .eom = fuzz_eom};

/* Returns a holder of the defaults' configuration with that module. Never freed. */
static struct am_snapshot_holder *fuzz_runtime(void)
{
    static const struct am_module *const modules[] = {&fuzz_module, NULL};
    static const char *const quiet[] = {"milter.log_level=error"};
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_problem problem;
    const struct am_runtime_source source = {.modules = modules,
                                             .schema = am_runtime_schema(arena, modules),
                                             .overrides = (const char *const *)quiet,
                                             .override_count = 1,
                                             .clock = am_clock_system(),
                                             .check_only = true};
    struct am_runtime *runtime = am_runtime_load(&source, NULL, &problem);
    struct am_snapshot_holder *holder = am_snapshot_holder_new();
    if (runtime == NULL || holder == NULL)
        abort();
    am_snapshot_swap(holder, &runtime->snapshot);
    am_log_open("fuzz", &(struct am_log_options){.target = AM_LOG_STDERR, .level = AM_LOG_ERROR});
    return holder;
}

#endif
