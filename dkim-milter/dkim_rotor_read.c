#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "dkim-milter/dkim_key_load.h"
#include "dkim-milter/dkim_rotor_state.h"

void dkim_rotor_complain(char complaint[160], const char *sentence)
{
    if (sentence[0] != '\0' && strncmp(complaint, sentence, 159) != 0)
        am_log(AM_LOG_ERROR, "dkim: %s", sentence);
    complaint[0] = '\0';
    strncat(complaint, sentence, 159);
}

/* --- keys --- */

static void key_destroy(struct am_snapshot *self)
{
    struct dkim_rotor_key *key = (struct dkim_rotor_key *)self;

    dkim_private_key_free(key->private_key);
    am_arena_free(key->arena);
    free(key);
}

static bool name_key(struct dkim_rotor_key *key, const struct dkim_rotor_domain *domain,
                     const char *selector, const char *path)
{
    struct dkim_signing_key *row = &key->row;

    row->domain = am_arena_copy(key->arena, am_span_str(domain->name));
    row->selector = am_arena_copy(key->arena, am_span_str(selector));
    row->path = am_arena_copy(key->arena, am_span_str(path));
    row->name = am_arena_printf(key->arena, "%s/%s", domain->name, selector);
    row->number = DKIM_KEY_NO_NUMBER;
    row->expire_s = -1;
    row->key = key->private_key;
    return row->domain != NULL && row->selector != NULL && row->path != NULL && row->name != NULL;
}

static struct dkim_rotor_key *load_key(const struct dkim_rotor *rotor,
                                       const struct dkim_rotor_domain *domain, const char *selector,
                                       struct am_problem *problem)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct dkim_rotor_key *key = calloc(1, sizeof(*key));
    const char *path =
        arena == NULL ? NULL : am_arena_printf(arena, "%s/%s.pem", domain->folder, selector);

    am_problem_set(problem, "out of memory");
    if (key != NULL)
        am_snapshot_init(&key->snapshot, key_destroy);
    if (key == NULL || path == NULL) {
        am_arena_free(arena);
        free(key);
        return NULL;
    }
    key->arena = arena;
    key->private_key = dkim_key_load(path, &rotor->options.reader, problem);
    if (key->private_key != NULL && name_key(key, domain, selector, path))
        return key;
    am_snapshot_drop(&key->snapshot);
    return NULL;
}

/* Reads the private keys that were not read yet. */
static void load_keys(struct dkim_rotor *rotor, struct dkim_rotor_domain *domain)
{
    const char *complaint = "";
    struct am_problem problem;

    for (size_t i = 0; i < domain->states.count; i++) {
        struct dkim_rotation_key *state = &domain->states.keys[i];

        if (domain->keys[i] == NULL)
            domain->keys[i] = load_key(rotor, domain, state->selector, &problem);
        if (domain->keys[i] == NULL)
            complaint = problem.text;
        else if (dkim_private_key_type(domain->keys[i]->private_key) != state->type)
            complaint = am_problem_set(&problem, "%s: is no %s key, as the states say",
                                       domain->keys[i]->row.path, dkim_key_type_word(state->type))
                            ? ""
                            : problem.text;
        state->usable = domain->keys[i] != NULL &&
                        dkim_private_key_type(domain->keys[i]->private_key) == state->type;
    }
    dkim_rotor_complain(domain->key_complaint, complaint);
}

/* --- states --- */

/* Puts other states in place; keys and what was seen go with their selectors. */
static void replace(const struct dkim_rotor *rotor, struct dkim_rotor_domain *domain,
                    struct dkim_rotation_domain *next)
{
    struct dkim_rotor_key *keys[DKIM_ROTATION_KEYS_MAX] = {NULL};

    dkim_rotation_inherit(next, &domain->states, rotor->rules.witness);
    for (size_t i = 0; i < domain->states.count; i++) {
        const struct dkim_rotation_key *to =
            dkim_rotation_find(next, domain->states.keys[i].selector);

        if (to != NULL)
            keys[to - next->keys] = domain->keys[i];
        else if (domain->keys[i] != NULL)
            am_snapshot_drop(&domain->keys[i]->snapshot);
    }
    memcpy(domain->keys, keys, sizeof(keys));
    domain->states = *next;
}

/* Keys that lie in the folder and are in no state yet are new. */
static void adopt(struct dkim_rotor *rotor, const struct dkim_rotor_domain *domain,
                  struct dkim_rotation_domain *states)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct dkim_store_names names = {.count = 0};
    struct am_problem problem;

    if (arena != NULL && !dkim_store_selectors(arena, domain->folder, &names, &problem))
        names.count = 0;
    for (size_t i = 0; i < names.count && states->count < DKIM_ROTATION_KEYS_MAX; i++) {
        if (dkim_rotation_find(states, names.items[i]) != NULL)
            continue;
        struct dkim_rotor_key *key = load_key(rotor, domain, names.items[i], &problem);
        if (key == NULL) {
            am_log(AM_LOG_WARNING, "dkim: %s", problem.text);
            continue;
        }
        (void)!dkim_rotation_add(states, names.items[i], dkim_private_key_type(key->private_key),
                                 rotor->options.clock->wall_s(rotor->options.clock), &problem);
        am_snapshot_drop(&key->snapshot);
    }
    am_arena_free(arena);
}

bool dkim_rotor_read_states(struct dkim_rotor *rotor, struct dkim_rotor_domain *domain)
{
    struct dkim_rotation_domain next;
    struct am_problem note;
    bool good = dkim_store_read(domain->folder, &next, &note);

    /* Whatever became of the files: who signed goes on to sign. */
    dkim_rotor_complain(domain->state_complaint, note.text);
    domain->torn = good && note.text[0] != '\0';
    if (note.text[0] != '\0' && domain->states.count > 0) {
        domain->states.generation = next.generation;
        return good;
    }
    domain->lost = domain->lost || (!good && next.generation > 0);
    if (!good && next.generation == 0)
        return false;
    adopt(rotor, domain, &next);
    replace(rotor, domain, &next);
    load_keys(rotor, domain);
    return true;
}

/* --- domains --- */

void dkim_rotor_domain_free(struct dkim_rotor_domain *domain)
{
    if (domain == NULL)
        return;
    for (size_t i = 0; i < domain->states.count; i++)
        if (domain->keys[i] != NULL)
            am_snapshot_drop(&domain->keys[i]->snapshot);
    free(domain->name);
    free(domain->folder);
    free(domain);
}

static struct dkim_rotor_domain *find_domain(const struct dkim_rotor *rotor, const char *name)
{
    size_t low = 0, high = rotor->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(rotor->domains[middle]->name, name);

        if (order == 0)
            return rotor->domains[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int compare_domains(const void *a, const void *b)
{
    const struct dkim_rotor_domain *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

static struct dkim_rotor_domain *new_domain(const struct dkim_rotor *rotor, const char *name)
{
    struct dkim_rotor_domain *domain = calloc(1, sizeof(*domain));
    size_t room = strlen(rotor->options.directory) + strlen(name) + 2;

    if (domain == NULL)
        return NULL;
    domain->signing = -1;
    domain->name = strdup(name);
    domain->folder = malloc(room);
    if (domain->name == NULL || domain->folder == NULL) {
        dkim_rotor_domain_free(domain);
        return NULL;
    }
    strcpy(domain->folder, rotor->options.directory);
    strcat(strcat(domain->folder, "/"), name);
    return domain;
}

/* Adds a domain behind the sorted ones. Returns NULL when memory is short. */
static struct dkim_rotor_domain *add_domain(struct dkim_rotor *rotor, const char *name)
{
    if (rotor->count == rotor->room) {
        size_t room = rotor->room == 0 ? 16 : rotor->room * 2;
        struct dkim_rotor_domain **domains = realloc(rotor->domains, room * sizeof(*domains));

        if (domains == NULL)
            return NULL;
        rotor->domains = domains;
        rotor->room = room;
    }
    struct dkim_rotor_domain *domain = new_domain(rotor, name);
    if (domain != NULL)
        rotor->domains[rotor->count++] = domain;
    return domain;
}

static bool read_names(struct dkim_rotor *rotor, const struct dkim_store_names *names)
{
    size_t known = rotor->count, kept = 0;
    bool complete = true;

    for (size_t i = 0; i < known; i++)
        rotor->domains[i]->seen = false;
    for (size_t i = 0; i < names->count; i++) {
        size_t all = rotor->count;

        rotor->count = known;
        struct dkim_rotor_domain *domain = find_domain(rotor, names->items[i]);
        rotor->count = all;
        if (domain == NULL)
            domain = add_domain(rotor, names->items[i]);
        complete = complete && domain != NULL;
        if (domain == NULL)
            continue;
        domain->seen = true;
        (void)dkim_rotor_read_states(rotor, domain);
    }
    for (size_t i = 0; i < rotor->count; i++) {
        if (rotor->domains[i]->seen)
            rotor->domains[kept++] = rotor->domains[i];
        else
            dkim_rotor_domain_free(rotor->domains[i]);
    }
    rotor->count = kept;
    if (kept > 0)
        qsort(rotor->domains, kept, sizeof(struct dkim_rotor_domain *), compare_domains);
    return complete;
}

bool dkim_rotor_read(struct dkim_rotor *rotor)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct dkim_store_names names;
    struct am_problem problem = {"out of memory"};
    bool complete = false;

    /* A directory that cannot be read for a while (a server that is away) changes nothing. */
    if (arena != NULL && dkim_store_domains(arena, rotor->options.directory, &names, &problem)) {
        dkim_rotor_complain(rotor->complaint, "");
        complete = read_names(rotor, &names);
    } else {
        dkim_rotor_complain(rotor->complaint, problem.text);
    }
    am_arena_free(arena);
    return complete;
}
