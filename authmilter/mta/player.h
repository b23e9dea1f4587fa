#ifndef AUTHMILTER_MTA_PLAYER_H
#define AUTHMILTER_MTA_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "authmilter/mta/mta.h"
#include "authmilter/mta/script.h"

/*
 * Plays scripts against a milter: does what a line says, and judges what it expects.
 *
 *     struct mta_player player = {.socket = "unix:/run/x.sock", .hooks = &hooks, .user = me};
 *     for (size_t i = 0; i < script.count; i++)
 *         mta_player_do(&player, &script.lines[i]);
 *     mta_player_end(&player);
 *     return player.failures == 0;
 *
 * An error of the milter (it broke the protocol, went silent or is gone) is a failure, unless the
 * next expectation is "expect error". A message with an edit that would break its header (a line
 * break without a fold, a control character) is a failure, whatever is expected.
 *
 * Blocking: each line for as long as its steps (mta.h). Threads: one at a time.
 */
struct mta_player;

/* What the player tells; each may be null. `user` is the player's. */
struct mta_player_hooks {
    /* Something is not as expected, or a line cannot be played. */
    void (*failed)(void *user, const struct mta_script_line *line, const char *sentence);
    /* A step was taken: "negotiate", "connect", "helo", "mail", "rcpt", "data", "header", "eoh",
     * "body", "eom", "unknown", "abort", "quit-nc". `about`: what the step holds, or "". */
    void (*stepped)(void *user, const struct mta_script_line *line, const char *step,
                    const char *about, const struct mta_reply *reply);
    /* A message has come to its end, with or without the milter's word. */
    void (*ended)(void *user, const struct mta_script_line *line, const struct mta_reply *reply,
                  const struct mta_message *message);
    /* Changes a mail of a script ahead of its way. Returns false with a sentence. */
    bool (*prepare)(void *user, const char *mail, struct am_buf *out, struct am_problem *problem);
};

/* Macros that were set while there was no client: the next one brings them. */
struct mta_macro_ahead {
    enum mta_command stage;
    char *name, *value;
};

struct mta_player {
    /* Set by the caller before the first line, and between lines. */
    const char *socket; /* as mta_options.socket has it */
    int timeout_ms;     /* as in mta_options */
    const struct mta_player_hooks *hooks;
    void *user;

    /* The offer to the next client's milter; as in mta_options. */
    uint32_t version, actions, steps;
    char *listener; /* {daemon_name}; NULL: the usual one */
    struct mta_macro_ahead ahead[64];
    size_t ahead_count;

    struct mta_session *session; /* of the last client; NULL: there is none */
    struct mta_reply reply;      /* of the last step that a client would notice */
    bool waits;                  /* for the next SMTP connection on the same session */
    bool going;                  /* the message in hand has not come to its end */
    bool skipped;                /* the milter wanted no more of the last body */
    char *sender;                /* of the last mail, as the milter left it: @SENDER@; or NULL */
    const struct mta_script_line *error; /* where an error came that nothing has expected yet */
    char *error_text;
    unsigned messages, expectations, failures;
};

/* Tells whether a line is one the player can play; false with a sentence that says what is wrong,
 * and how it is written. */
bool mta_player_knows(const struct mta_script_line *line, struct am_problem *problem);

/* Plays a line: an event, or an expectation. What goes wrong is told by the hook `failed`. */
void mta_player_do(struct mta_player *player, const struct mta_script_line *line);

/* Says good-bye to the milter, tells an error that nothing expected, and frees what the player
 * holds. `failures` and `expectations` stay. */
void mta_player_end(struct mta_player *player);

/* Tells a failure. */
void mta_player_fail(struct mta_player *player, const struct mta_script_line *line,
                     const char *format, ...) AM_PRINTF(3, 4);

/* Judges an "expect" line; `text` is what stands behind the word. */
void mta_player_expect(struct mta_player *player, const struct mta_script_line *line);

/* Tells whether an expectation is written as it has to be. False with a sentence. */
bool mta_player_knows_expectation(const struct mta_script_line *line, struct am_problem *problem);

/* Checks what must hold for any message: no edit of the milter breaks the header block. */
void mta_player_check_edits(struct mta_player *player, const struct mta_script_line *line);

/* Tells whether the first words of a text are these; goes on behind them then. */
bool mta_player_takes(const char **text, const char *words);

#endif
