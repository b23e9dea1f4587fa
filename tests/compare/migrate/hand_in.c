#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/mta/daemon.h"
#include "authmilter/mta/mta.h"

/*
 * Hands one message to a milter as an MTA would, and prints it as the milter leaves it.
 *
 *     hand-in SOCKET CLIENT-ADDRESS FILE [SENDER CLIENT-NAME]
 *
 * Exit status: 0 accepted, 1 the milter decided otherwise or is gone.
 */

#define TIMEOUT_MS 5000

static int fail(const char *what, const char *text)
{
    fprintf(stderr, "hand-in: %s: %s\n", what, text);
    return 1;
}

/* Shows the header block, one field for each line that does not begin with a blank. */
static void put_headers(struct mta_session *session, char *header)
{
    for (char *line = header, *next; line != NULL && *line != '\0'; line = next) {
        next = line;
        do {
            next = strchr(next, '\n');
            if (next != NULL)
                next++;
        } while (next != NULL && (*next == ' ' || *next == '\t'));
        if (next != NULL)
            next[-1] = '\0';
        char *colon = strchr(line, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        mta_header(session, line, colon + 1);
    }
}

static void put_body(struct mta_session *session, const char *body)
{
    struct am_buf wire;

    am_buf_init(&wire, 0);
    for (; *body != '\0'; body++) {
        if (*body == '\n')
            am_buf_add_char(&wire, '\r');
        am_buf_add_char(&wire, *body);
    }
    mta_body(session, am_buf_span(&wire));
    am_buf_fini(&wire);
}

static void print_message(const struct mta_message *message, const char *body)
{
    struct am_buf text;

    am_buf_init(&text, 0);
    mta_headers_print(&message->headers, &text);
    printf("%s\n%s", am_buf_str(&text), body);
    am_buf_fini(&text);
}

static int play(struct mta_session *session, const struct mta_peer *peer, const char *sender,
                char *header, const char *body)
{

    mta_set_macro(session, MTA_CMD_CONNECT, "j", "mx.example.org");
    mta_set_macro(session, MTA_CMD_MAIL, "i", "Q1");
    mta_connect(session, peer);
    mta_helo(session, peer->name);
    mta_mail(session, sender, NULL, 0);
    mta_rcpt(session, "<b@example.net>", NULL, 0);
    mta_data(session);
    put_headers(session, header);
    mta_eoh(session);
    put_body(session, body);
    struct mta_reply reply = mta_eom(session);
    if (reply.outcome != MTA_CONTINUE && reply.outcome != MTA_ACCEPT)
        return fail(mta_outcome_word(reply.outcome), reply.text);
    print_message(mta_message(session), body);
    return 0;
}

int main(int argc, char **argv)
{
    struct am_problem problem;
    struct mta_options options = {.timeout_ms = TIMEOUT_MS};

    if (argc != 4 && argc != 6)
        return fail("usage", "hand-in SOCKET CLIENT-ADDRESS FILE [SENDER CLIENT-NAME]");
    const char *sender = argc == 6 ? argv[4] : "<a@example.org>";
    const struct mta_peer peer = {argc == 6 ? argv[5] : "client.example.org", '4', 25, argv[2]};
    char *text = mta_read_file(argv[3]), *end = text == NULL ? NULL : strstr(text, "\n\n");
    if (end == NULL) {
        free(text);
        return fail(argv[3], "no header with a body behind it");
    }
    end[1] = '\0';
    options.socket = argv[1];
    struct mta_session *session = mta_open(&options, &problem);
    int status =
        session == NULL ? fail(argv[1], problem.text) : play(session, &peer, sender, text, end + 2);
    mta_close(session);
    free(text);
    return status;
}
