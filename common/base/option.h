#ifndef AM_BASE_OPTION_H
#define AM_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/ip.h"
#include "common/base/problem.h"

/*
 * Options as rows. One row says everything about an option: its name, kind,
 * place in the section's struct, default, range and one line of help. The
 * same rows parse the file, check it, print it (--show-config), describe it
 * (--list-options) and let the tests hold the manual against the code.
 */

enum am_option_kind {
    AM_OPTION_BOOL,     /* bool: yes/no, true/false, on/off */
    AM_OPTION_INT,      /* int64_t within [min, max] */
    AM_OPTION_SIZE,     /* int64_t bytes within [min, max]: 512, 64k, 8M, 1G */
    AM_OPTION_DURATION, /* int64_t milliseconds within [min, max]: 500ms, 20s, 5m, 1h, 2d */
    AM_OPTION_TEXT,     /* const char *, "" when empty */
    AM_OPTION_CHOICE,   /* int, the value of the chosen word */
    AM_OPTION_LIST,     /* struct am_strlist */
    AM_OPTION_NETS,     /* struct am_netlist: CIDR networks and addresses */
};

enum am_option_flag {
    AM_OPTION_SECRET = 1 << 0,     /* printed as "(secret)" */
    AM_OPTION_START_ONLY = 1 << 1, /* a reload that changes it warns and keeps the old value */
    AM_OPTION_OCTAL = 1 << 2,      /* AM_OPTION_INT read and printed in octal (file modes) */
};

/* A word and its value; a row's choices end with a null word. */
struct am_choice {
    const char *word;
    int value;
};

/* A list of strings. */
struct am_strlist {
    const char **items;
    size_t count;
};

struct am_option {
    const char *name;
    enum am_option_kind kind;
    size_t offset; /* offsetof() in the section's struct */
    const char
        *fallback; /* the default, as text the parser accepts; lists: comma-separated; never NULL */
    /* Bounds of numbers, sizes (bytes) and durations (milliseconds); both 0 mean 0 to INT64_MAX. */
    int64_t min, max;
    const struct am_choice *choices;
    /*
     * Optional: judges one value (each item of a list); fills `problem` and returns false. Its
     * sentence need not name the option: that is put in front.
     */
    bool (*check)(const char *value, struct am_problem *problem);
    unsigned flags;
    const char *help; /* one line, no full stop */
};

/*
 * A section of the file. A repeated section has a title and may come any
 * number of times: `override "partners" { ... }`; its struct begins with
 * `const char *title`.
 */
struct am_section {
    const char *name;
    const char *help;
    const struct am_option *options; /* ends with a row whose name is NULL */
    size_t size;                     /* of the struct that holds the values */
    bool repeated;
};

/*
 * Parses the text of one scalar option, or the comma-separated text of a list,
 * into its place in `section` (the section's struct).
 *
 * Words are matched without regard to letter case. Texts are UTF-8 without
 * control characters but tab and line feed. In a comma-separated text, "\\," is a
 * comma of the item and "\\\\" a backslash; blanks around items are dropped. A
 * duration needs its unit (0 goes without).
 *
 * Returns: false with a sentence that names the option, the value and what is allowed.
 * Ownership: strings and arrays are copied into `arena`.
 */
bool am_option_parse(const struct am_option *row, const char *text, void *section,
                     struct am_arena *arena, struct am_problem *problem) AM_MUST_USE;

/* The same for a list given item by item. `row` must be of a list kind. */
bool am_option_parse_items(const struct am_option *row, const char *const *items, size_t count,
                           void *section, struct am_arena *arena,
                           struct am_problem *problem) AM_MUST_USE;

/* Writes the current value as the parser would accept it (secrets masked). */
void am_option_print(const struct am_option *row, const void *section, struct am_buf *out);

/* Writes what the row accepts: "yes or no", "1 to 100", "accept, reject or tempfail", ... */
void am_option_describe(const struct am_option *row, struct am_buf *out);

/* Fills `section` with the defaults of all rows. Returns false when memory is short or a default is
 * wrong. */
bool am_option_defaults(const struct am_option *rows, void *section, struct am_arena *arena,
                        struct am_problem *problem) AM_MUST_USE;

/*
 * Copies one value from one section struct to another.
 *
 * Returns: false when memory is short; the target keeps its value then.
 * Ownership: strings and arrays are copied into `arena`.
 */
bool am_option_copy(const struct am_option *row, const void *from, void *to,
                    struct am_arena *arena) AM_MUST_USE;

/* Tells whether two section structs hold the same value of an option. */
bool am_option_equal(const struct am_option *row, const void *a, const void *b);

/* Tells whether the option takes a list (AM_OPTION_LIST, AM_OPTION_NETS). */
bool am_option_is_list(const struct am_option *row);

/* Tells whether the value is printed as "(secret)": it is one, and not empty. */
bool am_option_is_masked(const struct am_option *row, const void *section);

#endif
