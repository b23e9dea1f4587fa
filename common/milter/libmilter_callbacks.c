#include "common/milter/libmilter_transport.h"

/* Which answers libmilter has for a verdict. Where none was agreed, it must be told that none
 * comes. */
static sfsistat answer(const struct am_session *session, enum am_stage stage,
                       enum am_verdict verdict)
{
    if ((session->agreement.answered & stage) == 0)
        return SMFIS_NOREPLY;
    switch (verdict) {
    case AM_SKIP_BODY:
        return SMFIS_SKIP;
    case AM_ACCEPT:
        return SMFIS_ACCEPT;
    case AM_TEMPFAIL:
        return SMFIS_TEMPFAIL;
    case AM_DISCARD:
        return SMFIS_DISCARD;
    case AM_REJECT:
        return SMFIS_REJECT;
    default:
        return SMFIS_CONTINUE;
    }
}

static struct am_session *session_of(SMFICTX *ctx)
{
    return smfi_getpriv(ctx);
}

static size_t count_of(char *const *items)
{
    size_t count = 0;

    while (items[count] != NULL)
        count++;
    return count;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, struct sockaddr *address)
{
    struct am_session *session = session_of(ctx);

    if (session == NULL) {
        /* A second connection over the same line (SMFIC_QUIT_NC) comes without a negotiation. What
         * was agreed in the first one still holds: with the MTAs that do this, all that we ask for.
         */
        const struct am_offer everything = {.skippable = ~(unsigned)AM_STAGE_EOM,
                                            .silent = ~(unsigned)AM_STAGE_EOM,
                                            .actions = ~0u,
                                            .raw_headers = true,
                                            .rejected_rcpt = true,
                                            .skip_body = true};
        session = am_libmilter_begin(ctx, &everything);
        if (session == NULL)
            return SMFIS_TEMPFAIL;
    }
    return answer(session, AM_STAGE_CONNECT, am_session_connect(session, name, address));
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    struct am_session *session = session_of(ctx);

    if (session == NULL)
        return SMFIS_CONTINUE;
    return answer(session, AM_STAGE_HELO, am_session_helo(session, name));
}

static sfsistat on_mail(SMFICTX *ctx, char **words)
{
    struct am_session *session = session_of(ctx);
    size_t count = count_of(words);

    if (session == NULL || count == 0)
        return SMFIS_CONTINUE;
    bool draining = atomic_load_explicit(&am_libmilter_transport()->draining, memory_order_relaxed);
    enum am_verdict verdict =
        am_session_mail(session, words[0], (const char *const *)words + 1, count - 1, draining);
    return answer(session, AM_STAGE_ENVFROM, verdict);
}

static sfsistat on_rcpt(SMFICTX *ctx, char **words)
{
    struct am_session *session = session_of(ctx);
    size_t count = count_of(words);

    if (session == NULL || count == 0)
        return SMFIS_CONTINUE;
    enum am_verdict verdict =
        am_session_rcpt(session, words[0], (const char *const *)words + 1, count - 1);
    return answer(session, AM_STAGE_ENVRCPT, verdict);
}

static sfsistat on_data(SMFICTX *ctx)
{
    struct am_session *session = session_of(ctx);

    return session == NULL ? SMFIS_CONTINUE
                           : answer(session, AM_STAGE_DATA, am_session_data(session));
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct am_session *session = session_of(ctx);

    return session == NULL
               ? SMFIS_CONTINUE
               : answer(session, AM_STAGE_HEADER, am_session_header(session, name, value));
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    struct am_session *session = session_of(ctx);

    return session == NULL ? SMFIS_CONTINUE
                           : answer(session, AM_STAGE_EOH, am_session_eoh(session));
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t len)
{
    struct am_session *session = session_of(ctx);

    if (session == NULL)
        return SMFIS_CONTINUE;
    enum am_verdict verdict = am_session_body(session, am_span_of((const char *)chunk, len));
    return answer(session, AM_STAGE_BODY, verdict);
}

static sfsistat on_eom(SMFICTX *ctx)
{
    struct am_session *session = session_of(ctx);

    /* A message that nobody could look at is not let through: forged results might stand in it. */
    return session == NULL ? SMFIS_TEMPFAIL
                           : answer(session, AM_STAGE_EOM, am_session_eom(session));
}

static sfsistat on_unknown(SMFICTX *ctx, const char *command)
{
    struct am_session *session = session_of(ctx);

    return session == NULL
               ? SMFIS_CONTINUE
               : answer(session, AM_STAGE_UNKNOWN, am_session_unknown(session, command));
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct am_session *session = session_of(ctx);

    if (session != NULL)
        am_session_abort(session);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct am_session *session = session_of(ctx);

    (void)smfi_setpriv(ctx, NULL);
    am_session_free(session);
    return SMFIS_CONTINUE;
}

void am_libmilter_callbacks(struct smfiDesc *description)
{
    description->xxfi_connect = on_connect;
    description->xxfi_helo = on_helo;
    description->xxfi_envfrom = on_mail;
    description->xxfi_envrcpt = on_rcpt;
    description->xxfi_header = on_header;
    description->xxfi_eoh = on_eoh;
    description->xxfi_body = on_body;
    description->xxfi_eom = on_eom;
    description->xxfi_abort = on_abort;
    description->xxfi_close = on_close;
    description->xxfi_unknown = on_unknown;
    description->xxfi_data = on_data;
    description->xxfi_negotiate = am_libmilter_negotiate;
}
