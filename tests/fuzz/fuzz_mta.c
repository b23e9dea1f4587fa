/* What a milter answers, as a stream of bytes into the MTA's side: every step, edits included. */
#include <sys/socket.h>
#include <unistd.h>

#include "authmilter/mta/player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mta_options options = {.timeout_ms = 1000};
    static const struct mta_peer peer = {"mail.example.com", '4', 25, "192.0.2.1"};
    struct mta_player player = {.messages = 1, .going = true};
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || write(pair[1], data, size) < 0)
        return 0;
    shutdown(pair[1], SHUT_WR);
    player.session = mta_adopt(pair[0], &options, NULL);
    if (player.session != NULL) {
        mta_connect(player.session, &peer);
        mta_rcpt(player.session, "<b@example.com>", NULL, 0);
        mta_header(player.session, "Subject", " x\n y");
        mta_body(player.session, am_span_str("text\r\n"));
        mta_eom(player.session);
        mta_player_check_edits(&player, NULL);
        mta_player_end(&player);
    }
    close(pair[1]);
    return 0;
}
