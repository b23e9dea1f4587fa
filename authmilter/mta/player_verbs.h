#ifndef AUTHMILTER_MTA_PLAYER_VERBS_H
#define AUTHMILTER_MTA_PLAYER_VERBS_H

#include "authmilter/mta/player.h"

/* Private to authmilter/mta: the verbs of player.c, and what they have in common. */

/* Keeps and tells the reply of a step. Returns whether the message goes on. */
bool mta_player_step(struct mta_player *player, const struct mta_script_line *line,
                     const char *name, const char *about, struct mta_reply reply);

/* The message has come to its end, or to a verdict that ends it for the milter: tells it, once. */
void mta_player_end_message(struct mta_player *player, const struct mta_script_line *line);

/* Returns the command whose macros a word stands for; 0: none. */
enum mta_command mta_player_stage_of(const char *word);

/* Reads an offer into the one of the three it is about. Returns false with a sentence. */
bool mta_player_read_offer(const struct mta_words *words, uint32_t *version, uint32_t *actions,
                           uint32_t *steps, struct am_problem *problem);

/* authenticated USER */
void mta_play_authenticated(struct mta_player *player, const struct mta_script_line *line,
                            const struct mta_words *words);

/* body, with a text or lines behind it: a chunk */
void mta_play_body(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words);

/* client ADDRESS [NAME], client local, client unknown, client socket PATH */
void mta_play_client(struct mta_player *player, const struct mta_script_line *line,
                     const struct mta_words *words);

/* data: the whole mail */
void mta_play_data(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words);

/* end: the final dot */
void mta_play_end(struct mta_player *player, const struct mta_script_line *line,
                  const struct mta_words *words);

/* end-of-header */
void mta_play_end_of_header(struct mta_player *player, const struct mta_script_line *line,
                            const struct mta_words *words);

/* from SENDER [PARAMETER]... */
void mta_play_from(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words);

/* half-data: the mail without its end */
void mta_play_half_data(struct mta_player *player, const struct mta_script_line *line,
                        const struct mta_words *words);

/* header NAME: VALUE, with the folds in the lines behind */
void mta_play_header(struct mta_player *player, const struct mta_script_line *line,
                     const struct mta_words *words);

/* helo NAME */
void mta_play_helo(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words);

/* listener NAME */
void mta_play_listener(struct mta_player *player, const struct mta_script_line *line,
                       const struct mta_words *words);

/* macro STAGE NAME [VALUE] */
void mta_play_macro(struct mta_player *player, const struct mta_script_line *line,
                    const struct mta_words *words);

/* next-connection */
void mta_play_next_connection(struct mta_player *player, const struct mta_script_line *line,
                              const struct mta_words *words);

/* no-leading-blank */
void mta_play_no_leading_blank(struct mta_player *player, const struct mta_script_line *line,
                               const struct mta_words *words);

/* offer version N, offer actions WORD..., offer steps WORD... */
void mta_play_offer(struct mta_player *player, const struct mta_script_line *line,
                    const struct mta_words *words);

/* quit */
void mta_play_quit(struct mta_player *player, const struct mta_script_line *line,
                   const struct mta_words *words);

/* refused-to RECIPIENT [PARAMETER]... */
void mta_play_refused_to(struct mta_player *player, const struct mta_script_line *line,
                         const struct mta_words *words);

/* reset */
void mta_play_reset(struct mta_player *player, const struct mta_script_line *line,
                    const struct mta_words *words);

/* start-data: the DATA command alone */
void mta_play_start_data(struct mta_player *player, const struct mta_script_line *line,
                         const struct mta_words *words);

/* to RECIPIENT [PARAMETER]... */
void mta_play_to(struct mta_player *player, const struct mta_script_line *line,
                 const struct mta_words *words);

/* unknown COMMAND */
void mta_play_unknown(struct mta_player *player, const struct mta_script_line *line,
                      const struct mta_words *words);

/* vanish */
void mta_play_vanish(struct mta_player *player, const struct mta_script_line *line,
                     const struct mta_words *words);

#endif
