#include "authmilter/mta/player_verbs.h"

#include <stdlib.h>
#include <string.h>

#include "authmilter/mta/text.h"

/* --- the message --- */

/* One field as it stands in a script: "Name:value", folds as LF + blank. */
static bool send_field(struct mta_player *player, const struct mta_script_line *line,
                       struct am_span text)
{
    size_t colon = am_span_find(text, ':');
    char *name = strndup(text.ptr, colon);
    char *raw = colon < text.len ? strndup(text.ptr + colon + 1, text.len - colon - 1) : NULL;
    struct am_buf value;
    bool going = false;
    am_buf_init(&value, MTA_TEXT_MAX);
    if (name == NULL || raw == NULL || !mta_text_unescape(&value, raw) || value.failed)
        mta_player_fail(player, line, "not a header field: %.*s",
                        (int)(text.len < 60 ? text.len : 60), text.ptr);
    else
        going = mta_player_step(player, line, "header", name,
                                mta_header(player->session, name, am_buf_str(&value)));
    am_buf_fini(&value);
    free(name);
    free(raw);
    return going;
}

/* Sends "Name: value" lines and their folds; returns the first line behind the blank one. */
static const char *send_fields(struct mta_player *player, const struct mta_script_line *line,
                               const char *text, bool *going)
{
    while (*going && *text != '\0' && *text != '\n') {
        size_t len = strcspn(text, "\n");
        while (text[len] == '\n' && (text[len + 1] == ' ' || text[len + 1] == '\t'))
            len += 1 + strcspn(text + len + 1, "\n");
        *going = send_field(player, line, am_span_of(text, len));
        text += len + (text[len] == '\n');
    }
    return *text == '\n' ? text + 1 : text;
}

static bool send_body(struct mta_player *player, const struct mta_script_line *line,
                      const char *text)
{
    struct am_buf body;
    bool going = true;
    am_buf_init(&body, MTA_SCRIPT_MAX);
    if (!mta_text_body(&body, text) || body.failed)
        mta_player_fail(player, line, "an escape in the body there is not, or too long a text");
    if (body.len > 0)
        going = mta_player_step(player, line, "body", "",
                                mta_body(player->session, am_buf_span(&body)));
    player->skipped = mta_skips_body(player->session);
    am_buf_fini(&body);
    return going;
}

static bool start_data(struct mta_player *player, const struct mta_script_line *line)
{
    if (mta_message(player->session)->recipients.count == 0) {
        mta_player_fail(player, line, "DATA without a recipient");
        return false;
    }
    return mta_player_step(player, line, "data", "", mta_data(player->session));
}

static void finish(struct mta_player *player, const struct mta_script_line *line, bool going)
{
    if (going)
        mta_player_step(player, line, "eom", "", mta_eom(player->session));
    mta_player_end_message(player, line);
}

static bool send_mail(struct mta_player *player, const struct mta_script_line *line)
{
    struct am_problem problem = {""};
    struct am_buf mail;
    bool going = start_data(player, line);
    if (mta_message(player->session)->recipients.count == 0)
        return false;
    am_buf_init(&mail, 0);
    if (player->hooks == NULL || player->hooks->prepare == NULL)
        am_buf_add(&mail, am_buf_span(&line->block));
    else if (!player->hooks->prepare(player->user, am_buf_str(&line->block), &mail, &problem))
        mta_player_fail(player, line, "%s", problem.text);
    const char *rest = send_fields(player, line, am_buf_str(&mail), &going);
    if (going)
        going = mta_player_step(player, line, "eoh", "", mta_eoh(player->session));
    if (going)
        going = send_body(player, line, rest);
    am_buf_fini(&mail);
    return going;
}

/* data: the whole message up to the final dot. */
void mta_play_data(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words)
{
    (void)words;
    bool going = send_mail(player, line);
    finish(player, line, going);
}

void mta_play_half_data(struct mta_player *player, const struct mta_script_line *line,
                        const struct mta_words *words)
{
    (void)words;
    if (!send_mail(player, line))
        mta_player_end_message(player, line);
}

void mta_play_start_data(struct mta_player *player, const struct mta_script_line *line,
                         const struct mta_words *words)
{
    (void)words;
    start_data(player, line);
}

/* header NAME: VALUE, with the folds in the lines behind. */
void mta_play_header(struct mta_player *player, const struct mta_script_line *line,
                     const struct mta_words *words)
{
    struct am_buf field;
    (void)words;
    am_buf_init(&field, 0);
    am_buf_add_str(&field, line->text);
    for (const char *fold = am_buf_str(&line->block); *fold != '\0';) {
        size_t len = strcspn(fold, "\n");
        am_buf_add_str(&field, "\n ");
        am_buf_add(&field, am_span_of(fold, len));
        fold += len + (fold[len] == '\n');
    }
    send_field(player, line, am_buf_span(&field));
    am_buf_fini(&field);
}

void mta_play_end_of_header(struct mta_player *player, const struct mta_script_line *line,
                            const struct mta_words *words)
{
    (void)words;
    mta_player_step(player, line, "eoh", "", mta_eoh(player->session));
}

/* body, and the lines behind it; or one text. */
void mta_play_body(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words)
{
    struct am_buf text;
    (void)words;
    if (line->text[0] == '\0') {
        send_body(player, line, am_buf_str(&line->block));
        return;
    }
    am_buf_init(&text, MTA_TEXT_MAX);
    if (mta_text_unescape(&text, line->text) && !text.failed)
        mta_player_step(player, line, "body", "", mta_body(player->session, am_buf_span(&text)));
    else
        mta_player_fail(player, line, "an escape there is not, or too long a text");
    player->skipped = mta_skips_body(player->session);
    am_buf_fini(&text);
}

void mta_play_end(struct mta_player *player, const struct mta_script_line *line,
                  const struct mta_words *words)
{
    (void)words;
    finish(player, line, true);
}
