#include "common/milter/libmilter_transport.h"
#include "common/milter/terms.h"

static void set_macro_list(void *user, int stage, const char *names)
{
    if (names == NULL || smfi_setsymlist(user, stage, (char *)names) != MI_SUCCESS)
        am_log(AM_LOG_WARNING, "memory is short: the MTA's own choice of macros is used");
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
        .id = atomic_fetch_add_explicit(&transport->connections, 1, memory_order_relaxed) + 1,
        .listener = transport->listener.name,
        .role = (enum am_role)transport->listener.role};
    if (offer->macro_lists)
        am_terms_macro_lists(runtime, &plan, set_macro_list, ctx);
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
    const struct am_terms offered = {.actions = (uint32_t)actions, .steps = (uint32_t)steps};
    const struct am_offer offer = am_terms_offer(&offered);

    (void)unused2;
    (void)unused3;
    am_session_free(smfi_getpriv(ctx));
    (void)smfi_setpriv(ctx, NULL);
    struct am_session *session = am_libmilter_begin(ctx, &offer);
    if (session == NULL)
        return SMFIS_REJECT;
    /* Once in the life of the program: every connection would say the same. */
    if (session->agreement.missing != 0 &&
        !atomic_exchange(&am_libmilter_transport()->told_missing, true))
        am_terms_tell_missing(session->agreement.missing);
    const struct am_terms answer = am_terms_answer(&offered, &session->agreement);
    *want_actions = answer.actions;
    *want_steps = answer.steps;
    *want2 = 0;
    *want3 = 0;
    return SMFIS_CONTINUE;
}
