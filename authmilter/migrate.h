#ifndef AUTHMILTER_MIGRATE_H
#define AUTHMILTER_MIGRATE_H

#include "authmilter/migrate_finding.h"
#include "authmilter/migrate_output.h"
#include "common/base/arena.h"
#include "common/base/option.h"

/*
 * One migration: a foreign configuration is read line by line; each option is looked up in the
 * table of its program, which says what becomes of it, so that none is lost in silence.
 */

enum migrate_source {
    MIGRATE_OPENDKIM,
    MIGRATE_DKIMPY,
    MIGRATE_POLICYD,
    MIGRATE_PYSPF,
    MIGRATE_SOURCES
};

/* A line that says something: `value` is "" when there is none. */
struct migrate_line {
    const char *file;
    size_t number;
    const char *name, *value;
    struct migrate_line *next;
};

struct migrate {
    struct am_arena *arena;
    enum migrate_source from;
    const char *path;   /* of the foreign configuration */
    const char *target; /* folder that our files are for */
    const char *user;   /* who will run the program; "" = not known */
    const char *base;   /* relative paths begin here; NULL = not known */
    struct migrate_line *lines;
    struct migrate_findings findings;
    struct migrate_output output;
};

/* What becomes of an option: a sentence, or a function that says and does it. */
struct migrate_option {
    const char *name;
    enum migrate_kind kind;
    const char *says; /* for kinds that need no function */
    void (*take)(struct migrate *migrate, const struct migrate_line *line);
};

/* Rows end with a null name. */
extern const struct migrate_option migrate_opendkim_options[];
extern const struct migrate_option migrate_dkimpy_options[];
extern const struct migrate_option migrate_spf_options[];

/* Reads a regular file of at most 16 MiB. Returns a null pointer with a sentence. Ownership: arena.
 */
struct am_span migrate_file_read(struct am_arena *arena, const char *path,
                                 struct am_problem *problem);

/*
 * Reads the foreign configuration and all files it includes into `lines`, each line with its place.
 * With `equals` a line is "Name = Value", else "Name Value".
 *
 * Returns: false with a sentence.
 */
bool migrate_lines_read(struct migrate *migrate, bool equals, struct am_problem *problem);

/* Returns the value of an option, of its last line when it came again; NULL without it. */
const char *migrate_value(const struct migrate *migrate, const char *name);

/* Returns its line; NULL without it. */
const struct migrate_line *migrate_line_find(const struct migrate *migrate, const char *name);

/* Tells whether a boolean value is yes, as OpenDKIM reads it: by its first letter. */
bool migrate_is_yes(const char *value);

/* Reports about a line; the sentence is copied. */
void migrate_say(struct migrate *migrate, enum migrate_kind kind, const struct migrate_line *line,
                 const char *format, ...) AM_PRINTF(4, 5);

/* Reads an integer within bounds; outside of them the nearest is taken, and that is reported. */
bool migrate_number(struct migrate *migrate, const struct migrate_line *line, long least, long most,
                    long *out);

/* Passes each line to the row of its option; what has no row is reported as unknown. */
void migrate_options_apply(struct migrate *migrate, const struct migrate_option *options);

/* What both kinds of DKIM configuration and SPF's have in common: where the socket is, who runs it.
 */
void migrate_take_socket(struct migrate *migrate, const struct migrate_line *line);

/* UMask: the mode of the socket. */
void migrate_take_umask(struct migrate *migrate, const struct migrate_line *line);

/* PidFile. */
void migrate_take_pid_file(struct migrate *migrate, const struct migrate_line *line);

/* UserID: what it means for keys and sockets. */
void migrate_take_user(struct migrate *migrate, const struct migrate_line *line);

/* AuthservID. */
void migrate_take_authserv_id(struct migrate *migrate, const struct migrate_line *line);

/*
 * Reads a data set of client networks into one of our options; names of hosts and exclusions have
 * no counterpart and are reported. The loopback addresses are left out.
 *
 * Returns: whether one of them was there.
 */
bool migrate_networks(struct migrate *migrate, const struct migrate_line *line, const char *section,
                      const char *option);

/* Writes the keys, who signs with them, and which fields: what needs several options at once. */
void migrate_signing_write(struct migrate *migrate);

/* The list of signed fields. `all`: fields are listed rather than left out. */
void migrate_headers_write(struct migrate *migrate);

/* Writes what policyd-spf does and we have to be told to, at the end of its options. */
void migrate_spf_finish(struct migrate *migrate);

/* Writes what OpenDKIM does by default and we do not. */
void migrate_dkim_finish(struct migrate *migrate);

#endif
