#include "author-milter/author_module_state.h"

#include <strings.h>

/* Whom an address belongs to: tables and lists. */

static void before_wait(void *waiter)
{
    am_ctx_before_wait(waiter);
}

static void note_failure(struct author_asking *asking, const struct am_problem *problem)
{
    if (asking->state->has_failure)
        return;
    asking->state->has_failure = true;
    asking->state->failure = *problem;
}

static bool names_login(const struct am_map_values *values, const char *login)
{
    if (values->count == 0 || login[0] == '\0')
        return true;
    for (size_t i = 0; i < values->count; i++)
        if (values->items[i][0] == '*' && values->items[i][1] == '\0')
            return true;
        else if (strcasecmp(values->items[i], login) == 0)
            return true;
    return false;
}

enum author_owner author_module_ask(void *user, const struct am_author *author)
{
    struct author_asking *asking = user;
    struct am_ctx *ctx = asking->ctx;
    const struct author_derived *derived = am_ctx_derived(ctx);
    const struct am_map_question question = {.local = author->address.local,
                                             .domain = author->domain,
                                             .login = asking->login,
                                             .deadline_us = am_ctx_deadline_us(ctx),
                                             .clock = am_ctx_clock(ctx),
                                             .before_wait = before_wait,
                                             .waiter = ctx};
    struct am_map_values values;
    struct am_problem problem;
    bool failed = false;

    switch (am_maps_ask(&derived->tables, &question, am_ctx_arena(ctx), &values, &problem)) {
    case AM_MAP_FOUND:
        return names_login(&values, asking->login) ? AUTHOR_OWNER_LOGIN : AUTHOR_OWNER_OTHER;
    case AM_MAP_FAILED:
        note_failure(asking, &problem);
        /* What the table says goes before the lists. */
        return AUTHOR_OWNER_FAILED;
    default:
        break;
    }
    const struct am_address address = {.local = author->address.local,
                                       .domain = am_span_str(author->domain)};
    if (am_patterns_find(derived->domains, am_ctx_arena(ctx), &address) != AM_TABLE_NONE)
        return AUTHOR_OWNER_LOGIN;
    switch (am_maps_ask(&derived->domain_tables, &question, am_ctx_arena(ctx), &values, &problem)) {
    case AM_MAP_FOUND:
        return AUTHOR_OWNER_LOGIN;
    case AM_MAP_FAILED:
        note_failure(asking, &problem);
        failed = true;
        break;
    default:
        break;
    }
    return failed ? AUTHOR_OWNER_FAILED : AUTHOR_OWNER_UNKNOWN;
}
