#include "common/milter/play.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "common/milter/outcome_peer.h"
#include "common/milter/plan.h"
#include "common/milter/session.h"
#include "common/milter/terms.h"

/* The MTA at the other end: it takes down what it is sent. */
struct player {
    struct am_outcome_taker taker; /* must be first: am_outcome_peer_ops */
    const struct am_play_mail *mail;
    enum am_stage stage; /* that the message has come to */
};

/* --- what it knows --- */

static const char *macro(void *peer, const char *name)
{
    const struct player *player = peer;
    const char *value = NULL;

    for (size_t i = 0; i < player->mail->macro_count; i++) {
        const struct am_play_macro *item = &player->mail->macros[i];
        if (item->stage <= player->stage && strcmp(item->name, name) == 0)
            value = item->value;
    }
    return value;
}

/* --- what is known at the end --- */

static void report(void *user, const struct am_session *session, const char *action,
                   const struct am_decision *decision)
{
    struct player *player = session->peer;

    (void)user;
    am_outcome_take_end(&player->taker, session, action, decision);
}

struct am_reporter am_play_reporter(void)
{
    return (struct am_reporter){.report = report};
}

/* --- the events --- */

static bool address_of(const char *text, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        return true;
    }
    six->sin6_family = AF_INET6;
    return inet_pton(AF_INET6, text, &six->sin6_addr) == 1;
}

/* A verdict that ends the message; ACCEPT never does so before its end here. */
static bool is_final(enum am_verdict verdict)
{
    return verdict == AM_REJECT || verdict == AM_TEMPFAIL || verdict == AM_DISCARD;
}

static bool connect_client(struct player *player, struct am_session *session,
                           struct am_problem *problem, enum am_verdict *verdict)
{
    const struct am_play_mail *mail = player->mail;
    struct sockaddr_storage address;
    const char *name = mail->client_name;

    player->stage = AM_STAGE_CONNECT;
    if (mail->client[0] == '\0' || strcmp(mail->client, "unknown") == 0) {
        *verdict =
            am_session_connect(session, mail->client[0] == '\0' ? "localhost" : "unknown", NULL);
        return true;
    }
    if (!address_of(mail->client, &address))
        return am_problem_set(problem, "\"%s\" is no address", mail->client);
    if (name == NULL)
        name = am_arena_printf(player->taker.arena, "[%s]", mail->client);
    *verdict = am_session_connect(session, name, (const struct sockaddr *)&address);
    return true;
}

/* A recipient that is refused is that alone. Returns AM_CONTINUE when one is left. */
static enum am_verdict give_recipients(struct player *player, struct am_session *session)
{
    const struct am_strlist *recipients = &player->mail->recipients;
    enum am_verdict last = AM_CONTINUE;
    size_t taken = 0;

    player->stage = AM_STAGE_ENVRCPT;
    for (size_t i = 0; i < recipients->count; i++) {
        player->taker.reply = NULL;
        last = am_session_rcpt(session, recipients->items[i], NULL, 0);
        if (last == AM_DISCARD || session->message == NULL)
            return last;
        if (!is_final(last))
            taken++;
        else
            (void)am_outcome_add(
                &player->taker, &player->taker.outcome->refused,
                am_arena_printf(player->taker.arena, "%s %s", recipients->items[i],
                                player->taker.reply == NULL ? "" : player->taker.reply));
    }
    return taken > 0 || recipients->count == 0 ? AM_CONTINUE : last;
}

static enum am_verdict give_fields(struct player *player, struct am_session *session)
{
    const struct am_play_mail *mail = player->mail;
    enum am_verdict verdict;

    player->stage = AM_STAGE_DATA;
    verdict = am_session_data(session);
    player->stage = AM_STAGE_HEADER;
    for (size_t i = 0; !is_final(verdict) && i < mail->field_count; i++)
        verdict = am_session_header(session, mail->fields[i].name, mail->fields[i].value);
    player->stage = AM_STAGE_EOH;
    return is_final(verdict) ? verdict : am_session_eoh(session);
}

static bool give_body(struct player *player, struct am_session *session, struct am_problem *problem,
                      enum am_verdict *verdict)
{
    const struct am_play_mail *mail = player->mail;
    struct am_span chunk;

    player->stage = AM_STAGE_BODY;
    while (mail->body != NULL && !is_final(*verdict)) {
        if (!mail->body(mail->body_user, &chunk, problem))
            return false;
        if (chunk.len == 0)
            break;
        *verdict = am_session_body(session, chunk);
    }
    return true;
}

static bool play(struct player *player, struct am_session *session, struct am_problem *problem)
{
    const struct am_play_mail *mail = player->mail;
    enum am_verdict verdict = AM_CONTINUE;

    if (!connect_client(player, session, problem, &verdict))
        return false;
    player->stage = AM_STAGE_HELO;
    if (!is_final(verdict) && mail->helo != NULL)
        verdict = am_session_helo(session, mail->helo);
    player->stage = AM_STAGE_ENVFROM;
    if (!is_final(verdict))
        verdict = am_session_mail(session, mail->sender, mail->sender_params.items,
                                  mail->sender_params.count, false);
    if (!is_final(verdict))
        verdict = give_recipients(player, session);
    if (!is_final(verdict))
        verdict = give_fields(player, session);
    if (!is_final(verdict) && !give_body(player, session, problem, &verdict))
        return false;
    player->stage = AM_STAGE_EOM;
    if (!is_final(verdict))
        verdict = am_session_eom(session);
    if (!player->taker.ended && is_final(verdict)) {
        /* Refused before there was a message, or with its last recipient. */
        player->taker.outcome->action = verdict == AM_REJECT     ? "reject"
                                        : verdict == AM_TEMPFAIL ? "tempfail"
                                                                 : "discard";
        player->taker.ended = true;
    }
    player->taker.outcome->reply = player->taker.reply;
    return true;
}

bool am_play(struct am_runtime *runtime, const struct am_play_mail *mail, struct am_arena *arena,
             struct am_outcome *outcome, struct am_problem *problem)
{
    const struct am_offer everything = {.skippable = ~(unsigned)AM_STAGE_EOM,
                                        .silent = ~(unsigned)AM_STAGE_EOM,
                                        .actions = ~0U,
                                        .raw_headers = true,
                                        .rejected_rcpt = true,
                                        .skip_body = true,
                                        .macro_lists = true};
    struct player player = {.mail = mail, .taker = {.arena = arena, .outcome = outcome}};
    const struct am_plan plan = am_plan_make(runtime);
    struct am_peer_ops ops = am_outcome_peer_ops;

    ops.macro = macro;
    *outcome = (struct am_outcome){0};
    am_snapshot_ref(&runtime->snapshot);
    const struct am_session_start start = {.runtime = runtime,
                                           .ops = &ops,
                                           .peer = &player,
                                           .agreement = am_plan_negotiate(&plan, &everything),
                                           .id = 1,
                                           .role = mail->role};
    struct am_session *session = am_session_new(&start);
    if (session == NULL)
        return am_problem_set(problem, "out of memory");
    session->conn_resolver = mail->conn_resolver;
    bool good = play(&player, session, problem);
    am_session_free(session);
    if (good && (player.taker.failed || !player.taker.ended))
        return am_problem_set(problem, "out of memory");
    return good;
}
