/*
 * The published RFC 7208 suite through the real program and the real milter protocol: the result
 * is read from the Authentication-Results field, the explanation from the refusal of a recipient.
 *
 *     rfc7208-milter SPF-MILTER [-v]
 *
 * Exit status: 0 all passed, 1 some failed, 77 the suite is not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/mta/daemon.h"
#include "authmilter/mta/mta.h"
#include "tests/support/spf_suite/spf_suite.h"

/* Each recipient is refused on fail but the postmaster, so that one message shows both texts. */
static const char config[] = "spf {\n"
                             "    check_helo = no\n"
                             "    mailfrom_fail = reject\n"
                             "    reject_at = rcpt\n"
                             "    explanation = yes\n"
                             "    evaluate_private = yes\n"
                             "    exempt_local = no\n"
                             "}\n";

/* Stands behind "The domain NAME". */
static const char quote[] = " explains: ";

struct run {
    const char *program;
    bool verbose;
    unsigned passed, failed, hidden;
};

struct seen {
    char result[32];
    char explanation[1024];
    bool refused;
    char problem[256];
};

/* Takes the word behind the first "spf=". */
static void read_result(const struct mta_session *session, struct seen *seen)
{
    const struct mta_header *header =
        mta_headers_find(&mta_message(session)->headers, "Authentication-Results", 1);
    const char *at = header == NULL ? NULL : strstr(header->value, "spf=");
    if (at == NULL)
        snprintf(seen->problem, sizeof(seen->problem), "no result in the header");
    else
        snprintf(seen->result, sizeof(seen->result), "%.*s",
                 (int)strspn(at + 4, "abcdefghijklmnopqrstuvwxyz"), at + 4);
}

/* Joins the lines of "550-5.7.23 one\r\n550 5.7.23 two" behind the quotation mark. */
static void read_explanation(const char *reply, struct seen *seen)
{
    const char *at = strstr(reply, quote);
    size_t len = 0;
    for (at = at == NULL ? "" : at + strlen(quote);
         *at != '\0' && len + 1 < sizeof(seen->explanation);) {
        if (at[0] == '\r' && at[1] == '\n' && strlen(at) > 13) {
            at += 13;
            continue;
        }
        seen->explanation[len++] = *at++;
    }
    seen->explanation[len] = '\0';
}

static struct mta_session *open_case(const struct mta_daemon *daemon,
                                     const struct spf_suite_case *test, struct seen *seen)
{
    struct am_problem problem = {""};
    struct mta_options options = {.socket = daemon->socket};
    struct mta_session *session = mta_open(&options, &problem);
    if (session == NULL) {
        snprintf(seen->problem, sizeof(seen->problem), "%.200s", problem.text);
        return NULL;
    }
    char six[80];
    bool is_six = strchr(test->host, ':') != NULL;
    snprintf(six, sizeof(six), "IPv6:%s", test->host);
    struct mta_peer peer = {"unknown", is_six ? '6' : '4', 40000, is_six ? six : test->host};
    char *helo = strndup(test->helo.len == 0 ? "" : test->helo.ptr, test->helo.len);
    mta_set_macro(session, MTA_CMD_CONNECT, "{daemon_name}", "smtp");
    mta_connect(session, &peer);
    mta_helo(session, helo == NULL ? "" : helo);
    free(helo);
    return session;
}

static void play(const struct mta_daemon *daemon, const struct spf_suite_case *test,
                 struct seen *seen)
{
    *seen = (struct seen){.result = ""};
    struct mta_session *session = open_case(daemon, test, seen);
    if (session == NULL)
        return;
    char sender[2048];
    snprintf(sender, sizeof(sender), "<%.*s>", (int)test->mailfrom.len,
             test->mailfrom.len == 0 ? "" : test->mailfrom.ptr);
    mta_mail(session, sender, NULL, 0);
    struct mta_reply reply = mta_rcpt(session, "<user@example.org>", NULL, 0);
    seen->refused = reply.outcome == MTA_REJECT;
    read_explanation(reply.text, seen);
    mta_rcpt(session, "<postmaster@example.org>", NULL, 0);
    mta_data(session);
    mta_header(session, "From", " <user@example.com>");
    mta_eoh(session);
    mta_body(session, am_span_str("text\r\n"));
    reply = mta_eom(session);
    if (reply.outcome == MTA_CONTINUE || reply.outcome == MTA_ACCEPT)
        read_result(session, seen);
    else
        snprintf(seen->problem, sizeof(seen->problem), "end of message: %s %.200s",
                 mta_outcome_word(reply.outcome), reply.text);
    mta_close(session);
}

/* A private client is never refused, so nobody is told the explanation. */
static bool explanation_fits(struct run *run, const struct spf_suite_case *test,
                             const struct seen *seen)
{
    if (test->explanation == NULL)
        return true;
    if (!seen->refused && strncmp(test->host, "192.168.", 8) == 0) {
        run->hidden++;
        return true;
    }
    if (strcmp(test->explanation, "DEFAULT") == 0)
        return seen->refused && seen->explanation[0] == '\0';
    return strcmp(test->explanation, seen->explanation) == 0;
}

static void run_case(struct run *run, const struct mta_daemon *daemon,
                     const struct spf_suite_case *test)
{
    struct seen seen;
    play(daemon, test, &seen);
    bool good = seen.problem[0] == '\0' && spf_suite_allows(test, seen.result) &&
                explanation_fits(run, test, &seen);
    run->passed += good;
    run->failed += !good;
    if (!good || run->verbose)
        printf("%s %s: got %s \"%s\" %s, expected %s%s \"%s\"\n", good ? "ok  " : "FAIL",
               test->name, seen.result, seen.explanation, seen.problem, test->results[0],
               test->results[1] == NULL ? "" : " or another",
               test->explanation == NULL ? "" : test->explanation);
}

static bool start(struct run *run, struct mta_daemon *daemon, const char *zone_text,
                  struct am_problem *problem)
{
    char conf[160], zone[160], zone_option[200];
    if (!mta_daemon_prepare(daemon, problem))
        return false;
    snprintf(conf, sizeof(conf), "%s/conf", daemon->dir);
    snprintf(zone, sizeof(zone), "%s/zone", daemon->dir);
    snprintf(zone_option, sizeof(zone_option), "dns.zone=%s", zone);
    if (!mta_write_file(conf, config, problem) || !mta_write_file(zone, zone_text, problem))
        return false;
    const char *argv[] = {run->program, "-f",
                          "-c",         conf,
                          "-s",         daemon->socket,
                          "-o",         zone_option,
                          "-o",         "authres.authserv_id=receiver.example",
                          NULL};
    return mta_daemon_start(daemon, argv, problem);
}

static void run_scenario(struct run *run, const struct spf_suite_scenario *scenario)
{
    struct mta_daemon daemon;
    struct am_problem problem = {""};
    if (start(run, &daemon, scenario->zone, &problem)) {
        for (size_t i = 0; i < scenario->case_count; i++)
            run_case(run, &daemon, &scenario->cases[i]);
        if (!mta_daemon_stop(&daemon)) {
            printf("FAIL %s: the program did not end cleanly\n", scenario->description);
            run->failed++;
        }
    } else {
        printf("FAIL %s: %s\n", scenario->description, problem.text);
        run->failed += (unsigned)scenario->case_count;
    }
    mta_daemon_discard(&daemon);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: rfc7208-milter SPF-MILTER [-v]\n");
        return 64;
    }
    struct run run = {.program = argv[1], .verbose = argc > 2};
    int status;
    const struct spf_suite *suite = spf_suite_open(&status);
    if (suite == NULL)
        return status;
    for (size_t i = 0; i < suite->scenario_count; i++)
        run_scenario(&run, &suite->scenarios[i]);
    spf_suite_free(suite);
    if (run.hidden > 0)
        printf("%u explanations are for private clients, which are never refused\n", run.hidden);
    printf("%u passed, %u failed\n", run.passed, run.failed);
    return run.failed == 0 && run.passed > 0 ? 0 : 1;
}
