/*
 * The smallest milter: the worked example of common/milter/module.h. The tests of the program's
 * life use it, and so may anybody who wants to see the framework without a check in the way.
 */

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/milter/app.h"

struct hello_conf {
    const char *word;
    const char *file; /* its first line replaces `word`; watched */
    int64_t delay_ms; /* at end of message, to have something under way */
};

static const struct am_option hello_options[] = {
    {.name = "word",
     .kind = AM_OPTION_TEXT,
     .offset = offsetof(struct hello_conf, word),
     .fallback = "hi",
     .help = "what to publish as the reason"},
    {.name = "file",
     .kind = AM_OPTION_TEXT,
     .offset = offsetof(struct hello_conf, file),
     .fallback = "",
     .help = "file whose first line is published in place of word"},
    {.name = "delay",
     .kind = AM_OPTION_DURATION,
     .offset = offsetof(struct hello_conf, delay_ms),
     .fallback = "0s",
     .max = 60000,
     .help = "how long the end of a message takes"},
    {0},
};

static bool hello_open(const void *conf, const struct am_conf_env *env, void **derived,
                       struct am_problem *problem)
{
    const struct hello_conf *hello = conf;
    if (hello->file[0] == '\0')
        return true;
    char line[256] = "";
    FILE *file = fopen(hello->file, "re");
    if (file == NULL)
        return am_problem_set(problem, "hello.file: cannot read %s", hello->file);
    bool good = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    if (!good || line[0] == '\0')
        return am_problem_set(problem, "hello.file: %s is empty", hello->file);
    *derived = am_arena_copy(env->arena, am_span_str(line));
    if (*derived == NULL || !am_conf_env_watch(env, hello->file))
        return am_problem_set(problem, "memory is short");
    return true;
}

static enum am_verdict hello_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);
    const struct hello_conf *conf = am_ctx_conf(ctx);
    const char *word = am_ctx_derived(ctx);
    if (conf->delay_ms > 0)
        nanosleep(&(struct timespec){.tv_sec = conf->delay_ms / 1000,
                                     .tv_nsec = conf->delay_ms % 1000 * 1000000},
                  NULL);
    struct am_result result = {
        .method = "x-hello", .result = "pass", .reason = word == NULL ? conf->word : word};
    am_ctx_publish(ctx, &result);
    return AM_CONTINUE;
}

static const struct am_module hello_module = {
    .abi = AM_MODULE_ABI,
    .name = "hello",
    .summary = "says hello",
    .method = "x-hello",
    .options = hello_options,
    .conf_size = sizeof(struct hello_conf),
    .conf_open = hello_open,
    .eom = hello_eom,
};

AM_APP_MAIN("hello-milter", "publishes one fixed result, as an example", &hello_module)
