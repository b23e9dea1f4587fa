#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/log_escape.h"
#include "common/base/utf8.h"

/* Longest line without its prefix; what does not fit is cut and ends in "[...]". */
#define LINE_MAX_BYTES ((size_t)8192)

/* Kept free at the end of a line for what closes it: ,"cut":"[...]"} */
#define LINE_RESERVE ((size_t)32)

/* A value shorter than this much room is left out rather than cut. */
#define VALUE_ROOM_MIN ((size_t)16)

/* The sink. Settings are read one by one: a line written during a change may mix old and new. */
static struct {
    _Atomic(const char *) program;
    atomic_int target;
    atomic_int format;
    atomic_int level;
    atomic_bool journal; /* the journal reads our standard error */
} sink = {NULL, AM_LOG_STDERR, AM_LOG_KEYVALUE, AM_LOG_INFO, false};

/* Who takes sentences in place of the sink; `take` is NULL but in tools. */
static struct {
    void (*take)(void *user, enum am_log_level level, const char *sentence);
    void *user;
} diversion;

static const struct {
    const char *word;
    int priority;
} levels[] = {
    [AM_LOG_ERROR] = {"error", LOG_ERR},      [AM_LOG_WARNING] = {"warning", LOG_WARNING},
    [AM_LOG_NOTICE] = {"notice", LOG_NOTICE}, [AM_LOG_INFO] = {"info", LOG_INFO},
    [AM_LOG_DEBUG] = {"debug", LOG_DEBUG},
};

/* systemd names the stream it connected as "device:inode" (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;

    if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
        return false;
    return fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void am_log_open(const char *program, const struct am_log_options *options)
{
    atomic_store(&sink.program, program);
    atomic_store(&sink.journal, stderr_is_journal());
    if (options->target == AM_LOG_SYSLOG)
        openlog(program, LOG_PID, options->facility);
    atomic_store(&sink.target, options->target);
    atomic_store(&sink.format, options->format);
    atomic_store(&sink.level, options->level);
}

void am_log_divert(void (*take)(void *user, enum am_log_level level, const char *sentence),
                   void *user)
{
    diversion.take = take;
    diversion.user = user;
}

bool am_log_enabled(enum am_log_level level)
{
    return (int)level <= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

static bool is_json(void)
{
    return atomic_load_explicit(&sink.format, memory_order_relaxed) == AM_LOG_JSON;
}

/* One write for the whole line: lines of several threads do not mix. */
static void write_stderr(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDERR_FILENO, text, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nobody is left to be told */
        text += written;
        len -= (size_t)written;
    }
}

static void emit(enum am_log_level level, bool json, bool sentence, const struct am_buf *text)
{
    const char *program = atomic_load(&sink.program);
    struct am_buf line;

    if (atomic_load(&sink.target) == AM_LOG_SYSLOG) {
        syslog(levels[level].priority, "%s", am_buf_str(text));
        return;
    }
    am_buf_init(&line, 0);
    if (atomic_load(&sink.journal))
        am_buf_printf(&line, "<%d>", levels[level].priority);
    else if (!json && program != NULL)
        am_buf_printf(&line, "%s: ", program);
    if (!json && sentence && level <= AM_LOG_WARNING)
        am_buf_printf(&line, "%s: ", levels[level].word);
    am_buf_add(&line, am_buf_span(text));
    am_buf_add_char(&line, '\n');
    if (!line.failed)
        write_stderr(line.data, line.len);
    am_buf_fini(&line);
}

/* When memory is short a fixed text still says that something was to be said. */
static void emit_lost(void)
{
    static const char text[] = "a log line was lost: memory is short\n";

    write_stderr(text, sizeof(text) - 1);
}

void am_log(enum am_log_level level, const char *format, ...)
{
    struct am_buf text;
    bool json = is_json();
    va_list args;
    char *message = NULL;
    int len;

    if (!am_log_enabled(level))
        return;
    va_start(args, format);
    len = vasprintf(&message, format, args);
    va_end(args);
    if (len < 0) {
        emit_lost();
        return;
    }
    if (diversion.take != NULL) {
        diversion.take(diversion.user, level, message);
        free(message);
        return;
    }
    am_buf_init(&text, 0);
    if (json)
        am_buf_printf(&text, "{\"level\":\"%s\",\"message\":\"", levels[level].word);
    am_log_escape_within(&text, am_span_of(message, (size_t)len),
                         json ? AM_LOG_JSON_STRING : AM_LOG_PLAIN, LINE_MAX_BYTES - LINE_RESERVE);
    if (json)
        am_buf_add_str(&text, "\"}");
    if (text.failed)
        emit_lost();
    else
        emit(level, json, true, &text);
    free(message);
    am_buf_fini(&text);
}

void am_log_line_begin(struct am_log_line *line, enum am_log_level level, const char *event)
{
    *line = (struct am_log_line){.level = level, .enabled = am_log_enabled(level)};
    am_buf_init(&line->text, LINE_MAX_BYTES);
    if (!line->enabled)
        return;
    line->json = is_json();
    am_log_line_str(line, "event", event);
}

void am_log_line_begin_text(struct am_log_line *line, const char *event)
{
    *line = (struct am_log_line){.level = AM_LOG_INFO, .enabled = true};
    am_buf_init(&line->text, LINE_MAX_BYTES);
    am_log_line_str(line, "event", event);
}

struct am_span am_log_line_span(const struct am_log_line *line)
{
    return am_buf_span(&line->text);
}

void am_log_line_close_text(struct am_log_line *line)
{
    if (line->cut && !line->json)
        am_buf_add_str(&line->text, " [...]");
    line->cut = line->cut && line->json;
}

void am_log_line_drop(struct am_log_line *line)
{
    am_buf_fini(&line->text);
    line->enabled = false;
}

/* Writes what stands before a value; false when the line is full. */
static bool begin_value(struct am_log_line *line, const char *key)
{
    size_t needed = strlen(key) + 6 + VALUE_ROOM_MIN + LINE_RESERVE;

    if (!line->enabled)
        return false;
    if (needed > LINE_MAX_BYTES - line->text.len) {
        line->cut = true;
        return false;
    }
    if (line->json)
        am_buf_printf(&line->text, "%s\"%s\":", line->text.len == 0 ? "{" : ",", key);
    else
        am_buf_printf(&line->text, "%s%s=", line->text.len == 0 ? "" : " ", key);
    return true;
}

/* Whether a key=value reader takes the value as it stands. */
static bool is_bare(struct am_span value)
{
    for (size_t i = 0; i < value.len;) {
        struct am_span rest = am_span_of(value.ptr + i, value.len - i);
        size_t len = am_utf8_first(rest);
        if (len == 0 || am_utf8_is_control(rest.ptr, len) || strchr(" \"=\\", rest.ptr[0]) != NULL)
            return false;
        i += len;
    }
    return value.len > 0;
}

void am_log_line_text(struct am_log_line *line, const char *key, struct am_span value)
{
    bool quoted;
    size_t room;

    if (value.ptr == NULL || !begin_value(line, key))
        return;
    quoted = line->json || !is_bare(value);
    room = LINE_MAX_BYTES - LINE_RESERVE - line->text.len;
    if (quoted)
        am_buf_add_char(&line->text, '"');
    am_log_escape_within(&line->text, value, line->json ? AM_LOG_JSON_STRING : AM_LOG_QUOTED, room);
    if (quoted)
        am_buf_add_char(&line->text, '"');
}

void am_log_line_str(struct am_log_line *line, const char *key, const char *value)
{
    am_log_line_text(line, key, am_span_str(value));
}

void am_log_line_int(struct am_log_line *line, const char *key, int64_t value)
{
    if (begin_value(line, key))
        am_buf_printf(&line->text, "%lld", (long long)value);
}

void am_log_line_end(struct am_log_line *line)
{
    if (line->enabled) {
        am_log_line_close_text(line);
        if (line->cut)
            am_buf_add_str(&line->text, ",\"cut\":\"[...]\"");
        if (line->json)
            am_buf_add_char(&line->text, '}');
        if (line->text.failed)
            emit_lost();
        else
            emit(line->level, line->json, false, &line->text);
    }
    am_buf_fini(&line->text);
    line->enabled = false;
}
