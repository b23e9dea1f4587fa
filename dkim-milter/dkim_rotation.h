#ifndef DKIM_DKIM_ROTATION_H
#define DKIM_DKIM_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"
#include "dkim-milter/dkim_crypto.h"

/*
 * The life of the managed keys of one domain, as a pure state machine: what was seen in the DNS
 * goes in, what becomes of the keys and which of them sign comes out. No files, no network, no
 * clock.
 *
 *     new        made; no name server was asked yet, or not every one shows its record
 *     published  every name server has shown its record
 *     active     every one has shown it for one TTL: it signs
 *     retired    another key of its type signs in its place; its record stays in the DNS for a
 *                while, for mail that is under way
 *
 * A state only ever goes on to the next. What a name server does not say (SERVFAIL, silence) is
 * no evidence of anything.
 *
 * Threads: any, one at a time per domain.
 */

#define DKIM_ROTATION_KEYS_MAX 16    /* of one domain */
#define DKIM_ROTATION_VIEWS_MAX 16   /* name servers that are asked */
#define DKIM_ROTATION_NAME_MAX 127   /* octets of a selector, and of a host's name */
#define DKIM_ROTATION_TEXT_MAX 12288 /* octets of a domain's states as text */

enum dkim_rotation_state {
    DKIM_ROTATION_NEW,
    DKIM_ROTATION_PUBLISHED,
    DKIM_ROTATION_ACTIVE,
    DKIM_ROTATION_RETIRED,
};
#define DKIM_ROTATION_STATE_COUNT 4

/* What a name server shows under a key's name. */
enum dkim_sight {
    DKIM_SIGHT_NONE, /* it did not say, or was not asked yet */
    DKIM_SIGHT_RIGHT,
    DKIM_SIGHT_ABSENT,
    DKIM_SIGHT_DIFFERS,  /* another key, or several records */
    DKIM_SIGHT_REVOKED,  /* p= is empty */
    DKIM_SIGHT_UNUSABLE, /* a record that no verifier takes */
};
#define DKIM_SIGHT_COUNT 6

/* What the name servers say together. */
enum dkim_verdict {
    DKIM_VERDICT_UNKNOWN, /* nobody shows anything wrong, but not everybody has answered */
    DKIM_VERDICT_RIGHT,   /* all show the right record */
    DKIM_VERDICT_PARTLY,  /* some do, some show something else */
    DKIM_VERDICT_WRONG,   /* none does, and some show something else */
};

struct dkim_rotation_key {
    /* What all machines share. Times are seconds since 1970. */
    char selector[DKIM_ROTATION_NAME_MAX + 1];
    enum dkim_key_type type;
    enum dkim_rotation_state state;
    int64_t created_s, since_s; /* made; came into this state */
    int64_t keep_until_s;       /* of a retired key: its record stays in the DNS so long */
    uint32_t ttl_s;             /* longest that was seen */
    enum dkim_sight trouble;    /* what is wrong with the record of a key in use; NONE: nothing */
    int64_t trouble_since_s;
    char trouble_by[DKIM_ROTATION_NAME_MAX + 1]; /* host that saw it */
    int64_t right_s;                             /* of a published key: so long all name servers of
                                                    `right_by` have shown it without a break */
    char right_by[DKIM_ROTATION_NAME_MAX + 1];   /* a witness; "": nobody yet */

    /* What this process knows; times are monotonic microseconds. */
    bool usable;                                     /* its private key was read */
    enum dkim_sight sights[DKIM_ROTATION_VIEWS_MAX]; /* the latest of each that was no silence */
    int64_t right_us;                                /* so long all have shown it without a break */
    int64_t last_right_us;  /* when they last did; 0: not when they were last asked */
    int64_t wrong_since_us; /* since when none shows it; 0: some do */
    enum dkim_sight told;   /* the trouble that was last told */
};

struct dkim_rotation_domain {
    uint64_t generation; /* of the states that were read; 0: none yet */
    size_t count;
    struct dkim_rotation_key keys[DKIM_ROTATION_KEYS_MAX];
};

struct dkim_rotation_rules {
    size_t views;          /* name servers that are asked, at least 1 */
    int64_t keep_s;        /* how long the record of a retired key stays */
    int64_t grace_us;      /* how long the last key signs on when its record is gone */
    int64_t gap_us;        /* longest time between two looks that counts as seen */
    bool sign_unpublished; /* and after it, too */
    const char *host;      /* this machine */
    const char *witness;   /* this machine with the name servers it asks: what another one has seen,
                              or the same one elsewhere, is not what this one has seen */
};

/* Returns "new", "published", "active", "retired". */
const char *dkim_rotation_state_word(enum dkim_rotation_state state);

/* Returns "unknown", "right", "absent", "differs", "revoked", "unusable". */
const char *dkim_sight_word(enum dkim_sight sight);

/* Returns the key of that selector, or NULL. */
struct dkim_rotation_key *dkim_rotation_find(struct dkim_rotation_domain *domain,
                                             const char *selector);

/*
 * Adds a new key.
 * Returns: NULL with a sentence: the selector is there already or too long, or there are too many.
 */
struct dkim_rotation_key *dkim_rotation_add(struct dkim_rotation_domain *domain,
                                            const char *selector, enum dkim_key_type type,
                                            int64_t now_s, struct am_problem *problem) AM_MUST_USE;

/*
 * Notes what one round of questions has shown of a key.
 * sights: of rules->views name servers. ttl_s: the longest that came; 0 for none.
 */
void dkim_rotation_note(struct dkim_rotation_key *key, const struct dkim_rotation_rules *rules,
                        const enum dkim_sight *sights, uint32_t ttl_s, int64_t now_us);

/* Returns what the name servers say together; one of the wrong sights in `*wrong` if any shows one.
 */
enum dkim_verdict dkim_rotation_verdict(const struct dkim_rotation_key *key, size_t views,
                                        enum dkim_sight *wrong);

/* Something that happened to a key. */
struct dkim_rotation_event {
    enum {
        DKIM_ROTATION_ADVANCED,     /* it has another state */
        DKIM_ROTATION_TROUBLE,      /* the record of a key in use is wrong somewhere */
        DKIM_ROTATION_TROUBLE_OVER, /* it is right everywhere again */
    } what;
    size_t key; /* its index */
};
#define DKIM_ROTATION_EVENTS_MAX (3 * DKIM_ROTATION_KEYS_MAX)

/*
 * Does what follows from what was noted.
 *
 * events: filled; `*count` says how many. Returns: whether what all machines share has changed.
 */
bool dkim_rotation_step(struct dkim_rotation_domain *domain,
                        const struct dkim_rotation_rules *rules, int64_t now_s,
                        struct dkim_rotation_event events[DKIM_ROTATION_EVENTS_MAX], size_t *count);

/* Takes a key out of use now; its record stays in the DNS for rules->keep_s. */
void dkim_rotation_retire(struct dkim_rotation_key *key, int64_t keep_s, int64_t now_s);

/* Tells whether a key may go: it is retired, and its record needs to stay no longer. */
bool dkim_rotation_is_over(const struct dkim_rotation_key *key, int64_t now_s);

/* Which keys sign. */
struct dkim_rotation_choice {
    enum {
        DKIM_ROTATION_SIGNS,
        DKIM_ROTATION_NOT_YET, /* no key of the domain has ever been active */
        DKIM_ROTATION_NO_KEY,  /* no key can sign that is published, or be read */
    } what;
    size_t keys[DKIM_KEY_TYPE_COUNT]; /* their indexes, one of a type */
    size_t count;
    bool second_best; /* an active key does not sign as it should */
};

/*
 * Chooses the keys that sign: of each type the active one while its record is right, else another
 * one that is published, else the active one when part of the name servers show it or the grace is
 * not over.
 */
void dkim_rotation_choose(const struct dkim_rotation_domain *domain,
                          const struct dkim_rotation_rules *rules, int64_t now_s, int64_t now_us,
                          struct dkim_rotation_choice *choice);

/* Writes the shared states as text. */
void dkim_rotation_write(const struct dkim_rotation_domain *domain, struct am_buf *out);

/*
 * Reads them back; nothing of a process is known then. A text that is cut off, or was changed so
 * that it makes no sense, is refused as a whole.
 * Returns: false with a sentence.
 */
bool dkim_rotation_read(struct dkim_rotation_domain *domain, struct am_span text,
                        struct am_problem *problem) AM_MUST_USE;

/*
 * Takes over from `former` what this process knows of keys that are in both. Of others it goes on
 * from what its witness had seen before a restart: time in which nothing was asked counts for
 * nothing, and no clock of the wall does.
 */
void dkim_rotation_inherit(struct dkim_rotation_domain *domain,
                           const struct dkim_rotation_domain *former, const char *witness);

#endif
