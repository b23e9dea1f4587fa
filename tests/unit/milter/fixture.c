#include "fixture.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static int64_t now(const struct am_clock *clock)
{
    return ((const struct fixture *)(const void *)clock)->now_us;
}

static int64_t wall(const struct am_clock *clock)
{
    (void)clock;
    return 1700000000;
}

static void destroy(struct am_snapshot *self)
{
    struct am_runtime *runtime = (struct am_runtime *)(void *)self;
    struct fixture *fixture =
        (struct fixture *)(void *)((char *)runtime - offsetof(struct fixture, runtime));

    fixture->destroyed = true;
}

void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->clock = (struct am_clock){now, wall};
    fixture->now_us = 1000000;
    fixture->milter = (struct am_milter_options){.connect_budget_ms = 1000,
                                                 .envelope_budget_ms = 20000,
                                                 .message_budget_ms = 60000,
                                                 .max_headers = 1000,
                                                 .max_header_bytes = 1 << 20};
    fixture->authres = (struct am_authres_options){.authserv_id = "mx.example.org",
                                                   .scrub = AM_SCRUB_ALL,
                                                   .combine = true,
                                                   .add_header = true};
    fixture->counters = am_counters_new();
    assert_non_null(fixture->counters);
    fixture->runtime = (struct am_runtime){.milter = &fixture->milter,
                                           .authres = &fixture->authres,
                                           .modules = fixture->modules,
                                           .clock = &fixture->clock,
                                           .counters = fixture->counters,
                                           .host_name = "host.example.net"};
    am_snapshot_init(&fixture->runtime.snapshot, destroy);
    am_buf_init(&fixture->sent, 0);
}

void fixture_fini(struct fixture *fixture)
{
    am_snapshot_drop(&fixture->runtime.snapshot);
    assert_true(fixture->destroyed);
    assert_int_equal(am_counters_read(fixture->counters, AM_COUNT_MESSAGES_OPEN), 0);
    assert_int_equal(am_counters_read(fixture->counters, AM_COUNT_CONNECTIONS_OPEN), 0);
    am_counters_free(fixture->counters);
    am_buf_fini(&fixture->sent);
}

static unsigned stages_of(const struct am_module *module)
{
    return (module->connect ? AM_STAGE_CONNECT : 0u) | (module->helo ? AM_STAGE_HELO : 0u) |
           (module->envfrom ? AM_STAGE_ENVFROM : 0u) | (module->envrcpt ? AM_STAGE_ENVRCPT : 0u) |
           (module->data ? AM_STAGE_DATA : 0u) | (module->header ? AM_STAGE_HEADER : 0u) |
           (module->eoh ? AM_STAGE_EOH : 0u) | (module->body ? AM_STAGE_BODY : 0u) |
           (module->eom ? AM_STAGE_EOM : 0u) | (module->unknown ? AM_STAGE_UNKNOWN : 0u);
}

void fixture_add(struct fixture *fixture, const struct am_module *module, unsigned answers)
{
    struct am_runtime_module *entry = &fixture->modules[fixture->runtime.module_count++];

    entry->module = module;
    entry->wants = stages_of(module);
    entry->answers = answers & entry->wants;
}

const char *fixture_sent(const struct fixture *fixture)
{
    return am_buf_str(&fixture->sent);
}

void fixture_forget(struct fixture *fixture)
{
    am_buf_clear(&fixture->sent);
}

static const char *peer_macro(void *peer, const char *name)
{
    const struct fixture *fixture = peer;

    if (strcmp(name, "i") == 0)
        return fixture->queue_id;
    if (strcmp(name, "j") == 0)
        return fixture->host;
    if (strcmp(name, "{auth_authen}") == 0)
        return fixture->user;
    if (strcmp(name, "{rcpt_mailer}") == 0)
        return fixture->rcpt_mailer;
    return NULL;
}

static bool peer_reply(void *peer, const struct am_reply *reply)
{
    struct fixture *fixture = peer;

    am_buf_printf(&fixture->sent, "reply %d %s ", reply->code, reply->xcode);
    for (size_t i = 0; i < reply->line_count; i++)
        am_buf_printf(&fixture->sent, "%s%s", i > 0 ? "|" : "", reply->lines[i]);
    am_buf_add_char(&fixture->sent, '\n');
    return true;
}

static bool peer_add(void *peer, const char *name, const char *value)
{
    struct fixture *fixture = peer;
    am_buf_printf(&fixture->sent, "add %s: %s\n", name, value);
    return !fixture->broken;
}

static bool peer_insert(void *peer, unsigned index, const char *name, const char *value)
{
    struct fixture *fixture = peer;
    am_buf_printf(&fixture->sent, "insert %u %s: %s\n", index, name, value);
    return !fixture->broken;
}

static bool peer_change(void *peer, unsigned index, const char *name, const char *value)
{
    struct fixture *fixture = peer;
    if (value == NULL)
        am_buf_printf(&fixture->sent, "delete %u %s\n", index, name);
    else
        am_buf_printf(&fixture->sent, "change %u %s: %s\n", index, name, value);
    return !fixture->broken;
}

static bool peer_add_rcpt(void *peer, const char *recipient, const char *params)
{
    struct fixture *fixture = peer;
    am_buf_printf(&fixture->sent, "rcpt+ %s %s\n", recipient, params == NULL ? "" : params);
    return !fixture->broken;
}

static bool peer_delete_rcpt(void *peer, const char *recipient)
{
    struct fixture *fixture = peer;
    am_buf_printf(&fixture->sent, "rcpt- %s\n", recipient);
    return !fixture->broken;
}

static bool peer_sender(void *peer, const char *sender, const char *params)
{
    struct fixture *fixture = peer;
    am_buf_printf(&fixture->sent, "from %s %s\n", sender, params == NULL ? "" : params);
    return !fixture->broken;
}

static bool peer_body(void *peer, struct am_span chunk)
{
    struct fixture *fixture = peer;
    am_buf_printf(&fixture->sent, "body %.*s\n", (int)chunk.len, chunk.ptr);
    return !fixture->broken;
}

static bool peer_quarantine(void *peer, const char *reason)
{
    struct fixture *fixture = peer;
    am_buf_printf(&fixture->sent, "quarantine %s\n", reason);
    return !fixture->broken;
}

static bool peer_progress(void *peer)
{
    struct fixture *fixture = peer;
    am_buf_add_str(&fixture->sent, "progress\n");
    return true;
}

static const struct am_peer_ops peer_ops = {
    .macro = peer_macro,
    .set_reply = peer_reply,
    .add_header = peer_add,
    .insert_header = peer_insert,
    .change_header = peer_change,
    .add_recipient = peer_add_rcpt,
    .delete_recipient = peer_delete_rcpt,
    .change_sender = peer_sender,
    .replace_body = peer_body,
    .quarantine = peer_quarantine,
    .progress = peer_progress,
};

const struct am_peer_ops *fixture_peer_ops(void)
{
    return &peer_ops;
}

struct am_session *fixture_session(struct fixture *fixture)
{
    const struct am_offer offer = {.skippable = ~0u & ~(unsigned)AM_STAGE_EOM,
                                   .silent = ~0u & ~(unsigned)AM_STAGE_EOM,
                                   .actions = ~0u,
                                   .raw_headers = true,
                                   .rejected_rcpt = true,
                                   .skip_body = true,
                                   .macro_lists = true};
    struct am_plan plan = am_plan_make(&fixture->runtime);
    const struct am_session_start start = {.runtime = &fixture->runtime,
                                           .ops = &peer_ops,
                                           .peer = fixture,
                                           .agreement = am_plan_negotiate(&plan, &offer),
                                           .id = 7};

    am_snapshot_ref(&fixture->runtime.snapshot);
    struct am_session *session = am_session_new(&start);
    assert_non_null(session);
    return session;
}

enum am_verdict fixture_connect(struct am_session *session, const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
    return am_session_connect(session, "client.example.com", (struct sockaddr *)&in);
}

struct am_session *fixture_connected(struct fixture *fixture)
{
    struct am_session *session = fixture_session(fixture);

    assert_int_equal(fixture_connect(session, "192.0.2.1"), AM_CONTINUE);
    assert_int_equal(am_session_helo(session, "client.example.com"), AM_CONTINUE);
    return session;
}
