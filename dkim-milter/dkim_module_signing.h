#ifndef DKIM_DKIM_MODULE_SIGNING_H
#define DKIM_DKIM_MODULE_SIGNING_H

#include "common/milter/module.h"
#include "dkim-milter/dkim_keys.h"
#include "dkim-milter/dkim_login.h"
#include "dkim-milter/dkim_options.h"
#include "dkim-milter/dkim_published.h"
#include "dkim-milter/dkim_role.h"
#include "dkim-milter/dkim_rotor.h"
#include "dkim-milter/dkim_sign.h"

/* What the signing side makes of the configuration, once. */
struct dkim_signing {
    const struct dkim_conf *conf;
    struct dkim_role_rules rules;
    const struct dkim_keys *keys;         /* NULL: none are configured */
    const struct dkim_sign_names **names; /* of each key, by its number; equal ones are one */
    const struct dkim_sign_names *usual;  /* of managed keys */
    struct dkim_rotor *managed;           /* NULL: there are no managed keys */
    const struct dkim_login_map *logins;  /* NULL: none */
    struct dkim_published *published;     /* NULL: nobody compares */
};

/*
 * Reads keys, tables and the map, has them watched, logs what is wrong with a part of them, and
 * has the keys compared with the DNS in the background.
 *
 * former: of the configuration in force, or NULL: its managed keys live on when they are the same.
 * Returns: NULL with a sentence that names the option.
 * Ownership: lives as long as env->arena, but closed first. Blocking: reads files.
 */
struct dkim_signing *dkim_signing_open(const struct dkim_conf *conf, const struct am_conf_env *env,
                                       const struct dkim_signing *former,
                                       struct am_problem *problem) AM_MUST_USE;

/* Ends what runs in the background. NULL is allowed. */
void dkim_signing_close(struct dkim_signing *signing);

/* Returns what a key makes of the configuration; points into `signing` and the key. */
struct dkim_sign_request dkim_signing_request(const struct dkim_signing *signing,
                                              const struct dkim_signing_key *key);

#endif
