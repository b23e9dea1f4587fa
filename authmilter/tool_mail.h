#ifndef AUTHMILTER_TOOL_MAIL_H
#define AUTHMILTER_TOOL_MAIL_H

#include <stdint.h>
#include <stdio.h>

#include "common/base/arena.h"
#include "dkim-milter/dkim_fields.h"

/*
 * A message in a file, handed out as a milter gets it: header fields with folds as LF, then the
 * body in chunks with CRLF line ends.
 *
 * Line ends. The first line of the header says what the file has. If it ends in LF, each
 * LF of the body becomes CRLF, but where a CR stands before it already; so does sendmail(1). If it
 * ends in CRLF, the body is taken octet by octet, and a bare LF in it is an ordinary octet. In the
 * header every LF ends a line, and the CR before it belongs to the line end. A bare CR and a NUL
 * are ordinary octets everywhere.
 *
 * Header. A first line that begins with "From " (mbox) is passed over. An empty line ends the
 * header. So does a line that is neither a field nor indented below one; the body begins with
 * that line, as MTAs have it.
 *
 * Memory is bounded by the header's limits, whatever the body is. Blocking: on the file.
 * Threads: one at a time.
 */
struct tool_mail;

/* Most octets of a header, and most fields. */
#define TOOL_MAIL_HEADER_MAX ((size_t)4 << 20)
#define TOOL_MAIL_FIELDS_MAX 20000

/* What a reader of the file may want to know. */
struct tool_mail_notes {
    bool mbox;                  /* a "From " line was passed over */
    bool lf_ends;               /* the header's first line ends in LF alone */
    bool mixed_ends;            /* both kinds of line ends were seen */
    size_t no_separator;        /* line that is no field and began the body; 0: none did */
    bool bare_cr, bare_lf, nul; /* in the body as it was handed out */
    bool eight_bit;             /* octets above 127 in the body */
    uint64_t body_octets;       /* as handed out */
    uint64_t longest_line;      /* of the body, without its line end */
};

/*
 * Opens a file, or standard input for "-".
 *
 * keep: the file will be read again by tool_mail_copy(); what cannot be (a pipe) is written to a
 *   temporary file without a name while it is read.
 * Returns: NULL with a sentence.
 * Ownership: lives in `arena`, which closes the file.
 */
struct tool_mail *tool_mail_open(struct am_arena *arena, const char *path, bool keep,
                                 struct am_problem *problem) AM_MUST_USE;

/*
 * Reads the header.
 *
 * fields: initialised; prepared afterwards. Lives in the same arena.
 * Returns: false with a sentence: not readable, above a limit, memory short.
 */
bool tool_mail_header(struct tool_mail *mail, struct dkim_fields *fields,
                      struct am_problem *problem) AM_MUST_USE;

/*
 * Reads the next chunk of the body, which lives until the next call; an empty one is the end.
 *
 * Returns: false with a sentence.
 */
bool tool_mail_body(struct tool_mail *mail, struct am_span *chunk,
                    struct am_problem *problem) AM_MUST_USE;

/* Returns what was noticed so far. */
const struct tool_mail_notes *tool_mail_notes(const struct tool_mail *mail);

/*
 * Writes the file as it is, every octet, after its end was reached: `fields` stands right above
 * the header, below a "From " line.
 *
 * Returns: false with a sentence: not kept, not readable, changed since. What `out` did not take
 *   is seen by whoever flushes it.
 */
bool tool_mail_copy(struct tool_mail *mail, struct am_span fields, FILE *out,
                    struct am_problem *problem) AM_MUST_USE;

#endif
