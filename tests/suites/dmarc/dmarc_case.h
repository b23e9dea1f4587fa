#ifndef TESTS_DMARC_DMARC_CASE_H
#define TESTS_DMARC_DMARC_CASE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

/*
 * One case of a file of cases:
 *
 *     == title
 *     record DOMAIN TEXT        the TXT record at _dmarc.DOMAIN; several make several
 *     name DOMAIN               the name exists
 *     zone LINE                 a line of a master file
 *     config LINE               in section dmarc of the configuration
 *     client ADDRESS            [192.0.2.1]
 *     sender <ADDRESS>          [<bounce@elsewhere.example>]
 *     spf WORD DOMAIN           what SPF found of MAIL FROM; spf-helo: of HELO
 *     dkim WORD DOMAIN          what DKIM found of a signature
 *     unchecked                 no check ran here; else SPF and DKIM say none where no line has
 * them from VALUE                a From field; "from-field" alone is one without a value field
 * NAME: VALUE         another field of the header expect WORD KEY=VALUE...  of a result of dmarc;
 * of several one line for each, in their order
 *
 * "#" begins a comment at the start of a line. Values of `expect` with blanks stand in double
 * quotes. header.from and policy.dmarc are called from= and policy=; without them the result has
 * none. action= is what becomes of the message [accept], reply= a part of the reply, reason= a part
 * of the reason; any other key is one of the module's values in the log, without its prefix; "-"
 * means that it is not there.
 *
 * \xNN in `from`, `field` and `record` is an octet, \n a fold, \{N*TEXT} a repetition of TEXT.
 */

/* Most lines of a kind in one case. */
#define DMARC_CASE_MAX 64

struct dmarc_case_text {
    const char *name, *value;
};

struct dmarc_case_list {
    struct dmarc_case_text items[DMARC_CASE_MAX];
    size_t count;
};

struct dmarc_case_file;

struct dmarc_test_case {
    const char *title;
    unsigned line;
    const char *zone, *config; /* texts made from the lines */
    const char *client, *sender;
    bool unchecked;
    struct dmarc_case_list results; /* "spf" or "dkim" or "spf-helo", and "WORD DOMAIN" */
    struct dmarc_case_list fields;
    struct dmarc_case_list expected; /* WORD, and the rest of the line */
};

/* Opens a file; ends the program with a sentence when it cannot be read. */
struct dmarc_case_file *dmarc_case_file_open(const char *path);

/*
 * Reads the next case. Returns false at the end. Ends the program with a sentence when the file
 * breaks the rules. Ownership: `arena`.
 */
bool dmarc_case_next(struct dmarc_case_file *file, struct am_arena *arena,
                     struct dmarc_test_case *out);

/* Closes it. */
void dmarc_case_file_close(struct dmarc_case_file *file);

#endif
