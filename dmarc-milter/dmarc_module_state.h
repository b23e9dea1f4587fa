#ifndef DMARC_DMARC_MODULE_STATE_H
#define DMARC_DMARC_MODULE_STATE_H

#include "common/milter/ruling.h"
#include "dmarc-milter/dmarc_module_claims.h"
#include "dmarc-milter/dmarc_from.h"
#include "dmarc-milter/dmarc_options.h"
#include "dmarc-milter/dmarc_row.h"

/* What the files of the module share: a message, from its header to its end. */

/* Why a policy is not applied. */
enum dmarc_excuse {
    DMARC_EXCUSE_NONE,
    DMARC_EXCUSE_FORWARDER,
    DMARC_EXCUSE_LIST_CLIENT,
    DMARC_EXCUSE_LIST,
};

struct dmarc_msg_state {
    struct am_recipients recipients;
    struct dmarc_from from;
    struct dmarc_claims others; /* of Authentication-Results fields */
    size_t received;            /* Received fields so far */
    const char *list_id;        /* of the first List-Id; NULL: none */
    bool is_list_read;
    struct am_ruling_state ruled;

    /* At the end. */
    const char *fault;                                /* what is wrong with From; NULL: nothing */
    struct dmarc_claims claims;                       /* those that count */
    struct dmarc_outcome outcomes[DMARC_AUTHORS_MAX]; /* of from.domains */
    size_t worst;                                     /* number of the one that decides */
    unsigned queries;
    const char *unchecked; /* what nobody has checked; NULL: nothing */
    enum dmarc_excuse excuse;
    enum am_policy_action action; /* what was decided to do */
    bool ruled_by_override;
};

/* Publishes the results and writes the decision line's part of them; after the ruling. */
void dmarc_module_report(struct am_ctx *ctx, const struct dmarc_msg_state *state);

/*
 * Makes the row that aggregate reports count of one author domain, one that passes or fails.
 *
 * Returns: false when memory is short. Ownership: the message's arena and what `state` holds.
 */
bool dmarc_module_row(struct am_ctx *ctx, const struct dmarc_msg_state *state, size_t author,
                      struct dmarc_row *row);

/* Decides what to do with the message and returns the verdict. */
enum am_verdict dmarc_module_rule(struct am_ctx *ctx, struct dmarc_msg_state *state);

#endif
