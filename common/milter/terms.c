#include "common/milter/terms.h"

#include "common/base/log.h"

/* Steps that are no stage's. */
#define STEP_SKIP 0x000400u
#define STEP_REJECTED_RCPT 0x000800u
#define STEP_LEADING_BLANK 0x100000u

/* The action of choosing macros, which is no edit. */
#define ACTION_MACRO_LISTS 0x100u

#define NO_MACROS -1

/* A stage, how to ask not to be sent it, how to ask the MTA not to wait, and where its macros go.
 */
static const struct {
    enum am_stage stage;
    uint32_t leave_out, silent;
    int macros; /* the number of its list in the protocol */
} steps_known[] = {
    {AM_STAGE_CONNECT, 0x001, 0x01000, 0},
    {AM_STAGE_HELO, 0x002, 0x02000, 1},
    {AM_STAGE_ENVFROM, 0x004, 0x04000, 2},
    {AM_STAGE_ENVRCPT, 0x008, 0x08000, 3},
    {AM_STAGE_DATA, 0x200, 0x10000, 4},
    {AM_STAGE_HEADER, 0x020, 0x00080, NO_MACROS},
    {AM_STAGE_EOM, 0, 0, 5},
    {AM_STAGE_EOH, 0x040, 0x40000, 6},
    {AM_STAGE_BODY, 0x010, 0x80000, NO_MACROS},
    {AM_STAGE_UNKNOWN, 0x100, 0x20000, NO_MACROS},
};

static const struct {
    enum am_action action;
    uint32_t bit;
    const char *what;
} actions_known[] = {
    {AM_ACTION_ADD_HEADER, 0x01, "adding header fields"},
    {AM_ACTION_CHANGE_HEADER, 0x10, "changing header fields"},
    {AM_ACTION_CHANGE_BODY, 0x02, "changing the body"},
    {AM_ACTION_ADD_RCPT, 0x04, "adding recipients"},
    {AM_ACTION_ADD_RCPT_PARAMS, 0x80, "adding recipients with parameters"},
    {AM_ACTION_DELETE_RCPT, 0x08, "deleting recipients"},
    {AM_ACTION_CHANGE_FROM, 0x40, "changing the sender"},
    {AM_ACTION_QUARANTINE, 0x20, "quarantine"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct am_offer am_terms_offer(const struct am_terms *terms)
{
    struct am_offer offer = {.raw_headers = terms->steps & STEP_LEADING_BLANK,
                             .rejected_rcpt = terms->steps & STEP_REJECTED_RCPT,
                             .skip_body = terms->steps & STEP_SKIP,
                             .macro_lists = terms->actions & ACTION_MACRO_LISTS};

    for (size_t i = 0; i < COUNT(steps_known); i++) {
        if (terms->steps & steps_known[i].leave_out)
            offer.skippable |= steps_known[i].stage;
        if (terms->steps & steps_known[i].silent)
            offer.silent |= steps_known[i].stage;
    }
    for (size_t i = 0; i < COUNT(actions_known); i++) {
        if (terms->actions & actions_known[i].bit)
            offer.actions |= actions_known[i].action;
    }
    return offer;
}

struct am_terms am_terms_answer(const struct am_terms *offered,
                                const struct am_agreement *agreement)
{
    struct am_terms answer = {.version = offered->version,
                              .actions = offered->actions & ACTION_MACRO_LISTS};

    for (size_t i = 0; i < COUNT(steps_known); i++) {
        if ((agreement->sent & steps_known[i].stage) == 0)
            answer.steps |= steps_known[i].leave_out;
        else if ((agreement->answered & steps_known[i].stage) == 0)
            answer.steps |= steps_known[i].silent;
    }
    for (size_t i = 0; i < COUNT(actions_known); i++) {
        if (agreement->actions & actions_known[i].action)
            answer.actions |= actions_known[i].bit;
    }
    answer.steps |= agreement->raw_headers ? STEP_LEADING_BLANK : 0;
    answer.steps |= agreement->rejected_rcpt ? STEP_REJECTED_RCPT : 0;
    answer.steps |= agreement->skip_body ? STEP_SKIP : 0;
    return answer;
}

bool am_terms_waits(uint32_t steps, enum am_stage stage)
{
    for (size_t i = 0; i < COUNT(steps_known); i++) {
        if (steps_known[i].stage == stage)
            return (steps & steps_known[i].silent) == 0;
    }
    return true;
}

void am_terms_macro_lists(const struct am_runtime *runtime, const struct am_plan *plan,
                          void (*take)(void *user, int stage, const char *names), void *user)
{
    for (size_t i = 0; i < COUNT(steps_known); i++) {
        struct am_buf names;
        if (steps_known[i].macros == NO_MACROS)
            continue;
        am_buf_init(&names, 0);
        am_plan_macros(runtime, plan, steps_known[i].stage, &names);
        take(user, steps_known[i].macros, names.failed ? NULL : am_buf_str(&names));
        am_buf_fini(&names);
    }
}

void am_terms_tell_missing(unsigned missing)
{
    for (size_t i = 0; i < COUNT(actions_known); i++) {
        if (missing & actions_known[i].action)
            am_log(AM_LOG_WARNING, "the MTA does not offer %s; what needs it will not happen",
                   actions_known[i].what);
    }
}
