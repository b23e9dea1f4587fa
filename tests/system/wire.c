/*
 * Sends the same bytes to a milter with each transport and compares what comes back, octet for
 * octet.
 *
 *     wire WIRE-MILTER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/mta/daemon.h"
#include "authmilter/mta/fields.h"
#include "authmilter/mta/protocol.h"
#include "authmilter/mta/wire.h"

#define ALL_STEPS 0x1fffffu
#define NOTHING_NEW 0x00003fu

/* What one side said, and to whom. */
struct talk {
    struct mta_wire wire;
    struct am_buf said; /* packets as they came */
    uint32_t steps;     /* agreed on */
    struct am_problem problem;
    bool failed;
};

static void put(struct talk *talk, char command, const char *content, size_t len)
{
    struct am_buf packet;

    am_buf_init(&packet, 0);
    mta_put_packet(&packet, command, am_span_of(content, len));
    if (!talk->failed && !mta_wire_send(&talk->wire, am_buf_span(&packet), &talk->problem))
        talk->failed = true;
    am_buf_fini(&packet);
}

#define PUT(talk, command, literal) put(talk, command, literal, sizeof(literal) - 1)

/* Takes packets up to the one that answers. */
static void take(struct talk *talk)
{
    char command = 0;
    struct am_span content;

    while (!talk->failed) {
        if (!mta_wire_receive(&talk->wire, &command, &content, &talk->problem)) {
            talk->failed = true;
            return;
        }
        am_buf_add_char(&talk->said, command);
        am_buf_add(&talk->said, content);
        am_buf_add_char(&talk->said, '\n');
        if (strchr("acdrstyO", command) != NULL)
            return;
    }
}

static void negotiate(struct talk *talk, uint32_t version, uint32_t actions, uint32_t steps)
{
    struct am_buf offer;

    am_buf_init(&offer, 0);
    mta_put_u32(&offer, version);
    mta_put_u32(&offer, actions);
    mta_put_u32(&offer, steps);
    put(talk, 'O', offer.data, offer.len);
    am_buf_fini(&offer);
    size_t begin = talk->said.len;
    take(talk);
    if (talk->failed || talk->said.len < begin + 13)
        return;
    struct mta_fields answer = mta_fields_of(am_span_of(talk->said.data + begin + 9, 4));
    talk->steps = mta_fields_u32(&answer);
}

static void mail(struct talk *talk, const char *sender, bool goes_on)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "<%s@example.com>", sender);

    put(talk, 'M', text, (size_t)len + 1);
    take(talk);
    if (!goes_on)
        PUT(talk, 'A', "");
}

/* Sends an event unless it was agreed to be left out, and waits for the answer unless there is
 * none.
 */
static void event(struct talk *talk, char command, const char *content, size_t len)
{
    static const struct {
        char command;
        uint32_t left_out, silent;
    } rules[] = {{'C', MTA_STEP_NO_CONNECT, MTA_STEP_NR_CONNECT},
                 {'H', MTA_STEP_NO_HELO, MTA_STEP_NR_HELO},
                 {'M', MTA_STEP_NO_MAIL, MTA_STEP_NR_MAIL},
                 {'R', MTA_STEP_NO_RCPT, MTA_STEP_NR_RCPT},
                 {'T', MTA_STEP_NO_DATA, MTA_STEP_NR_DATA},
                 {'L', MTA_STEP_NO_HEADERS, MTA_STEP_NR_HEADER},
                 {'N', MTA_STEP_NO_EOH, MTA_STEP_NR_EOH},
                 {'B', MTA_STEP_NO_BODY, MTA_STEP_NR_BODY}};

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].command != command)
            continue;
        if (talk->steps & rules[i].left_out)
            return;
        put(talk, command, content, len);
        if ((talk->steps & rules[i].silent) == 0)
            take(talk);
    }
}

#define EVENT(talk, command, literal) event(talk, command, literal, sizeof(literal) - 1)

/* From RCPT to the end. */
static void rest(struct talk *talk)
{
    EVENT(talk, 'R', "<first@example.org>\0");
    EVENT(talk, 'T', "");
    EVENT(talk, 'L', "X-Old\0 one\0");
    EVENT(talk, 'N', "");
    EVENT(talk, 'B', "text");
    PUT(talk, 'D',
        "Ei\0"
        "4XyZ\0");
    PUT(talk, 'E', "");
    take(talk);
}

static void converse(struct talk *talk, uint32_t version, uint32_t actions, uint32_t steps)
{
    static const char *const refused[] = {"plain", "one",         "one-bare",
                                          "many",  "many-bare",   "many-reject",
                                          "later", "later-plain", "gone"};

    negotiate(talk, version, actions, steps);
    PUT(talk, 'D', "Cj\0mx.example.org\0{daemon_name}\0smtpd\0");
    EVENT(talk, 'C',
          "client.example\0"
          "4\x04\xd2"
          "192.0.2.1\0");
    EVENT(talk, 'H', "client.example\0");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        mail(talk, refused[i], false);
    static const char *const taken[] = {"edits", "held", "end", "none"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        mail(talk, taken[i], true);
        rest(talk);
    }
    PUT(talk, 'Q', "");
}

static bool run(const char *program, const char *transport, struct am_buf *said)
{
    static const uint32_t offers[][3] = {{6, MTA_ACT_ALL, ALL_STEPS},
                                         {6, MTA_ACT_ALL, NOTHING_NEW},
                                         {2, 0x3f, NOTHING_NEW},
                                         {6, MTA_ACT_ALL & ~MTA_ACT_MACRO_LIST, ALL_STEPS},
                                         {7, MTA_ACT_ALL, ALL_STEPS}};
    struct mta_daemon daemon;
    struct talk talk = {.failed = false};
    char option[64];

    snprintf(option, sizeof(option), "milter.transport=%s", transport);
    if (!mta_daemon_prepare(&daemon, &talk.problem))
        return false;
    const char *argv[] = {program, "-o", option,        "-o", "authres.authserv_id=mx.example.org",
                          "-f",    "-s", daemon.socket, NULL};
    if (!mta_daemon_start(&daemon, argv, &talk.problem)) {
        printf("%s\n", talk.problem.text);
        return false;
    }
    am_buf_init(&talk.said, 0);
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]) && !talk.failed; i++) {
        talk.failed = !mta_wire_open(&talk.wire, daemon.socket, 5000, &talk.problem);
        am_buf_printf(&talk.said, "offer %zu\n", i);
        if (!talk.failed)
            converse(&talk, offers[i][0], offers[i][1], offers[i][2]);
        mta_wire_close(&talk.wire);
    }
    if (talk.failed)
        printf("%s: %s, after %zu octets\n", transport, talk.problem.text, talk.said.len);
    *said = talk.said;
    bool ended = mta_daemon_stop(&daemon);
    mta_daemon_discard(&daemon);
    return ended && !talk.failed;
}

static void show(const char *who, struct am_span said, size_t at)
{
    size_t begin = at < 60 ? 0 : at - 60;

    printf("%s: ", who);
    for (size_t i = begin; i < said.len && i < at + 100; i++) {
        if (i == at)
            printf(" >>> ");
        unsigned char c = (unsigned char)said.ptr[i];
        printf(c >= 0x20 && c < 0x7f ? "%c" : "\\%03o", c);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    struct am_buf theirs = {0}, ours = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: wire WIRE-MILTER\n");
        return 64;
    }
    bool good = run(argv[1], "libmilter", &theirs);
    good = run(argv[1], "native", &ours) && good;

    size_t at = 0;
    while (at < theirs.len && at < ours.len && theirs.data[at] == ours.data[at])
        at++;
    if (at < theirs.len || at < ours.len) {
        printf("they differ at octet %zu\n", at);
        show("libmilter", am_buf_span(&theirs), at);
        show("native   ", am_buf_span(&ours), at);
        good = false;
    }
    printf("%zu octets compared\n", at);
    am_buf_fini(&theirs);
    am_buf_fini(&ours);
    return good ? 0 : 1;
}
