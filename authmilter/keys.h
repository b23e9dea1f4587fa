#ifndef AUTHMILTER_KEYS_H
#define AUTHMILTER_KEYS_H

#include "authmilter/tool_dns.h"
#include "authmilter/tool_options.h"
#include "dkim-milter/dkim_key_path.h"
#include "dkim-milter/dkim_rotation_store.h"

/* The command keys: what its files share. */

struct keys_arguments {
    const char *directory, *selector;
    bool rsa, ed25519; /* types of new keys */
    bool force, json;
    int64_t keep_days;
    struct tool_dns dns;
    const char *words[3]; /* "new", domain, selector; NULL behind the last */
};

/* Exit status of list and status when something is not as it should be. */
#define KEYS_EXIT_WARNINGS 1

extern const struct tool_usage keys_usage;

/* The sub-commands. Return the exit status. */

/* list and status: states, and with `ask` what each name server shows. */
int keys_show(const struct keys_arguments *args, struct am_arena *arena, bool ask);

/* record: what to publish. */
int keys_record(const struct keys_arguments *args, struct am_arena *arena);

/* new: makes keys. */
int keys_new(const struct keys_arguments *args, struct am_arena *arena);

/* retire: takes a key out of use. */
int keys_retire(const struct keys_arguments *args, struct am_arena *arena);

/* purge: removes keys whose time is over. */
int keys_purge(const struct keys_arguments *args, struct am_arena *arena);

/* Returns the folder of the domain that is named, in A-labels in `*domain`; NULL after a complaint,
 * with the exit status. */
const char *keys_folder(const struct keys_arguments *args, struct am_arena *arena,
                        const char **domain, int *status);

#endif
