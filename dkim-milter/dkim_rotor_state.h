#ifndef DKIM_DKIM_ROTOR_STATE_H
#define DKIM_DKIM_ROTOR_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/snapshot.h"
#include "common/base/table.h"
#include "dkim-milter/dkim_rotation_store.h"
#include "dkim-milter/dkim_rotor.h"

/* The inside of dkim_rotor, for its files. */

/* A private key that was read; shared by pictures. */
struct dkim_rotor_key {
    struct am_snapshot snapshot; /* must be first */
    struct am_arena *arena;
    struct dkim_private_key *private_key;
    struct dkim_signing_key row;
};

/* A domain of the directory; the rotor's thread alone looks at it. */
struct dkim_rotor_domain {
    char *name, *folder;
    bool seen; /* in this round */
    bool torn; /* the newest states cannot be read: write them again */
    bool lost; /* none can: nobody knows which key has signed */
    struct dkim_rotation_domain states;
    struct dkim_rotor_key *keys[DKIM_ROTATION_KEYS_MAX]; /* beside states.keys; NULL: not read */
    /* Beginnings of what was last said to be wrong with the files. */
    char state_complaint[160], key_complaint[160], write_complaint[160];
    int signing;     /* enum of dkim_rotation_choice.what when it was last told; -1: never */
    int64_t told_us; /* when trouble was last told */
};

/* Which keys sign: what messages see. Never changes. */
struct dkim_rotor_picture {
    struct am_snapshot snapshot; /* must be first */
    struct am_arena *arena;
    struct am_table *domains; /* index of answers */
    struct dkim_rotor_signers {
        int what; /* of struct dkim_rotor_answer */
        const char *sentence;
        const char *rule;
        struct dkim_rotor_key *keys[DKIM_KEY_TYPE_COUNT];
        size_t count;
    } * answers;
    size_t count, signing;
};

struct dkim_rotor {
    atomic_uint references;
    struct am_arena *arena;
    struct dkim_rotor_options options; /* texts in the arena */
    struct dkim_rotation_rules rules;
    struct am_resolver **resolvers; /* rules.views of them; a zone is opened for each round */
    char (*servers)[80];            /* their names */
    struct dkim_rotor_domain **domains;
    size_t count, room;
    struct am_snapshot_holder *pictures;
    char complaint[160]; /* of the directory itself */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool runs, stop;
};

/* --- dkim_rotor_read.c --- */

/* Reads what is in the directory now: domains, states, key files. Returns false when a domain may
 * be missing, as the directory cannot be read or memory is short; those that were known stay. */
bool dkim_rotor_read(struct dkim_rotor *rotor);

/* Reads the states of a domain again. Returns false when that cannot be done; the former stay. */
bool dkim_rotor_read_states(struct dkim_rotor *rotor, struct dkim_rotor_domain *domain);

/* Frees a domain. */
void dkim_rotor_domain_free(struct dkim_rotor_domain *domain);

/* Says a sentence about a place unless it was the last one said about it; "" forgets it. */
void dkim_rotor_complain(char complaint[160], const char *sentence);

/* --- dkim_rotor_look.c --- */

/* Asks all name servers for all keys, and notes what they show. Returns false when it is time to
 * end. */
bool dkim_rotor_look(struct dkim_rotor *rotor);

/* Waits; false when it is time to end. */
bool dkim_rotor_wait_ms(struct dkim_rotor *rotor, int64_t ms);

/* --- dkim_rotor_step.c --- */

/* Moves the keys of all domains on, and tells what happened. */
void dkim_rotor_step(struct dkim_rotor *rotor);

/* --- dkim_rotor_picture.c --- */

/* Makes the picture of what there is now, and puts it in place. Returns false without memory: the
 * former stays. */
bool dkim_rotor_draw(struct dkim_rotor *rotor);

#endif
