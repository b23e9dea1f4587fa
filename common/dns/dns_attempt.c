#include "common/base/clock.h"
#include "common/dns/dns_codec.h"
#include "common/dns/dns_net.h"

/*
 * A failure a server told is kept as briefly as RFC 2308 section 7.1 and RFC
 * 9520 allow with a margin: long enough to spare a burst of equal questions,
 * short enough that a mended zone works when the mail is tried again.
 */
#define FAILURE_TTL_S 5

/* How long a server keeps the reputation of not knowing EDNS0, or of changing the case of names. */
#define HABIT_US INT64_C(900000000)

static struct am_dns_server *server_of(struct am_dns_loop *loop, const struct am_dns_job *job)
{
    return &loop->options.servers.servers[job->server];
}

static void finish_with(struct am_dns_loop *loop, struct am_dns_job *job,
                        enum am_dns_outcome outcome, bool told)
{
    struct am_dns_set *set = am_dns_set_new(outcome);

    if (outcome == AM_DNS_SERVFAIL)
        atomic_fetch_add_explicit(&loop->servfails, 1, memory_order_relaxed);
    if (set != NULL && told) {
        set->ttl_s = FAILURE_TTL_S;
        set->storable = true;
    }
    am_dns_loop_finish(loop, job, set);
}

/* No server is left to ask. */
static void give_up(struct am_dns_loop *loop, struct am_dns_job *job)
{
    if (job->refused)
        finish_with(loop, job, AM_DNS_SERVFAIL, true);
    else if (job->malformed)
        finish_with(loop, job, AM_DNS_BAD, true);
    else if (job->tried & ~job->failed)
        finish_with(loop, job, AM_DNS_TIMEOUT, false);
    else
        finish_with(loop, job, AM_DNS_SERVFAIL, false);
}

/* Sends to job->server with a new id, port and case. The attempt's time begins now. */
static bool send_question(struct am_dns_loop *loop, struct am_dns_job *job, bool over_tcp)
{
    am_dns_loop_close(loop, job);
    job->saw_case = false;
    job->sent_us = am_dns_loop_now_us(loop);
    job->due_us = job->sent_us + loop->options.timeout_us;
    /* All attempts take equally long, so the last one to start is the last one due. */
    TAILQ_REMOVE(&loop->active, job, link);
    TAILQ_INSERT_TAIL(&loop->active, job, link);
    if (!am_dns_question_make(&job->question, &job->target, job->type))
        return false;
    bool sent = over_tcp ? am_dns_tcp_send(loop, job) : am_dns_udp_send(loop, job);
    if (!sent)
        am_dns_loop_close(loop, job);
    return sent;
}

/* Chooses a server, or begins another round; false at the end. */
static bool choose_server(struct am_dns_loop *loop, struct am_dns_job *job)
{
    const struct am_dns_server_list *servers = &loop->options.servers;

    if (job->pinned >= 0) {
        job->server = job->pinned;
        return !(job->tried >> job->server & 1);
    }
    job->server = am_dns_server_list_pick(servers, job->tried, job->failed);
    if (job->server < 0 && ++job->round < loop->options.attempts) {
        am_dns_server_set before = job->tried;
        job->server = am_dns_server_list_pick(servers, 0, job->failed);
        job->tried = job->server < 0 ? before : 0;
    }
    /* With every healthy server having answered "cannot say", dead ones are not waited for. */
    return job->server >= 0 && !(servers->servers[job->server].aside && job->refused);
}

static void try_next(struct am_dns_loop *loop, struct am_dns_job *job)
{
    while (atomic_load_explicit(&job->wanted, memory_order_relaxed)) {
        if (!choose_server(loop, job)) {
            give_up(loop, job);
            return;
        }
        const struct am_dns_server *server = server_of(loop, job);
        int64_t now_us = am_dns_loop_now_us(loop);
        job->tried |= 1u << job->server;
        job->edns = server->plain_until_us <= now_us;
        if (send_question(loop, job, server->stream_until_us > now_us))
            return;
        job->failed |= 1u << job->server;
    }
    job->abandoned = true;
    am_dns_loop_finish(loop, job, NULL);
}

/* A fresh start for the question job->target. */
static void ask(struct am_dns_loop *loop, struct am_dns_job *job)
{
    job->tried = 0;
    job->failed = 0;
    job->round = 0;
    job->refused = false;
    job->malformed = false;
    try_next(loop, job);
}

void am_dns_attempt_begin(struct am_dns_loop *loop, struct am_dns_job *job)
{
    job->target = job->name;
    job->hops = 0;
    job->alias_ttl_s = UINT32_MAX;
    job->alias_secure = true;
    job->abandoned = false;
    ask(loop, job);
}

/* This server is of no use for this question. */
static void try_another(struct am_dns_loop *loop, struct am_dns_job *job)
{
    job->failed |= 1u << job->server;
    am_dns_loop_close(loop, job);
    try_next(loop, job);
}

/* The same server once more, in another way. */
static void try_again(struct am_dns_loop *loop, struct am_dns_job *job, bool over_tcp)
{
    if (!send_question(loop, job, over_tcp))
        try_another(loop, job);
}

/* A question with EDNS0 was not understood: without it perhaps (RFC 6891 section 7). */
static void try_plain(struct am_dns_loop *loop, struct am_dns_job *job)
{
    if (job->edns) {
        job->edns = false;
        try_again(loop, job, job->stream != NULL);
        return;
    }
    job->refused = true;
    try_another(loop, job);
}

/* The reply ended at a CNAME: its target is a new question with the same hops. */
static void ask_target(struct am_dns_loop *loop, struct am_dns_job *job,
                       const struct am_dns_reply *reply)
{
    if (am_dns_name_equal(&reply->target, &job->name) ||
        am_dns_name_equal(&reply->target, &job->target)) {
        finish_with(loop, job, AM_DNS_BAD, true);
        return;
    }
    job->target = reply->target;
    job->hops = reply->hops;
    if (reply->ttl_s < job->alias_ttl_s)
        job->alias_ttl_s = reply->ttl_s;
    job->alias_secure = job->alias_secure && reply->secure;
    am_dns_loop_close(loop, job);
    ask(loop, job);
}

static void finish_reply(struct am_dns_loop *loop, struct am_dns_job *job, struct am_dns_set *set)
{
    if (job->alias_ttl_s < set->ttl_s)
        set->ttl_s = job->alias_ttl_s;
    set->secure = set->secure && job->alias_secure;
    am_dns_loop_finish(loop, job, set);
}

static void take_reply(struct am_dns_loop *loop, struct am_dns_job *job,
                       const struct am_dns_packet *packet)
{
    struct am_dns_reply reply;

    am_dns_reply_read(&reply, packet->data, packet->size, &job->target, job->type, job->hops);
    /* It works without EDNS0 where it did not with it: remember that. */
    if (!job->edns && reply.verdict == AM_DNS_VERDICT_FINAL)
        server_of(loop, job)->plain_until_us = am_dns_loop_now_us(loop) + HABIT_US;
    switch (reply.verdict) {
    case AM_DNS_VERDICT_FINAL:
        finish_reply(loop, job, reply.set);
        break;
    case AM_DNS_VERDICT_ALIAS:
        ask_target(loop, job, &reply);
        break;
    case AM_DNS_VERDICT_NO_EDNS:
        try_plain(loop, job);
        break;
    case AM_DNS_VERDICT_FAILED:
        job->refused = true;
        try_another(loop, job);
        break;
    case AM_DNS_VERDICT_MALFORMED:
        job->malformed = true;
        try_another(loop, job);
        break;
    case AM_DNS_VERDICT_TOO_LONG:
        finish_with(loop, job, AM_DNS_BAD, true);
        break;
    case AM_DNS_VERDICT_NO_MEMORY:
        am_dns_loop_finish(loop, job, NULL);
        break;
    }
}

void am_dns_attempt_ready(struct am_dns_loop *loop, struct am_dns_job *job)
{
    struct am_dns_packet packet = {NULL, 0};
    enum am_dns_io io = job->stream != NULL ? am_dns_tcp_continue(loop, job, &packet)
                                            : am_dns_udp_receive(loop, job, &packet);

    if (io == AM_DNS_IO_REPLY || io == AM_DNS_IO_BARE || io == AM_DNS_IO_TRUNCATED)
        am_dns_server_answered(server_of(loop, job), am_dns_loop_now_us(loop));
    switch (io) {
    case AM_DNS_IO_AGAIN:
        break;
    case AM_DNS_IO_REPLY:
        take_reply(loop, job, &packet);
        break;
    case AM_DNS_IO_BARE:
        try_plain(loop, job);
        break;
    case AM_DNS_IO_TRUNCATED:
        try_again(loop, job, true);
        break;
    case AM_DNS_IO_ERROR:
        am_dns_server_unreachable(server_of(loop, job));
        try_another(loop, job);
        break;
    }
}

void am_dns_attempt_timed_out(struct am_dns_loop *loop, struct am_dns_job *job)
{
    int64_t now_us = am_dns_loop_now_us(loop);
    struct am_dns_server *server = server_of(loop, job);

    atomic_fetch_add_explicit(&loop->timeouts, 1, memory_order_relaxed);
    /*
     * Replies came, but with the case of the name changed. Such a server is
     * honest, or somebody forges: a connection tells the one from the other.
     */
    if (job->saw_case && job->stream == NULL &&
        atomic_load_explicit(&job->wanted, memory_order_relaxed)) {
        server->stream_until_us = now_us + HABIT_US;
        try_again(loop, job, true);
        return;
    }
    /* When it answered over UDP just before ("truncated"), it is not dead, only its TCP is. */
    int64_t since_us = job->sent_us - (job->stream != NULL ? loop->options.timeout_us : 0);
    am_dns_server_silent(server, since_us, now_us);
    am_dns_loop_close(loop, job);
    try_next(loop, job);
}
