#ifndef AUTHMILTER_MTA_SIM_H
#define AUTHMILTER_MTA_SIM_H

#include <jansson.h>

#include "authmilter/mta/player.h"

/* What `authmilter mta-sim` has seen, on its way to the reader. */

struct mta_sim {
    const char *path; /* of the script */
    bool json, quiet;
    struct mta_player player;
    json_t *steps, *messages, *failed; /* lists; with --json only */
};

/* Tells a step: a line of text, or an object of the list. */
void mta_sim_text_step(const struct mta_sim *sim, const struct mta_script_line *line,
                       const char *step, const char *about, const struct mta_reply *reply);

/* Tells a message at its end: its answer, and all of it as it would be delivered. */
void mta_sim_text_message(const struct mta_sim *sim, const struct mta_reply *reply,
                          const struct mta_message *message);

/* Tells a failure. */
void mta_sim_text_failure(const struct mta_sim *sim, const struct mta_script_line *line,
                          const char *sentence);

/* Tells how many expectations hold. */
void mta_sim_text_end(const struct mta_sim *sim);

/* Begins the lists. Returns false when memory is short. */
bool mta_sim_json_begin(struct mta_sim *sim);

/* As mta_sim_text_step(). */
void mta_sim_json_step(struct mta_sim *sim, const struct mta_script_line *line, const char *step,
                       const char *about, const struct mta_reply *reply);

/* As mta_sim_text_message(). */
void mta_sim_json_message(struct mta_sim *sim, const struct mta_script_line *line,
                          const struct mta_reply *reply, const struct mta_message *message);

/* As mta_sim_text_failure(). */
void mta_sim_json_failure(struct mta_sim *sim, const struct mta_script_line *line,
                          const char *sentence);

/* Prints the object and drops the lists. Returns false when it was not written. */
bool mta_sim_json_end(struct mta_sim *sim);

#endif
