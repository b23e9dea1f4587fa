#include "common/milter/session.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/milter/capture.h"
#include "common/milter/ctx.h"
#include "common/milter/dispatch.h"
#include "common/milter/header_out.h"
#include "common/milter/runtime_modules.h"
#include "common/milter/settle.h"
#include "common/milter/witness.h"

/* Small: hundreds of connections may be idle. Grows when modules keep more. */
#define FIRST_CHUNK 512

/* Most bytes a connection may take outside its messages. */
#define CONNECTION_MEMORY_MAX ((size_t)4 * 1024 * 1024)

static void clear_facts(struct am_session *session)
{
    const struct am_conn_info former = session->info;

    session->info = (struct am_conn_info){.id = former.id,
                                          .listener = former.listener,
                                          .role = former.role,
                                          .client_text = "",
                                          .client_name = "",
                                          .helo = "",
                                          .auth_user = "",
                                          .daemon_name = "",
                                          .is_local = true,
                                          .raw_headers = session->agreement.raw_headers,
                                          .refused_rcpts = session->agreement.rejected_rcpt};
    session->authserv_id = session->runtime->host_name;
    session->scrub = (struct am_scrub_policy){.mode = AM_SCRUB_NONE};
    session->results = (struct am_results){0};
    session->kept = (struct am_decision){0};
    session->connect_results = 0;
    session->connect_kept = (struct am_decision){0};
    session->state = NULL;
    session->helo = NULL;
    session->helo_room = 0;
    session->accepted = false;
}

struct am_session *am_session_new(const struct am_session_start *start)
{
    struct am_session *session = calloc(1, sizeof(*session));
    struct am_arena *arena = am_arena_new(FIRST_CHUNK, CONNECTION_MEMORY_MAX);

    if (session == NULL || arena == NULL) {
        free(session);
        am_arena_free(arena);
        am_snapshot_drop(&start->runtime->snapshot);
        return NULL;
    }
    session->runtime = start->runtime;
    session->ops = start->ops;
    session->peer = start->peer;
    session->agreement = start->agreement;
    session->arena = arena;
    session->info.id = start->id;
    session->info.listener = start->listener == NULL ? "" : start->listener;
    session->info.role = start->role;
    for (size_t i = 0; i < session->runtime->module_count; i++)
        session->modules_want |= session->runtime->modules[i].wants;
    clear_facts(session);
    am_capture_begin(session);
    am_witness_begin(session);
    am_counters_add(session->runtime->counters, AM_COUNT_CONNECTIONS, 1);
    am_counters_add(session->runtime->counters, AM_COUNT_CONNECTIONS_OPEN, 1);
    return session;
}

static void end_connection(struct am_session *session)
{
    am_message_end(session, AM_MESSAGE_ABORTED, NULL);
    if (session->connected)
        am_dispatch_end(session, false, false);
    session->connected = false;
}

void am_session_free(struct am_session *session)
{
    if (session == NULL)
        return;
    end_connection(session);
    am_witness_end(session);
    am_capture_end(session);
    am_counters_add(session->runtime->counters, AM_COUNT_CONNECTIONS_OPEN, -1);
    am_arena_free(session->arena);
    am_snapshot_drop(&session->runtime->snapshot);
    free(session);
}

/* Copies a text into the connection's arena; "" for NULL and when memory is short. */
static const char *keep_text(struct am_session *session, const char *text)
{
    const char *copy =
        text == NULL || *text == '\0' ? NULL : am_arena_copy(session->arena, am_span_str(text));

    return copy == NULL ? "" : copy;
}

static const char *choose_authserv_id(struct am_session *session)
{
    const char *configured = session->runtime->authres->authserv_id;
    if (*configured != '\0')
        return configured;

    const char *name = session->ops->macro(session->peer, "j");
    if (name != NULL && am_header_out_id_ok(name)) {
        name = keep_text(session, name);
        if (*name != '\0')
            return name;
    }
    return session->runtime->host_name;
}

/* Whose fields are ours: the id in use and those of authres.also_ours. */
static bool fill_scrub_ids(struct am_session *session)
{
    const struct am_strlist *more = &session->runtime->authres->also_ours;

    session->scrub.ids = &session->authserv_id;
    session->scrub.id_count = 1;
    if (more->count == 0)
        return true;
    const char **ids = am_arena_alloc(session->arena, (more->count + 1) * sizeof(*ids));
    if (ids == NULL)
        return false;
    ids[0] = session->authserv_id;
    memcpy(ids + 1, more->items, more->count * sizeof(*ids));
    session->scrub.ids = ids;
    session->scrub.id_count = more->count + 1;
    return true;
}

static bool fill_scrub_methods(struct am_session *session)
{
    const struct am_runtime *runtime = session->runtime;
    size_t count = 0;

    if (session->scrub.mode != AM_SCRUB_OWN)
        return true;
    const char **methods =
        am_arena_alloc(session->arena, (runtime->module_count + 1) * sizeof(*methods));
    if (methods == NULL)
        return false;
    for (size_t i = 0; i < runtime->module_count; i++) {
        const struct am_module *module = runtime->modules[i].module;
        const char *method = module->method != NULL ? module->method : module->name;
        if (method[0] != '\0')
            methods[count++] = method;
    }
    session->scrub.methods = methods;
    session->scrub.method_count = count;
    return true;
}

static uint16_t port_of(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address == NULL || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
        return 0;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return ntohs(v4.sin_port);
    }
    memcpy(&v6, address, sizeof(v6));
    return ntohs(v6.sin6_port);
}

static bool learn_connection(struct am_session *session, const char *name,
                             const struct sockaddr *address)
{
    struct am_conn_info *info = &session->info;
    char text[AM_IP_TEXT_MAX];

    am_ip_from_sockaddr(&info->client, address);
    info->client_port = port_of(address);
    info->is_local = info->client.family == 0 || am_ip_is_loopback(&info->client);
    info->client_text =
        info->client.family == 0 ? "" : keep_text(session, am_ip_format(&info->client, text));
    info->client_name = keep_text(session, name);
    info->daemon_name = keep_text(session, session->ops->macro(session->peer, "{daemon_name}"));
    session->authserv_id = choose_authserv_id(session);
    session->scrub.mode = am_runtime_reports(session->runtime) && !am_shadow_is_on(session)
                              ? (enum am_scrub)session->runtime->authres->scrub
                              : AM_SCRUB_NONE;
    session->state = am_module_states(session->arena, session->runtime, false);
    return session->state != NULL && fill_scrub_ids(session) && fill_scrub_methods(session);
}

/* Without its memory a connection cannot be judged: its messages are put off, none is lost. */
static void put_off(struct am_session *session)
{
    am_session_log(session, AM_LOG_ERROR, "memory is short; its messages are put off");
    session->accepted = true;
    session->kept = (struct am_decision){.verdict = AM_TEMPFAIL, .why = "memory is short"};
}

/* As am_play_mail.client has it. */
static const char *address_text(const struct sockaddr *address, char text[AM_IP_TEXT_MAX])
{
    struct am_ip ip;

    am_ip_from_sockaddr(&ip, address);
    return ip.family == 0 ? "" : am_ip_format(&ip, text);
}

void am_session_begin(struct am_session *session, const char *name, const struct sockaddr *address)
{
    char text[AM_IP_TEXT_MAX];

    session->connected = true;
    am_capture_stage(session, AM_STAGE_CONNECT);
    am_capture_connect(session, name, address_text(address, text));
    if (!learn_connection(session, name, address))
        put_off(session);
    session->connect_kept = session->kept;
    session->connect_accepted = session->accepted;
}

enum am_verdict am_session_connect(struct am_session *session, const char *name,
                                   const struct sockaddr *address)
{
    if (session->connected) {
        end_connection(session);
        clear_facts(session);
        am_arena_reset(session->arena);
    }
    am_session_begin(session, name, address);
    enum am_verdict verdict =
        am_settle_event(session, &(struct am_event){.stage = AM_STAGE_CONNECT});
    session->connect_results = session->results.count;
    session->connect_kept = session->kept;
    session->connect_accepted = session->accepted;
    return verdict;
}

/*
 * What was found about a former HELO does not hold for this one. Without this a client could also
 * fill the table of results by saying HELO again and again, and so keep later results out.
 */
static void forget_helo(struct am_session *session)
{
    session->results.count = session->connect_results;
    session->kept = session->connect_kept;
    session->accepted = session->connect_accepted;
}

/* Keeps the name in room that grows by doubling, so that a client cannot fill memory with HELO. */
static void keep_helo(struct am_session *session, const char *name)
{
    size_t need = strlen(name) + 1;

    if (need > session->helo_room) {
        size_t room = need < 64 ? 64 : need * 2;
        char *text = am_arena_alloc(session->arena, room);
        if (text == NULL) {
            session->info.helo = "";
            return;
        }
        session->helo = text;
        session->helo_room = room;
    }
    memcpy(session->helo, name, need);
    session->info.helo = session->helo;
}

enum am_verdict am_session_helo(struct am_session *session, const char *name)
{
    if (!session->connected)
        am_session_begin(session, NULL, NULL);
    am_message_end(session, AM_MESSAGE_ABORTED, NULL); /* RFC 5321 section 4.1.4: as RSET */
    forget_helo(session);
    keep_helo(session, name);
    am_capture_stage(session, AM_STAGE_HELO);
    am_capture_helo(session, name);
    return am_settle_event(session, &(struct am_event){.stage = AM_STAGE_HELO});
}

void am_session_abort(struct am_session *session)
{
    am_message_end(session, AM_MESSAGE_ABORTED, NULL);
}

enum am_verdict am_session_unknown(struct am_session *session, const char *command)
{
    const struct am_event event = {.stage = AM_STAGE_UNKNOWN, .command = command};

    if (!session->connected)
        am_session_begin(session, NULL, NULL);
    return am_settle_event(session, &event);
}
