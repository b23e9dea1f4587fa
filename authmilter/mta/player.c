#include "authmilter/mta/player_verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mta_player_fail(struct mta_player *player, const struct mta_script_line *line,
                     const char *format, ...)
{
    char sentence[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    player->failures++;
    if (player->hooks != NULL && player->hooks->failed != NULL)
        player->hooks->failed(player->user, line, sentence);
}

/* --- what the steps have in common --- */

/* Notes an error until an expectation has looked at it. */
static void note_error(struct mta_player *player, const struct mta_script_line *line,
                       const char *text)
{
    if (player->error != NULL)
        return;
    player->error = line;
    player->error_text = strdup(text);
}

/* An error that the next expectation did not ask about is a failure. */
static void settle_error(struct mta_player *player)
{
    const struct mta_script_line *line = player->error;
    if (line == NULL)
        return;
    player->error = NULL;
    mta_player_fail(player, line, "the milter: %s",
                    player->error_text == NULL ? "error" : player->error_text);
    free(player->error_text);
    player->error_text = NULL;
}

bool mta_player_step(struct mta_player *player, const struct mta_script_line *line,
                     const char *name, const char *about, struct mta_reply reply)
{
    player->reply = reply;
    if (player->hooks != NULL && player->hooks->stepped != NULL)
        player->hooks->stepped(player->user, line, name, about, &player->reply);
    if (reply.outcome == MTA_ERROR)
        note_error(player, line, reply.text);
    return reply.outcome == MTA_CONTINUE;
}

/* The message has come to its end, or to a verdict that ends it for the milter. */
void mta_player_end_message(struct mta_player *player, const struct mta_script_line *line)
{
    const struct mta_message *message = mta_message(player->session);
    if (!player->going)
        return;
    player->going = false;
    free(player->sender);
    player->sender = message->sender == NULL ? NULL : strdup(message->sender);
    mta_player_check_edits(player, line);
    if (player->hooks != NULL && player->hooks->ended != NULL)
        player->hooks->ended(player->user, line, &player->reply, message);
}

/* --- the table of verbs --- */

struct verb {
    const char *name;
    const char *usage; /* behind the name */
    size_t min, max;   /* words */
    bool block;        /* lines with '|' may follow */
    bool needs_client;
    void (*run)(struct mta_player *player, const struct mta_script_line *line,
                const struct mta_words *words);
};

/* Their text is taken as it is, whatever its words. */
#define FREE_TEXT 0, 1000

static const struct verb verbs[] = {
    {"authenticated", "USER", 0, 1, false, true, mta_play_authenticated},
    {"body", "[TEXT]", FREE_TEXT, true, true, mta_play_body},
    {"client", "ADDRESS [NAME], local, unknown, socket PATH", 1, 2, false, false, mta_play_client},
    {"data", "", 0, 0, true, true, mta_play_data},
    {"end", "", 0, 0, false, true, mta_play_end},
    {"end-of-header", "", 0, 0, false, true, mta_play_end_of_header},
    {"from", "SENDER [PARAMETER]...", 1, 15, false, true, mta_play_from},
    {"half-data", "", 0, 0, true, true, mta_play_half_data},
    {"header", "NAME: VALUE", FREE_TEXT, true, true, mta_play_header},
    {"helo", "NAME", 0, 1, false, true, mta_play_helo},
    {"listener", "NAME", FREE_TEXT, false, false, mta_play_listener},
    {"macro", "client|helo|from|to|data|eoh|end NAME [VALUE]", 2, 3, false, false, mta_play_macro},
    {"next-connection", "", 0, 0, false, true, mta_play_next_connection},
    {"no-leading-blank", "", 0, 0, false, false, mta_play_no_leading_blank},
    {"offer", "version N, actions WORD..., steps WORD...", 2, 15, false, false, mta_play_offer},
    {"quit", "", 0, 0, false, true, mta_play_quit},
    {"refused-to", "RECIPIENT [PARAMETER]...", 1, 15, false, true, mta_play_refused_to},
    {"reset", "", 0, 0, false, true, mta_play_reset},
    {"start-data", "", 0, 0, false, true, mta_play_start_data},
    {"to", "RECIPIENT [PARAMETER]...", 1, 15, false, true, mta_play_to},
    {"unknown", "COMMAND", FREE_TEXT, false, true, mta_play_unknown},
    {"vanish", "", 0, 0, false, true, mta_play_vanish},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static bool check_words(const struct mta_script_line *line, const struct verb *verb,
                        const struct mta_words *words, struct am_problem *problem)
{
    uint32_t version, actions, steps;
    if (words->count < verb->min || words->count > verb->max)
        return am_problem_set(problem, "it is written: %s %s", verb->name, verb->usage);
    if (verb->run == mta_play_macro && mta_player_stage_of(words->items[0]) == 0)
        return am_problem_set(problem, "it is written: %s %s", verb->name, verb->usage);
    if (verb->run == mta_play_offer)
        return mta_player_read_offer(words, &version, &actions, &steps, problem);
    return verb->run != mta_play_header || strchr(line->text, ':') != NULL ||
           am_problem_set(problem, "it is written: header NAME: VALUE");
}

bool mta_player_knows(const struct mta_script_line *line, struct am_problem *problem)
{
    struct mta_words words;
    if (strcmp(line->verb, "expect") == 0)
        return mta_player_knows_expectation(line, problem);
    const struct verb *verb = find_verb(line->verb);
    if (verb == NULL)
        return am_problem_set(problem, "there is no word '%s'", line->verb);
    if (line->block.len > 0 && !verb->block)
        return am_problem_set(problem, "no lines with '|' belong to '%s'", verb->name);
    if (verb->max == 1000)
        return check_words(line, verb, &(struct mta_words){.count = 0}, problem);
    bool ok = mta_words_of(&words, line->text)
                  ? check_words(line, verb, &words, problem)
                  : am_problem_set(problem, "an escape there is not, or too many words");
    mta_words_fini(&words);
    return ok;
}

static void run_verb(struct mta_player *player, const struct mta_script_line *line,
                     const struct verb *verb)
{
    struct mta_words words = {.count = 0};
    if (verb->needs_client && player->session == NULL)
        mta_player_fail(player, line, "no client yet");
    else if (verb->max != 1000 && !mta_words_of(&words, line->text))
        mta_player_fail(player, line, "unknown escape or too many words");
    else
        verb->run(player, line, &words);
    mta_words_fini(&words);
}

void mta_player_do(struct mta_player *player, const struct mta_script_line *line)
{
    if (strcmp(line->verb, "expect") == 0) {
        const char *text = line->text;
        if (!mta_player_takes(&text, "error"))
            settle_error(player);
        mta_player_expect(player, line);
        return;
    }
    const struct verb *verb = find_verb(line->verb);
    settle_error(player);
    if (verb == NULL)
        mta_player_fail(player, line, "unknown word: %s", line->verb);
    else
        run_verb(player, line, verb);
}

void mta_player_end(struct mta_player *player)
{
    settle_error(player);
    mta_close(player->session);
    player->session = NULL;
    for (size_t i = 0; i < player->ahead_count; i++) {
        free(player->ahead[i].name);
        free(player->ahead[i].value);
    }
    player->ahead_count = 0;
    free(player->sender);
    player->sender = NULL;
    free(player->listener);
    player->listener = NULL;
}
