#ifndef AM_BASE_LOG_H
#define AM_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The log sink: one of the four mutable objects of a process. Lines go to
 * standard error (with the journal's <N> priority prefix when the journal is
 * at the other end) or to syslog. Control characters never pass raw.
 *
 * Escapes. Sentences and key=value: a control byte, or one that is not UTF-8, is \xNN, a
 * backslash is doubled. JSON: a control character is \u00NN; a byte that is not UTF-8 has no
 * place in JSON and becomes the four characters \xNN. A line holds at most 8 KiB: a value that
 * does not fit ends in "[...]"; values left out whole show as "[...]" at the end of the line.
 *
 * Threads: any. Opening and reconfiguring: one thread at a time.
 */

enum am_log_level { AM_LOG_ERROR, AM_LOG_WARNING, AM_LOG_NOTICE, AM_LOG_INFO, AM_LOG_DEBUG };
enum am_log_target { AM_LOG_STDERR, AM_LOG_SYSLOG };
enum am_log_format { AM_LOG_KEYVALUE, AM_LOG_JSON };

struct am_log_options {
    enum am_log_target target;
    enum am_log_format format;
    enum am_log_level level; /* less important lines are dropped */
    int facility;            /* of syslog(3), e.g. LOG_MAIL */
};

/* Opens the sink. `program` must live as long as the process. */
void am_log_open(const char *program, const struct am_log_options *options);

/*
 * Hands sentences to `take` in place of the target, unescaped, for a tool that shows what a program
 * would log; NULL ends that. Threads: the only one of the process.
 */
void am_log_divert(void (*take)(void *user, enum am_log_level level, const char *sentence),
                   void *user);

/* Tells whether lines of this level are written at all. */
bool am_log_enabled(enum am_log_level level);

/*
 * Logs one sentence. In JSON it becomes {"level":…,"message":…}.
 * Control and non-UTF-8 bytes are escaped as \xNN.
 */
void am_log(enum am_log_level level, const char *format, ...) AM_PRINTF(2, 3);

/*
 * A line of named values, in the configured format:
 *     event=message queue_id=4XyZ client=192.0.2.1 spf=pass
 *     {"event":"message","queue_id":"4XyZ",...}
 * Begin, add values, end. Keys are literals of [a-z0-9_]. Values are quoted
 * and escaped as needed; a null text is left out.
 */
struct am_log_line {
    struct am_buf text;
    bool json;
    enum am_log_level level;
    bool enabled;
    bool cut; /* a value found no room */
};

/* Starts a line; nothing happens when the level is disabled. */
void am_log_line_begin(struct am_log_line *line, enum am_log_level level, const char *event);

/* Starts a line of key=value that is written nowhere, whatever the level and the format: for who
 * wants its text. It ends with am_log_line_drop(). */
void am_log_line_begin_text(struct am_log_line *line, const char *event);

/* Returns what the line holds by now, key=value or JSON without its end. */
struct am_span am_log_line_span(const struct am_log_line *line);

/* Adds what ends a line of key=value: a mark where values found no room. Nothing may be added
 * behind it but by am_log_line_end(), which adds no second one. */
void am_log_line_close_text(struct am_log_line *line);

/* Frees the line's memory and writes nothing. */
void am_log_line_drop(struct am_log_line *line);

/* Adds a text value; an empty pointer leaves the key out. */
void am_log_line_text(struct am_log_line *line, const char *key, struct am_span value);

/* Adds a NUL-terminated text value; NULL leaves the key out. */
void am_log_line_str(struct am_log_line *line, const char *key, const char *value);

/* Adds a number. */
void am_log_line_int(struct am_log_line *line, const char *key, int64_t value);

/* Writes the line and frees its memory. */
void am_log_line_end(struct am_log_line *line);

/* Appends `text` to `out` with control, DEL and invalid UTF-8 bytes as \xNN and backslash doubled.
 */
void am_log_escape(struct am_buf *out, struct am_span text);

#endif
