#ifndef DKIM_DKIM_ROTOR_H
#define DKIM_DKIM_ROTOR_H

#include "common/base/clock.h"
#include "common/dns/dns.h"
#include "dkim-milter/dkim_keys.h"
#include "dkim-milter/dkim_rotation.h"

/*
 * The managed keys of a site: a directory of keys with their states (dkim_rotation_store.h),
 * watched and moved on by a thread of its own that asks each name server for itself, without a
 * cache. Messages see a finished picture of which keys sign; making the next one never holds them
 * up.
 *
 * Several processes and machines may share the directory. The states are common to all; what the
 * name servers show is each one's own, so a machine whose name servers lag behind does not sign
 * with a key that they do not show.
 *
 * A reload keeps the rotor while what it was made from is the same: references are counted.
 */
struct dkim_rotor;

/* What it is made from. Texts are copied. */
struct dkim_rotor_options {
    const char *directory; /* full path */
    const char *zone;      /* master file in place of the DNS, read anew each time; "" = none */
    const char *const *servers; /* name servers, see am_dns_live_options; none = resolv.conf */
    size_t server_count;
    int64_t timeout_ms; /* of one attempt */
    int64_t check_ms;   /* between two rounds */
    int64_t keep_ms, grace_ms;
    bool sign_unpublished;
    struct dkim_key_reader reader;
    const struct am_clock *clock;
    /* Counts what is counted; may be NULL. Must not block. Threads: the rotor's. */
    void (*count)(void *user, const char *name, const char *label);
    void *user;
    /* For tests: resolvers in place of name servers; not owned. */
    struct am_resolver *const *resolvers;
    size_t resolver_count;
    const char *host; /* for tests; NULL: the name of this machine */
};

/*
 * Reads the directory, so that keys that are active sign at once.
 *
 * Returns: one reference, or NULL with a sentence. Blocking: reads files.
 */
struct dkim_rotor *dkim_rotor_new(const struct dkim_rotor_options *options,
                                  struct am_problem *problem) AM_MUST_USE;

/*
 * Starts the thread, unless it runs. Without one keys sign as they stand, which is logged.
 */
void dkim_rotor_start(struct dkim_rotor *rotor);

/* Tells whether a rotor was made from the same. */
bool dkim_rotor_is_from(const struct dkim_rotor *rotor, const struct dkim_rotor_options *options);

/* Takes one more reference. Threads: any. */
struct dkim_rotor *dkim_rotor_ref(struct dkim_rotor *rotor);

/* Gives a reference back; the last one ends the thread, without waiting for answers. NULL is
 * allowed. */
void dkim_rotor_drop(struct dkim_rotor *rotor);

/*
 * One round: reads the directory, asks the name servers, moves keys on, makes the next picture.
 * What the thread does; without a thread it may be called. Blocking: until all have answered, 10 s
 * at most for 32 questions.
 */
void dkim_rotor_round(struct dkim_rotor *rotor);

/* Returns the number of domains, and of those in which a key signs, as the picture has it. */
size_t dkim_rotor_domains(struct dkim_rotor *rotor, size_t *signing);

/* What is known of a domain. */
struct dkim_rotor_answer {
    enum {
        DKIM_ROTOR_NOT_MANAGED, /* the domain has no folder, or nothing in it */
        DKIM_ROTOR_SIGNS,
        DKIM_ROTOR_NOT_YET, /* no key of it has ever been active */
        DKIM_ROTOR_NO_KEY,  /* none is published, or can be read */
    } what;
    const char *sentence; /* why, when none signs: "..."; lives in the arena */
};

/*
 * Finds the keys that sign for a domain now, in `choice` when there are any.
 *
 * domain: lower-case A-labels.
 * Ownership: all of it lives in `arena`, keys included. Blocking: never for long. Threads: any.
 */
struct dkim_rotor_answer dkim_rotor_find(struct dkim_rotor *rotor, struct am_arena *arena,
                                         const char *domain, struct dkim_keys_choice *choice);

#endif
