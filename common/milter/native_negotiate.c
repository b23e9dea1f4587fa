#include "common/milter/native_negotiate.h"

#include "common/base/log.h"
#include "common/milter/native_macros.h"
#include "common/milter/native_packet.h"

/* Steps that are no stage's. */
#define STEP_SKIP 0x000400u
#define STEP_REJECTED_RCPT 0x000800u
#define STEP_LEADING_BLANK 0x100000u

/* The action of choosing macros, which is no edit. */
#define ACTION_MACRO_LISTS 0x100u

/* What an MTA can do that names nothing: the protocol's first version had no words for it. */
#define V1_ACTIONS 0x0fu
#define V1_STEPS 0x3fu

#define NO_MACROS AM_NATIVE_MACRO_STAGES

/* A stage, how to ask not to be sent it, how to ask the MTA not to wait, and where its macros go.
 */
static const struct {
    enum am_stage stage;
    uint32_t leave_out, silent;
    enum am_native_macro_stage macros;
} steps_known[] = {
    {AM_STAGE_CONNECT, 0x001, 0x01000, AM_NATIVE_MACROS_CONNECT},
    {AM_STAGE_HELO, 0x002, 0x02000, AM_NATIVE_MACROS_HELO},
    {AM_STAGE_ENVFROM, 0x004, 0x04000, AM_NATIVE_MACROS_MAIL},
    {AM_STAGE_ENVRCPT, 0x008, 0x08000, AM_NATIVE_MACROS_RCPT},
    {AM_STAGE_DATA, 0x200, 0x10000, AM_NATIVE_MACROS_DATA},
    {AM_STAGE_HEADER, 0x020, 0x00080, NO_MACROS},
    {AM_STAGE_EOM, 0, 0, AM_NATIVE_MACROS_EOM},
    {AM_STAGE_EOH, 0x040, 0x40000, AM_NATIVE_MACROS_EOH},
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

bool am_native_terms_read(struct am_native_terms *terms, struct am_span content)
{
    if (!am_native_take_u32(&content, &terms->version) ||
        !am_native_take_u32(&content, &terms->actions) ||
        !am_native_take_u32(&content, &terms->steps))
        return false;
    if (terms->actions == 0)
        terms->actions = V1_ACTIONS;
    if (terms->steps == 0)
        terms->steps = V1_STEPS;
    return terms->version >= AM_NATIVE_VERSION_MIN;
}

struct am_offer am_native_offer(const struct am_native_terms *terms)
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

struct am_native_terms am_native_answer_terms(const struct am_native_terms *offered,
                                              const struct am_agreement *agreement)
{
    struct am_native_terms answer = {
        .version = offered->version < AM_NATIVE_VERSION ? offered->version : AM_NATIVE_VERSION,
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

bool am_native_waits(uint32_t steps, enum am_stage stage)
{
    for (size_t i = 0; i < COUNT(steps_known); i++) {
        if (steps_known[i].stage == stage)
            return (steps & steps_known[i].silent) == 0;
    }
    return true;
}

static void put_macro_lists(struct am_buf *out, const struct am_runtime *runtime,
                            const struct am_plan *plan)
{
    for (size_t i = 0; i < COUNT(steps_known); i++) {
        struct am_buf names;
        if (steps_known[i].macros == NO_MACROS)
            continue;
        am_buf_init(&names, 0);
        am_plan_macros(runtime, plan, steps_known[i].stage, &names);
        am_native_put_u32(out, steps_known[i].macros);
        am_native_put_text(out, am_buf_str(&names));
        if (names.failed)
            out->failed = true;
        am_buf_fini(&names);
    }
}

void am_native_put_negotiation(struct am_buf *out, const struct am_native_terms *answer,
                               const struct am_runtime *runtime, const struct am_plan *plan)
{
    size_t begin = am_native_packet_begin(out, AM_NATIVE_NEGOTIATE);

    am_native_put_u32(out, answer->version);
    am_native_put_u32(out, answer->actions);
    am_native_put_u32(out, answer->steps);
    if (answer->actions & ACTION_MACRO_LISTS)
        put_macro_lists(out, runtime, plan);
    am_native_packet_end(out, begin);
}

void am_native_tell_missing(unsigned missing)
{
    for (size_t i = 0; i < COUNT(actions_known); i++) {
        if (missing & actions_known[i].action)
            am_log(AM_LOG_WARNING, "the MTA does not offer %s; what needs it will not happen",
                   actions_known[i].what);
    }
}
