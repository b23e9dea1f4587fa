#ifndef AM_TESTS_SCENARIO_SIGN_H
#define AM_TESTS_SCENARIO_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/problem.h"

/* What "sign" and "alter" lines ask of the next mail. */
struct sign_orders {
    struct sign_order *items;
    size_t count;
};

/*
 * Notes an order: "sign", a kind of key (rsa, rsa1024, ed25519) and changes of the usual tags as
 * hand_sign() takes them; or "alter", a text and what stands in its place after the signing.
 * Returns: false with a sentence.
 */
bool sign_note(struct sign_orders *orders, const char *verb, char *const *words, size_t count,
               struct am_problem *problem);

/*
 * Carries the orders out on a mail as it stands in the file, and forgets them: each signature on
 * top of the one before, then what is altered.
 * Returns: false with a sentence; `out` is the mail with its new fields.
 */
bool sign_apply(struct sign_orders *orders, const char *mail, struct am_buf *out,
                struct am_problem *problem);

/* Forgets the orders. */
void sign_forget(struct sign_orders *orders);

/*
 * Appends `text` with @RSA@, @RSA1024@ and @ED25519@ replaced by what p= of these keys' records
 * holds, in strings of a master file: "...p=@RSA@" becomes "...p=MIIB..." "..."; @RSA-PRIVATE@ and
 * so on by the keys themselves, PEM.
 */
void sign_substitute_keys(struct am_buf *out, const char *text);

#endif
