#ifndef AUTHMILTER_MTA_SCRIPT_H
#define AUTHMILTER_MTA_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * A script: what a client and the MTA do, and what must come of it, line by line. docs/mta-sim.md
 * is its manual.
 */

/* One line: a verb, its text, and the lines behind it that begin with '|'. */
struct mta_script_line {
    unsigned number; /* in the file */
    char *verb;
    char *text;
    struct am_buf block; /* lines without their "| ", each ended by LF */
};

struct mta_script {
    struct mta_script_line *lines;
    size_t count;
};

/* Most bytes of a script, and most lines. */
#define MTA_SCRIPT_MAX ((size_t)64 << 20)
#define MTA_SCRIPT_LINES_MAX 100000

/*
 * Adds a line as it stands in the file, without its end; empty ones and comments (#) add nothing.
 *
 * Returns: false with a sentence. Ownership: all is freed by mta_script_fini().
 */
bool mta_script_add(struct mta_script *script, unsigned number, const char *line,
                    struct am_problem *problem) AM_MUST_USE;

/*
 * Reads a whole script into an empty one. Lines end in LF or CR LF.
 *
 * Returns: false with a sentence that says where. Ownership: as above, also after failure.
 */
bool mta_script_read(struct mta_script *script, struct am_span text,
                     struct am_problem *problem) AM_MUST_USE;

/* Frees what was added. */
void mta_script_fini(struct mta_script *script);

/* The blank-separated words of a line, escapes undone. */
struct mta_words {
    char *items[16];
    size_t count;
};

/* Splits a text. Returns false for an unknown escape, or too many words. Ownership: freed by
 * mta_words_fini(), also after failure. */
bool mta_words_of(struct mta_words *words, const char *text);

/* Frees the words. */
void mta_words_fini(struct mta_words *words);

/* Returns a word, or `fallback` when there are not so many. */
const char *mta_word(const struct mta_words *words, size_t index, const char *fallback);

#endif
