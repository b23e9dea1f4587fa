#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "authmilter/command.h"
#include "authmilter/keys.h"
#include "authmilter/tool_key.h"
#include "authmilter/tool_keygen.h"
#include "authmilter/tool_name.h"

/* What changes managed keys: each change is a generation of its own, and whoever finds that
 * another one was faster does it again. */

#define TRIES_MAX 10

/* A change of a domain's states. Returns false with a sentence. */
typedef bool change_fn(struct dkim_rotation_domain *states, void *user, struct am_problem *problem);

static bool change(const char *folder, change_fn *make, void *user, struct am_problem *problem)
{
    struct dkim_rotation_domain states;
    enum dkim_store_result result = DKIM_STORE_CONFLICT;

    for (int i = 0; i < TRIES_MAX && result == DKIM_STORE_CONFLICT; i++) {
        if (!dkim_store_read(folder, &states, problem) || !make(&states, user, problem))
            return false;
        result = dkim_store_write(folder, &states, problem);
    }
    if (result == DKIM_STORE_CONFLICT)
        am_problem_set(problem, "%s is being changed by others all the time", folder);
    return result == DKIM_STORE_WRITTEN;
}

/* --- new --- */

struct making {
    const char *selector;
    enum dkim_key_type type;
};

static bool add_key(struct dkim_rotation_domain *states, void *user, struct am_problem *problem)
{
    const struct making *making = user;

    return dkim_rotation_add(states, making->selector, making->type, time(NULL), problem) != NULL;
}

/* The folder belongs to whom the directory belongs to: the user who signs. */
static bool make_folder(const char *directory, const char *folder, struct stat *owner,
                        struct am_problem *problem)
{
    struct stat info;

    if (stat(directory, owner) != 0 || !S_ISDIR(owner->st_mode))
        return am_problem_set(problem,
                              "%s is no directory; make it with: install -d -m 0700 -o authmilter "
                              "%s",
                              directory, directory);
    bool made = mkdir(folder, 0700) == 0;
    if (!made && errno != EEXIST)
        return am_problem_set(problem, "%s: %s", folder, strerror(errno));
    if (lstat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return am_problem_set(problem, "%s is no folder", folder);
    if (made && geteuid() == 0 && lchown(folder, owner->st_uid, owner->st_gid) != 0)
        return am_problem_set(problem, "%s: %s", folder, strerror(errno));
    if (!made)
        *owner = info;
    return true;
}

static int make_key(const char *folder, const char *domain, const struct making *making,
                    const struct stat *owner, struct am_arena *arena)
{
    struct am_problem problem;
    struct making copy = *making;
    const char *path = am_arena_printf(arena, "%s/%s.pem", folder, making->selector);
    const char *name = am_arena_printf(arena, "%s._domainkey.%s", making->selector, domain);
    struct dkim_private_key *key =
        dkim_private_key_generate(making->type, DKIM_RSA_BITS_GOOD, &problem);

    if (key == NULL || path == NULL || name == NULL)
        return tool_unavailable(&keys_usage, key == NULL ? problem.text : "out of memory");
    bool saved = tool_key_save(path, key, owner, &problem);
    bool good = saved && change(folder, add_key, &copy, &problem);
    const char *record = dkim_key_record_write(arena, key);
    if (saved && !good)
        (void)unlink(path);
    if (good && record != NULL) {
        printf("Private key: %s (%s, %u bits, mode 0600)\n\n", path,
               dkim_key_type_word(making->type), dkim_private_key_bits(key));
        tool_key_print_record(name, record);
    }
    dkim_private_key_free(key);
    return good ? 0 : tool_unavailable(&keys_usage, problem.text);
}

int keys_new(const struct keys_arguments *args, struct am_arena *arena)
{
    char day[16] = "";
    time_t now = time(NULL);
    struct tm parts;
    struct am_problem problem;
    struct stat owner;
    const char *domain;
    int status = 0;
    const char *folder = keys_folder(args, arena, &domain, &status), *base = args->selector;

    if (folder == NULL)
        return status;
    if (base == NULL && gmtime_r(&now, &parts) != NULL &&
        strftime(day, sizeof(day), "%Y%m%d", &parts) > 0)
        base = day;
    base = tool_name_selector(arena, base == NULL ? "" : base, &problem);
    if (base == NULL)
        return tool_refuse(&keys_usage, problem.text);
    if (!make_folder(args->directory, folder, &owner, &problem))
        return tool_unavailable(&keys_usage, problem.text);
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT && status == 0; type++) {
        bool wanted = type == DKIM_KEY_RSA ? args->rsa : args->ed25519;
        bool bare = args->selector != NULL && !(args->rsa && args->ed25519);
        struct making making = {
            .selector = am_arena_printf(arena, "%s%s", base,
                                        bare                   ? ""
                                        : type == DKIM_KEY_RSA ? "r"
                                                               : "e"),
            .type = (enum dkim_key_type)type,
        };

        if (wanted && making.selector != NULL)
            status = make_key(folder, domain, &making, &owner, arena);
    }
    if (status == 0)
        printf(
            "Publish what is printed above; dkim-milter signs with it when every name server has "
            "shown it\nfor its TTL (dkim.managed_keys). 'authmilter keys status %s' tells how "
            "far it is.\n",
            domain);
    return status;
}

/* --- retire --- */

static bool retire_key(struct dkim_rotation_domain *states, void *user, struct am_problem *problem)
{
    const struct keys_arguments *args = user;
    struct dkim_rotation_key *key = dkim_rotation_find(states, args->words[2]);
    size_t others = 0;

    if (key == NULL)
        return am_problem_set(problem, "there is no managed key %s of %s", args->words[2],
                              args->words[1]);
    if (key->state == DKIM_ROTATION_RETIRED)
        return am_problem_set(problem, "key %s is retired already", key->selector);
    for (size_t i = 0; i < states->count; i++)
        others += &states->keys[i] != key && states->keys[i].type == key->type &&
                  states->keys[i].state == DKIM_ROTATION_ACTIVE;
    if (key->state == DKIM_ROTATION_ACTIVE && others == 0 && !args->force)
        return am_problem_set(
            problem,
            "key %s is the only active %s key of %s: a new one takes its place by "
            "itself ('authmilter keys new'); to retire it now, add --force",
            key->selector, dkim_key_type_word(key->type), args->words[1]);
    dkim_rotation_retire(key, args->keep_days * 86400, time(NULL));
    return true;
}

int keys_retire(const struct keys_arguments *args, struct am_arena *arena)
{
    struct am_problem problem;
    struct keys_arguments copy = *args;
    const char *domain;
    int status = 0;
    const char *folder = keys_folder(args, arena, &domain, &status);

    if (folder == NULL)
        return status;
    if (!change(folder, retire_key, &copy, &problem))
        return tool_unavailable(&keys_usage, problem.text);
    printf("Key %s of %s is retired; leave its record in the DNS for %lld days.\n", args->words[2],
           domain, (long long)args->keep_days);
    return 0;
}

/* --- purge --- */

struct purging {
    const char *selectors[DKIM_ROTATION_KEYS_MAX];
    size_t count;
    struct am_arena *arena;
};

static bool remove_keys(struct dkim_rotation_domain *states, void *user, struct am_problem *problem)
{
    struct purging *purging = user;
    size_t kept = 0;

    (void)problem;
    purging->count = 0;
    for (size_t i = 0; i < states->count; i++) {
        if (dkim_rotation_is_over(&states->keys[i], time(NULL)))
            purging->selectors[purging->count++] =
                am_arena_copy(purging->arena, am_span_str(states->keys[i].selector));
        else
            states->keys[kept++] = states->keys[i];
    }
    states->count = kept;
    /* Nothing is written when nothing goes. */
    return purging->count > 0;
}

/*
 * The files go first: a key file without a state would be taken for a new key. A state without
 * its file is harmless, and purged the next time.
 */
static int purge_domain(const char *folder, const char *domain, struct am_arena *arena)
{
    struct purging purging = {.arena = arena};
    struct dkim_rotation_domain states;
    struct am_problem problem = {""};

    if (!dkim_store_read(folder, &states, &problem))
        return tool_unavailable(&keys_usage, problem.text);
    (void)remove_keys(&states, &purging, &problem);
    for (size_t i = 0; i < purging.count; i++) {
        const char *path = purging.selectors[i] == NULL
                               ? NULL
                               : am_arena_printf(arena, "%s/%s.pem", folder, purging.selectors[i]);

        if (path == NULL || (unlink(path) != 0 && errno != ENOENT))
            return tool_unavailable(&keys_usage, path == NULL ? "out of memory" : path);
        printf("Key %s of %s is removed; its record %s._domainkey.%s may go from the DNS.\n",
               purging.selectors[i], domain, purging.selectors[i], domain);
    }
    if (purging.count == 0 || change(folder, remove_keys, &purging, &problem))
        return 0;
    return tool_unavailable(&keys_usage, problem.text);
}

int keys_purge(const struct keys_arguments *args, struct am_arena *arena)
{
    struct dkim_store_names names;
    struct am_problem problem;
    const char *domain;
    int status = 0;

    if (args->words[1] != NULL) {
        const char *folder = keys_folder(args, arena, &domain, &status);
        return folder == NULL ? status : purge_domain(folder, domain, arena);
    }
    if (!dkim_store_domains(arena, args->directory, &names, &problem))
        return tool_unavailable(&keys_usage, problem.text);
    for (size_t i = 0; i < names.count && status == 0; i++) {
        const char *folder = am_arena_printf(arena, "%s/%s", args->directory, names.items[i]);
        status = folder == NULL ? tool_unavailable(&keys_usage, "out of memory")
                                : purge_domain(folder, names.items[i], arena);
    }
    return status;
}
