#include "tests/system/robust.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char zone[] = "example.com. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
                           "mail.example.com. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";

bool rig_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("  ");
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    return false;
}

bool rig_prepare(struct rig *rig, const char *program)
{
    struct am_problem problem = {""};
    char path[160];
    *rig = (struct rig){.program = program};
    if (!mta_daemon_prepare(&rig->daemon, &problem))
        return rig_fail("%s", problem.text);
    snprintf(rig->conf, sizeof(rig->conf), "%s/conf", rig->daemon.dir);
    snprintf(path, sizeof(path), "%s/zone", rig->daemon.dir);
    return (mta_write_file(path, zone, &problem) || rig_fail("%s", problem.text)) &&
           rig_configure(rig, "");
}

bool rig_configure(const struct rig *rig, const char *text)
{
    struct am_problem problem = {""};
    char path[180];
    snprintf(path, sizeof(path), "%s.new", rig->conf);
    if (!mta_write_file(path, text, &problem))
        return rig_fail("%s", problem.text);
    return rename(path, rig->conf) == 0 || rig_fail("cannot replace %s", rig->conf);
}

bool rig_start(struct rig *rig)
{
    struct am_problem problem = {""};
    char zone_option[200];
    snprintf(zone_option, sizeof(zone_option), "dns.zone=%s/zone", rig->daemon.dir);
    const char *argv[] = {rig->program, "-f",
                          "-c",         rig->conf,
                          "-s",         rig->daemon.socket,
                          "-o",         zone_option,
                          "-o",         "authres.authserv_id=mx.example.org",
                          NULL};
    return mta_daemon_start(&rig->daemon, argv, &problem) || rig_fail("%s", problem.text);
}

struct mta_session *rig_connect(const struct rig *rig)
{
    struct am_problem problem = {""};
    struct mta_options options = {.socket = rig->daemon.socket};
    struct mta_peer peer = {"mail.example.com", '4', 40000, "192.0.2.1"};
    struct mta_session *session = mta_open(&options, &problem);
    if (session == NULL) {
        rig_fail("%s", problem.text);
        return NULL;
    }
    mta_set_macro(session, MTA_CMD_DATA, "i", "4Queue");
    mta_connect(session, &peer);
    mta_helo(session, "mail.example.com");
    return session;
}

bool rig_begin_message(struct mta_session *session)
{
    mta_mail(session, "<user@example.com>", NULL, 0);
    mta_rcpt(session, "<me@example.org>", NULL, 0);
    mta_data(session);
    mta_header(session, "From", " <user@example.com>");
    mta_header(session, "Authentication-Results", " mx.example.org; spf=pass smtp.mailfrom=forged");
    struct mta_reply reply = mta_eoh(session);
    return reply.outcome == MTA_CONTINUE ||
           rig_fail("in the message: %s %s", mta_outcome_word(reply.outcome), reply.text);
}

bool rig_end_message(struct mta_session *session)
{
    struct mta_reply reply = mta_body(session, am_span_str("text\r\n"));
    if (reply.outcome == MTA_CONTINUE)
        reply = mta_eom(session);
    if (reply.outcome != MTA_CONTINUE && reply.outcome != MTA_ACCEPT)
        return rig_fail("at its end: %s %s", mta_outcome_word(reply.outcome), reply.text);
    const struct mta_header_model *headers = &mta_message(session)->headers;
    const struct mta_header *ours = mta_headers_find(headers, "Authentication-Results", 1);
    if (ours == NULL || strstr(ours->value, "spf=pass") == NULL)
        return rig_fail("no spf=pass in the header");
    if (mta_headers_find(headers, "Authentication-Results", 2) != NULL)
        return rig_fail("the forged field is still there");
    return true;
}

bool rig_serves(const struct rig *rig)
{
    struct mta_session *session = rig_connect(rig);
    bool ok = session != NULL && rig_begin_message(session) && rig_end_message(session);
    mta_close(session);
    return ok;
}

bool rig_descriptors_settle(const struct rig *rig, long limit)
{
    struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
    long now = 0;
    for (int i = 0; i < 200; i++) {
        now = mta_process_descriptors(rig->daemon.pid);
        if (now <= limit)
            return true;
        nanosleep(&pause, NULL);
    }
    return rig_fail("%ld descriptors are open, %ld before", now, limit);
}

bool rig_memory_counts(const struct rig *rig)
{
    /* Sanitizers reserve terabytes of address space. */
    return mta_process_figure(rig->daemon.pid, "VmSize") < (1L << 30);
}
