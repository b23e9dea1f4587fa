#ifndef DKIM_DKIM_LOGIN_H
#define DKIM_DKIM_LOGIN_H

#include "common/base/arena.h"
#include "common/base/problem.h"
#include "common/mail/address.h"

/*
 * For whom an authenticated user's mail may be signed. A signature says "this domain answers for
 * this message": a user whose password leaked shall not speak for all domains of the site.
 */

enum dkim_login_binding {
    DKIM_LOGIN_AUTO, /* a login with a domain: for that domain only; one without: for any */
    DKIM_LOGIN_MAP,  /* what the login's row in the map says */
    DKIM_LOGIN_OFF,  /* for any */
};

/*
 * The map. A row for each login; whom it may write as follows, as often as need be:
 *
 *     bob@example.org   bob@example.org  sales@example.org
 *     webshop           shop.example  .lists.example
 *     admin             *
 *     *                 example.net
 *
 * A name means that domain, with a dot in front that domain and all below, `*` anything. Rows of
 * one login add up. The row of the login `*` is for those that have none. Letter case is ignored
 * throughout; `#` begins a comment.
 *
 * Threads: reading one in; asking any.
 */
struct dkim_login_map;

/* Most pairs of a login and what it may write as. */
#define DKIM_LOGIN_PAIRS_MAX 1000000

/* Gets the rows that are wrong and left out, one sentence each. */
struct dkim_login_complaints {
    void (*take)(void *user, const char *sentence);
    void *user;
};

/*
 * Reads a map.
 *
 * Returns: NULL with a sentence that begins with the path when the file cannot be read, or memory
 *   is short. Ownership: `arena`. Blocking: reads a file.
 */
struct dkim_login_map *dkim_login_map_load(struct am_arena *arena, const char *path,
                                           const struct dkim_login_complaints *complaints,
                                           struct am_problem *problem) AM_MUST_USE;

/* The same from text; `path` stands for the file in sentences. */
struct dkim_login_map *dkim_login_map_parse(struct am_arena *arena, const char *path,
                                            struct am_span text,
                                            const struct dkim_login_complaints *complaints,
                                            struct am_problem *problem) AM_MUST_USE;

/* What is asked. */
struct dkim_login_request {
    enum dkim_login_binding binding;
    const struct dkim_login_map *map; /* with DKIM_LOGIN_MAP */
    const char *login;                /* "": not authenticated, which binds nothing */
    struct am_span local;             /* of the address the mail is signed for */
    const char *domain;               /* of it, in lower-case A-labels */
};

/*
 * Tells whether the mail may be signed.
 *
 * why_not: of a refusal, a sentence with the setting that would change it; NULL when memory is
 *   short, which refuses too.
 * Ownership: `arena`. Threads: any.
 */
bool dkim_login_allows(const struct dkim_login_request *request, struct am_arena *arena,
                       const char **why_not);

#endif
