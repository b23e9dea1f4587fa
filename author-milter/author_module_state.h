#ifndef AUTHOR_AUTHOR_MODULE_STATE_H
#define AUTHOR_AUTHOR_MODULE_STATE_H

#include "author-milter/author_options.h"
#include "common/milter/ruling.h"

/* Shared by the files of the module. */

/* Most fields of old signatures that are taken out; a message with more is not changed. */
#define AUTHOR_SIGNATURES_MAX 100

/* Most From fields that are kept: there must be one. */
#define AUTHOR_FROM_MAX 8

/* Whose mail it is. */
enum author_origin {
    AUTHOR_ORIGIN_EXEMPT, /* not looked at */
    AUTHOR_ORIGIN_OURS,   /* of somebody who must write as what is theirs */
    AUTHOR_ORIGIN_OTHERS, /* of somebody else, who must not write as one of us */
};

struct author_msg_state {
    enum author_origin origin;
    struct am_authors from, sender;
    struct am_span from_text; /* of the first From field */
    size_t from_count, sender_count, signature_count, domainkey_count;
    bool has_reply_to;
    bool has_odd; /* From or Sender with blanks before the colon */
    bool cut;     /* fields were not shown to us */

    enum author_finding finding;
    bool is_spoofed;
    bool is_fixed;
    const struct am_author *about;
    struct am_problem failure; /* why a table could not be asked */
    bool has_failure;
    struct am_ruling_state ruled;
};

/* --- author_module_owner.c --- */

struct author_asking {
    struct am_ctx *ctx;
    struct author_msg_state *state;
    const char *login;
};

/* Asks tables and lists; the `ask` of struct author_rules, with a struct author_asking as user. */
enum author_owner author_module_ask(void *user, const struct am_author *author);

/* --- author_module_fix.c --- */

/*
 * Changes From at the end of the header: the sender's own address takes its place, the old text
 * becomes Reply-To, and signatures that would no longer hold are taken out.
 *
 * Returns: false when it cannot be done; nothing was changed then, and the log says why.
 */
bool author_module_fix(struct am_ctx *ctx, struct author_msg_state *state,
                       const struct author_rules *rules, const struct author_facts *facts);

#endif
