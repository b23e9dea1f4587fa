#include "authmilter/mta/player_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/mta/terms.h"

/* The address of a command; @SENDER@ is the sender of the mail before, as it went on. */
static const char *address(const struct mta_player *player, const struct mta_words *words)
{
    const char *text = mta_word(words, 0, "<>");

    return strcmp(text, "@SENDER@") == 0 && player->sender != NULL ? player->sender : text;
}

/* --- ahead of the connection --- */

static const struct {
    const char *word;
    enum mta_command stage;
} stages[] = {{"client", MTA_CMD_CONNECT}, {"helo", MTA_CMD_HELO}, {"from", MTA_CMD_MAIL},
              {"to", MTA_CMD_RCPT},        {"data", MTA_CMD_DATA}, {"eoh", MTA_CMD_EOH},
              {"end", MTA_CMD_EOM}};

enum mta_command mta_player_stage_of(const char *word)
{
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (strcmp(word, stages[i].word) == 0)
            return stages[i].stage;
    }
    return (enum mta_command)0;
}

void mta_play_macro(struct mta_player *player, const struct mta_script_line *line,
                    const struct mta_words *words)
{
    enum mta_command stage = mta_player_stage_of(mta_word(words, 0, ""));
    const char *name = mta_word(words, 1, ""), *value = mta_word(words, 2, NULL);
    if (stage == 0) {
        mta_player_fail(player, line, "macro client|helo|from|to|data|eoh|end NAME [VALUE]");
    } else if (player->session != NULL) {
        mta_set_macro(player->session, stage, name, value);
    } else if (player->ahead_count == sizeof(player->ahead) / sizeof(player->ahead[0])) {
        mta_player_fail(player, line, "too many macros ahead of a client");
    } else {
        player->ahead[player->ahead_count++] =
            (struct mta_macro_ahead){stage, strdup(name), value == NULL ? NULL : strdup(value)};
    }
}

void mta_play_authenticated(struct mta_player *player, const struct mta_script_line *line,
                            const struct mta_words *words)
{
    (void)line;
    mta_set_macro(player->session, MTA_CMD_MAIL, "{auth_authen}", mta_word(words, 0, NULL));
}

void mta_play_listener(struct mta_player *player, const struct mta_script_line *line,
                       const struct mta_words *words)
{
    (void)words;
    free(player->listener);
    player->listener = strdup(line->text);
}

void mta_play_no_leading_blank(struct mta_player *player, const struct mta_script_line *line,
                               const struct mta_words *words)
{
    (void)line;
    (void)words;
    player->steps = MTA_STEP_ALL & ~MTA_STEP_HEADER_SPACE;
}

/* offer version N, offer actions WORD..., offer steps WORD... */
bool mta_player_read_offer(const struct mta_words *words, uint32_t *version, uint32_t *actions,
                           uint32_t *steps, struct am_problem *problem)
{
    const char *what = mta_word(words, 0, "");
    bool of_actions = strcmp(what, "actions") == 0;
    size_t bad = 0;
    if (strcmp(what, "version") == 0) {
        *version = (uint32_t)strtoul(mta_word(words, 1, ""), NULL, 10);
        return (words->count == 2 && *version >= 2 && *version <= 6) ||
               am_problem_set(problem, "offer version 2..6");
    }
    if ((!of_actions && strcmp(what, "steps") != 0) || words->count < 2)
        return am_problem_set(problem, "offer version N, offer actions WORD..., offer steps "
                                       "WORD...");
    return mta_offer_of(words->items + 1, words->count - 1, of_actions,
                        of_actions ? actions : steps, &bad) ||
           am_problem_set(problem, "there is no %s '%s'", of_actions ? "action" : "step",
                          words->items[1 + bad]);
}

void mta_play_offer(struct mta_player *player, const struct mta_script_line *line,
                    const struct mta_words *words)
{
    struct am_problem problem = {""};
    if (!mta_player_read_offer(words, &player->version, &player->actions, &player->steps, &problem))
        mta_player_fail(player, line, "%s", problem.text);
}

/* --- connection --- */

/* The macros Postfix sends by default, as far as milters commonly look at them. */
static void set_default_macros(struct mta_session *session, unsigned message)
{
    char queue_id[32];
    snprintf(queue_id, sizeof(queue_id), "Q%u", message);
    mta_set_macro(session, MTA_CMD_CONNECT, "j", "mx.example.org");
    mta_set_macro(session, MTA_CMD_CONNECT, "{daemon_name}", "mx.example.org");
    mta_set_macro(session, MTA_CMD_CONNECT, "v", "Postfix");
    mta_set_macro(session, MTA_CMD_DATA, "i", queue_id);
    mta_set_macro(session, MTA_CMD_EOH, "i", queue_id);
    mta_set_macro(session, MTA_CMD_EOM, "i", queue_id);
}

static void set_macros(struct mta_player *player)
{
    set_default_macros(player->session, player->messages + 1);
    if (player->listener != NULL)
        mta_set_macro(player->session, MTA_CMD_CONNECT, "{daemon_name}", player->listener);
    for (size_t i = 0; i < player->ahead_count; i++) {
        struct mta_macro_ahead *macro = &player->ahead[i];
        mta_set_macro(player->session, macro->stage, macro->name, macro->value);
        free(macro->name);
        free(macro->value);
    }
    player->ahead_count = 0;
}

static bool open_session(struct mta_player *player, const struct mta_script_line *line)
{
    const struct mta_options options = {.socket = player->socket,
                                        .timeout_ms = player->timeout_ms,
                                        .version = player->version,
                                        .actions = player->actions,
                                        .steps = player->steps};
    struct am_problem problem = {""};
    mta_close(player->session);
    player->going = false;
    player->session = mta_open(&options, &problem);
    mta_player_step(player, line, "negotiate", "",
                    (struct mta_reply){player->session == NULL ? MTA_ERROR : MTA_CONTINUE,
                                       MTA_ANSWERED, player->session == NULL ? problem.text : ""});
    player->reply.text = "";
    return player->session != NULL;
}

/* client ADDRESS [NAME], client local, client unknown, client socket PATH */
void mta_play_client(struct mta_player *player, const struct mta_script_line *line,
                     const struct mta_words *words)
{
    const char *text = mta_word(words, 0, "");
    struct am_buf six, bracketed;
    bool goes_on = player->waits && player->session != NULL;
    player->waits = false;
    if (!goes_on && !open_session(player, line))
        return;
    am_buf_init(&six, 0);
    am_buf_init(&bracketed, 0);
    am_buf_printf(&six, "IPv6:%s", text);
    am_buf_printf(&bracketed, "[%s]", text);
    struct mta_peer peer = {mta_word(words, 1, am_buf_str(&bracketed)), '4', 40000, text};
    if (strchr(text, ':') != NULL) {
        peer.family = '6';
        peer.address = am_buf_str(&six);
    } else if (strcmp(text, "local") == 0) {
        peer = (struct mta_peer){"localhost", '4', 0, "127.0.0.1"};
    } else if (strcmp(text, "unknown") == 0) {
        peer = (struct mta_peer){"unknown", 'U', 0, ""};
    } else if (strcmp(text, "socket") == 0) {
        peer = (struct mta_peer){"localhost", 'L', 0, mta_word(words, 1, "/")};
    }
    set_macros(player);
    mta_player_step(player, line, "connect", peer.address, mta_connect(player->session, &peer));
    am_buf_fini(&six);
    am_buf_fini(&bracketed);
}

void mta_play_helo(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words)
{
    const char *name = mta_word(words, 0, "");
    mta_player_step(player, line, "helo", name, mta_helo(player->session, name));
}

void mta_play_next_connection(struct mta_player *player, const struct mta_script_line *line,
                              const struct mta_words *words)
{
    (void)words;
    player->going = false;
    player->waits = true;
    mta_player_step(player, line, "quit-nc", "", mta_quit_nc(player->session));
}

void mta_play_quit(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words)
{
    (void)line;
    (void)words;
    player->going = false;
    mta_close(player->session);
    player->session = NULL;
}

void mta_play_vanish(struct mta_player *player, const struct mta_script_line *line,
                     const struct mta_words *words)
{
    (void)line;
    (void)words;
    player->going = false;
    mta_drop(player->session);
    player->session = NULL;
}

void mta_play_unknown(struct mta_player *player, const struct mta_script_line *line,
                      const struct mta_words *words)
{
    (void)words;
    mta_player_step(player, line, "unknown", line->text, mta_unknown(player->session, line->text));
}

/* --- envelope --- */

void mta_play_from(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words)
{
    const char *sender = address(player, words);
    player->messages++;
    player->going = true;
    player->skipped = false;
    set_default_macros(player->session, player->messages);
    mta_player_step(player, line, "mail", sender,
                    mta_mail(player->session, sender, (const char *const *)(words->items + 1),
                             words->count > 1 ? words->count - 1 : 0));
}

void mta_play_to(struct mta_player *player, const struct mta_script_line *line,
                 const struct mta_words *words)
{
    const char *recipient = address(player, words);
    mta_player_step(player, line, "rcpt", recipient,
                    mta_rcpt(player->session, recipient, (const char *const *)(words->items + 1),
                             words->count > 1 ? words->count - 1 : 0));
}

/* refused-to RECIPIENT [PARAMETER]...: the MTA does not take this one. */
void mta_play_refused_to(struct mta_player *player, const struct mta_script_line *line,
                         const struct mta_words *words)
{
    const char *recipient = address(player, words);
    mta_player_step(player, line, "rcpt", recipient,
                    mta_rcpt_rejected(player->session, recipient,
                                      (const char *const *)(words->items + 1),
                                      words->count > 1 ? words->count - 1 : 0, "5.1.1",
                                      "550 5.1.1 User unknown"));
}

void mta_play_reset(struct mta_player *player, const struct mta_script_line *line,
                    const struct mta_words *words)
{
    (void)words;
    player->going = false;
    mta_player_step(player, line, "abort", "", mta_abort(player->session));
}
