#ifndef TESTS_SUITES_DKIM_SCENARIO_H
#define TESTS_SUITES_DKIM_SCENARIO_H

#include "common/base/buf.h"
#include "tests/suites/dkim/forge.h"
#include "tests/unit/dkim/random_text.h"

/*
 * Random signed messages and the zone with their keys, from a seed: the same seed, the same
 * messages on every machine. Each signature is right in a random writing, or has one or two
 * oddities, of which it is known what they do to it.
 */

/* What RFC 6376, 8301, 8463 and 8616 make of a signature. */
enum verdict {
    VERDICT_RIGHT, /* verifies */
    VERDICT_OPEN,  /* depends, or a matter of reading */
    VERDICT_WRONG, /* must not pass */
};

#define TAGS_MAX 40
#define NAMES_MAX 700
#define SIGNATURES_MAX 3

struct tag {
    const char *name, *value; /* value NULL: b= is written there */
};

struct tags {
    struct tag items[TAGS_MAX];
    size_t count;
};

/* One signature while it is made, and afterwards. */
struct signature {
    const struct forge_key *key;
    bool sha1, partial; /* partial: l= leaves content unsigned */
    enum dkim_canon header_canon, body_canon;
    size_t length; /* l=; SIZE_MAX: none */
    struct am_span names[NAMES_MAX];
    size_t name_count;
    struct tags tags, record;
    const char *blank;         /* before the "=" of b= */
    const char *tail;          /* at the end of the text */
    const char *record_text;   /* in place of `record` */
    const char *zone;          /* lines in place of the record's; %s is its name */
    const char *field_name;    /* "DKIM-Signature", or in other letters */
    const char *domain_in_dns; /* d= as A-labels */
    char selector[8];
    enum verdict verdict;
    const char *oddities;
    struct am_span text; /* the field's value */
};

/* A message. */
struct scenario {
    struct am_arena *arena;
    struct random_source random;
    const struct forge_key *keys;
    struct forge_field fields[FORGE_FIELDS_MAX]; /* from the top, signatures among them */
    size_t field_count;
    struct am_span body;
    struct signature signatures[SIGNATURES_MAX]; /* from the top */
    size_t signature_count;
    const char *zone; /* a master file */
};

/* Makes the message of a seed. Ownership: `arena`. */
void scenario_make(struct scenario *scenario, struct am_arena *arena, const struct forge_key *keys,
                   uint64_t seed);

/* --- between the files of the generator --- */

/* Fills fields and body. */
void scenario_add_content(struct scenario *scenario);

/* Does something odd to a signature that is not written yet. */
void oddity_apply(struct scenario *scenario, struct signature *signature);

/* The same for one that has an oddity already; may do nothing. */
void oddity_apply_another(struct scenario *scenario, struct signature *signature);

/* Does something to the message after all signatures were made; may be nothing. */
void oddity_change_message(struct scenario *scenario);

/* Sets a tag, at its place if it is there. */
void tags_set(struct tags *tags, const char *name, const char *value);

/* Takes a tag away. */
void tags_remove(struct tags *tags, const char *name);

/* Returns a tag's value, or NULL. */
const char *tags_value(const struct tags *tags, const char *name);

/* Adds a tag that may be there already. */
void tags_add(struct tags *tags, const char *name, const char *value);

/* Notes an oddity and what it does. */
void signature_note(struct scenario *scenario, struct signature *signature, const char *oddity,
                    enum verdict verdict);

/* Adds a field at the top. */
void scenario_add_field(struct scenario *scenario, struct am_span name, struct am_span value);

#endif
