#include <libmilter/mfdef.h>

#include "common/milter/libmilter_transport.h"

/* A stage, how to ask not to be sent it, how to ask the MTA not to wait, and where its macros go.
 */
struct step {
    enum am_stage stage;
    unsigned long skip, silent;
    int macros; /* -1 = it has none of its own */
};

static const struct step steps_known[] = {
    {AM_STAGE_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, SMFIM_CONNECT},
    {AM_STAGE_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, SMFIM_HELO},
    {AM_STAGE_ENVFROM, SMFIP_NOMAIL, SMFIP_NR_MAIL, SMFIM_ENVFROM},
    {AM_STAGE_ENVRCPT, SMFIP_NORCPT, SMFIP_NR_RCPT, SMFIM_ENVRCPT},
    {AM_STAGE_DATA, SMFIP_NODATA, SMFIP_NR_DATA, SMFIM_DATA},
    {AM_STAGE_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, -1},
    {AM_STAGE_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, SMFIM_EOH},
    {AM_STAGE_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, -1},
    {AM_STAGE_UNKNOWN, SMFIP_NOUNKNOWN, SMFIP_NR_UNKN, -1},
    {AM_STAGE_EOM, 0, 0, SMFIM_EOM},
};

static const struct {
    enum am_action action;
    unsigned long bit;
    const char *what;
} actions_known[] = {
    {AM_ACTION_ADD_HEADER, SMFIF_ADDHDRS, "adding header fields"},
    {AM_ACTION_CHANGE_HEADER, SMFIF_CHGHDRS, "changing header fields"},
    {AM_ACTION_CHANGE_BODY, SMFIF_CHGBODY, "changing the body"},
    {AM_ACTION_ADD_RCPT, SMFIF_ADDRCPT, "adding recipients"},
    {AM_ACTION_ADD_RCPT_PARAMS, SMFIF_ADDRCPT_PAR, "adding recipients with parameters"},
    {AM_ACTION_DELETE_RCPT, SMFIF_DELRCPT, "deleting recipients"},
    {AM_ACTION_CHANGE_FROM, SMFIF_CHGFROM, "changing the sender"},
    {AM_ACTION_QUARANTINE, SMFIF_QUARANTINE, "quarantine"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct am_offer read_offer(unsigned long actions, unsigned long steps)
{
    struct am_offer offer = {.raw_headers = steps & SMFIP_HDR_LEADSPC,
                             .rejected_rcpt = steps & SMFIP_RCPT_REJ,
                             .skip_body = steps & SMFIP_SKIP,
                             .macro_lists = actions & SMFIF_SETSYMLIST};

    for (size_t i = 0; i < COUNT(steps_known); i++) {
        if (steps & steps_known[i].skip)
            offer.skippable |= steps_known[i].stage;
        if (steps & steps_known[i].silent)
            offer.silent |= steps_known[i].stage;
    }
    for (size_t i = 0; i < COUNT(actions_known); i++) {
        if (actions & actions_known[i].bit)
            offer.actions |= actions_known[i].action;
    }
    return offer;
}

static unsigned long wanted_steps(const struct am_agreement *agreement)
{
    unsigned long bits = 0;

    for (size_t i = 0; i < COUNT(steps_known); i++) {
        const struct step *step = &steps_known[i];
        if ((agreement->sent & step->stage) == 0)
            bits |= step->skip;
        else if ((agreement->answered & step->stage) == 0)
            bits |= step->silent;
    }
    if (agreement->raw_headers)
        bits |= SMFIP_HDR_LEADSPC;
    if (agreement->rejected_rcpt)
        bits |= SMFIP_RCPT_REJ;
    if (agreement->skip_body)
        bits |= SMFIP_SKIP;
    return bits;
}

static unsigned long wanted_actions(const struct am_agreement *agreement)
{
    unsigned long bits = 0;

    for (size_t i = 0; i < COUNT(actions_known); i++) {
        if (agreement->actions & actions_known[i].action)
            bits |= actions_known[i].bit;
    }
    return bits;
}

/* Once in the life of the program: every connection would say the same. */
static void tell_missing(const struct am_agreement *agreement)
{
    if (agreement->missing == 0 || atomic_exchange(&am_libmilter_transport()->told_missing, true))
        return;
    for (size_t i = 0; i < COUNT(actions_known); i++) {
        if (agreement->missing & actions_known[i].action)
            am_log(AM_LOG_WARNING, "the MTA does not offer %s; what needs it will not happen",
                   actions_known[i].what);
    }
}

/* A list that is set replaces the MTA's own; an empty one spares it the work. */
static void ask_for_macros(SMFICTX *ctx, const struct am_runtime *runtime,
                           const struct am_plan *plan)
{
    for (size_t i = 0; i < COUNT(steps_known); i++) {
        struct am_buf names;
        if (steps_known[i].macros < 0)
            continue;
        am_buf_init(&names, 0);
        am_plan_macros(runtime, plan, steps_known[i].stage, &names);
        if (names.failed ||
            smfi_setsymlist(ctx, steps_known[i].macros, (char *)am_buf_str(&names)) != MI_SUCCESS)
            am_log(AM_LOG_WARNING, "memory is short: the MTA's own choice of macros is used");
        am_buf_fini(&names);
    }
}

struct am_session *am_libmilter_begin(SMFICTX *ctx, const struct am_offer *offer)
{
    struct am_transport *transport = am_libmilter_transport();
    struct am_runtime *runtime = (struct am_runtime *)am_snapshot_take(transport->options.runtime);
    if (runtime == NULL)
        return NULL;

    struct am_plan plan = am_plan_make(runtime);
    /* A program that is stopping says so at MAIL, not after the whole message. */
    if (atomic_load_explicit(&transport->draining, memory_order_relaxed))
        plan.answers |= AM_STAGE_ENVFROM;
    const struct am_session_start start = {
        .runtime = runtime,
        .ops = &am_libmilter_peer,
        .peer = ctx,
        .agreement = am_plan_negotiate(&plan, offer),
        .id = atomic_fetch_add_explicit(&transport->connections, 1, memory_order_relaxed) + 1};
    if (offer->macro_lists)
        ask_for_macros(ctx, runtime, &plan);
    struct am_session *session = am_session_new(&start);
    if (session != NULL && smfi_setpriv(ctx, session) != MI_SUCCESS) {
        am_session_free(session);
        session = NULL;
    }
    if (session == NULL)
        am_log(AM_LOG_ERROR, "memory is short: a connection is refused");
    return session;
}

sfsistat am_libmilter_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                                unsigned long unused2, unsigned long unused3,
                                unsigned long *want_actions, unsigned long *want_steps,
                                unsigned long *want2, unsigned long *want3)
{
    const struct am_offer offer = read_offer(actions, steps);

    (void)unused2;
    (void)unused3;
    am_session_free(smfi_getpriv(ctx));
    (void)smfi_setpriv(ctx, NULL);
    struct am_session *session = am_libmilter_begin(ctx, &offer);
    if (session == NULL)
        return SMFIS_REJECT;
    tell_missing(&session->agreement);
    *want_actions = wanted_actions(&session->agreement) | (actions & SMFIF_SETSYMLIST);
    *want_steps = wanted_steps(&session->agreement);
    *want2 = 0;
    *want3 = 0;
    return SMFIS_CONTINUE;
}
