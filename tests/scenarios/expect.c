#include "tests/scenarios/play.h"

#include <string.h>

#include "authmilter/mta/text.h"

bool play_expect(struct play *play, const struct mta_script_line *line)
{
    const char *text = line->text;
    if (mta_player_takes(&text, "log") || mta_player_takes(&text, "no log"))
        return true; /* at the end */
    if (mta_player_takes(&text, "status"))
        play_expect_status(play, line, text);
    else if (mta_player_takes(&text, "output"))
        play_expect_output(play, line, text);
    else if (mta_player_takes(&text, "signed") && play->player.session != NULL)
        play_expect_signed(play, line, text);
    else
        return false;
    return true;
}

static bool log_has(const char *log, const char *pattern)
{
    struct am_buf wide;
    bool found = false;
    am_buf_init(&wide, 0);
    am_buf_printf(&wide, "*%s*", pattern);
    for (const char *line = log; !found && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        found = mta_text_matches(am_buf_span(&wide), am_span_of(line, len));
        line += len + (line[len] == '\n');
    }
    am_buf_fini(&wide);
    return found;
}

void play_expect_log(struct play *play, const struct mta_script_line *line, const char *log)
{
    const char *text = line->text;
    if (strcmp(line->verb, "expect") != 0)
        return;
    if (mta_player_takes(&text, "log") && !log_has(log, text))
        play_fail(play, line, "no line of the log has %s", text);
    else if (mta_player_takes(&text, "no log") && log_has(log, text))
        play_fail(play, line, "a line of the log has %s", text);
}
