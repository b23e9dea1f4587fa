#ifndef AM_MILTER_PLAY_H
#define AM_MILTER_PLAY_H

#include "common/milter/outcome.h"

/*
 * One message handed to the modules without a mail server: the session, the policies, the
 * Authentication-Results field and the edits are those of the running program. For tools.
 */

/* A macro of the MTA, known from a stage on. */
struct am_play_macro {
    enum am_stage stage; /* CONNECT, HELO, ENVFROM, ENVRCPT, DATA, EOH or EOM */
    const char *name, *value;
};

/* A header field; `value` is what stands behind the colon, folds as LF and a blank. */
struct am_play_field {
    const char *name, *value;
};

struct am_play_mail {
    const char *client;      /* address; "" = submitted on this machine; "unknown" = not known */
    const char *client_name; /* the MTA's name for it; NULL = the address in brackets */
    const char *helo;        /* NULL: the client said none */
    const char *sender;      /* with brackets */
    struct am_strlist sender_params, recipients; /* recipients with brackets; at least one */
    const struct am_play_macro *macros;
    size_t macro_count;
    const struct am_play_field *fields;
    size_t field_count;
    /*
     * Hands out the next piece of the body, CRLF line ends; an empty one at the end. Returns false
     * with a sentence. NULL: there is no body.
     */
    bool (*body)(void *user, struct am_span *chunk, struct am_problem *problem);
    void *body_user;
    enum am_role role;
    struct am_resolver *conn_resolver; /* for what is asked about the connection; NULL = the
                                          runtime's. Not owned */
};

/*
 * Plays a message.
 *
 * runtime: loaded with am_play_reporter() in its source, and its `user` this outcome's player.
 * arena: what the outcome lives in.
 * Returns: false with a sentence: no address, the body cannot be read, memory is short.
 * Blocking: as long as its modules do. Threads: one at a time per runtime.
 */
bool am_play(struct am_runtime *runtime, const struct am_play_mail *mail, struct am_arena *arena,
             struct am_outcome *outcome, struct am_problem *problem) AM_MUST_USE;

/* Returns the reporter that a runtime needs that messages are played with. */
struct am_reporter am_play_reporter(void);

#endif
