#ifndef DKIM_DKIM_ROLE_H
#define DKIM_DKIM_ROLE_H

#include "common/base/netset.h"
#include "common/base/option.h"

/*
 * Whose mail is ours to sign. Mail is either signed or verified, never both: what a stranger
 * hands in is never signed, whatever its From field claims.
 */

enum dkim_mode {
    DKIM_MODE_AUTO,   /* sign what is ours, when there are keys; verify the rest */
    DKIM_MODE_VERIFY, /* sign nothing */
    DKIM_MODE_SIGN,   /* sign what is ours, verify nothing */
};

enum dkim_role {
    DKIM_ROLE_NONE, /* neither */
    DKIM_ROLE_VERIFY,
    DKIM_ROLE_SIGN,
};

/* What the configuration says. */
struct dkim_role_rules {
    enum dkim_mode mode;
    bool has_keys; /* without any nothing is signed in mode auto */
    bool sign_authenticated, sign_local;
    const struct am_netset *sign_networks;
    const struct am_strlist *sign_daemons; /* values of {daemon_name} */
};

/* Who hands the message in. Texts are "" when not known. */
struct dkim_role_facts {
    struct am_ip client;
    bool is_local;
    const char *login;
    const char *daemon_name;
    bool is_inbound;    /* it came to a socket for others' mail: nothing is signed */
    bool is_submission; /* to one for our users' mail: nothing is verified */
};

/* What follows. */
struct dkim_role_choice {
    enum dkim_role role;
    const char *word; /* why it is ours: "authenticated", "local", "network", "daemon"; NULL when it
                         is not */
    const char *why_not; /* why it is not signed, with the setting that would change it; NULL when
                            it is */
};

/* Decides. Pure. Ownership: texts of the choice live as long as the program. Threads: any. */
struct dkim_role_choice dkim_role_choose(const struct dkim_role_rules *rules,
                                         const struct dkim_role_facts *facts);

#endif
