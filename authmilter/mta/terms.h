#ifndef AUTHMILTER_MTA_TERMS_H
#define AUTHMILTER_MTA_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

/*
 * The bits of the negotiation in words, as scripts and reports have them: "add-headers",
 * "no-connect", "nr-header", ...
 */

/* Tells which bit of the actions a word is; 0: none. */
uint32_t mta_action_of(const char *word);

/* Tells which bit of the steps a word is; 0: none. */
uint32_t mta_step_of(const char *word);

/* Appends the words of actions, a blank between them, "none" for none; unknown bits as one number.
 */
void mta_actions_print(uint32_t actions, struct am_buf *out);

/* The same for steps. */
void mta_steps_print(uint32_t steps, struct am_buf *out);

/*
 * Reads an offer from words: "all", "none", a word, or "-WORD" for all that came before but one.
 *
 * Returns: false for a word that there is not; its index is in `*bad`. An offer of nothing is
 * MTA_OFFER_NOTHING.
 */
bool mta_offer_of(char *const *words, size_t count, bool actions, uint32_t *offer, size_t *bad);

#endif
