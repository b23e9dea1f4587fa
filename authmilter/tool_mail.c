#include "authmilter/tool_mail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"

#define BLOCK 65536

struct tool_mail {
    const char *name; /* for messages */
    int file, spool;  /* the spool is -1 unless the file has to be kept */
    bool keep;
    off_t start; /* where the message begins in the file */
    struct stat opened;
    uint64_t above; /* octets of the "From " line */

    struct am_span rest;  /* of the block, not read yet */
    struct am_buf pushed; /* the line that began the body, LF included */
    size_t pushed_at;
    size_t line;
    bool ended;           /* no more blocks */
    bool ends_known;      /* of lines */
    char last;            /* octet of the body handed out, 0 before the first */
    uint64_t line_octets; /* of the body's present line */
    struct tool_mail_notes notes;
    char block[BLOCK];
    char chunk[2 * BLOCK]; /* each LF may become two octets */
};

static void close_mail(void *object)
{
    struct tool_mail *mail = object;

    am_buf_fini(&mail->pushed);
    if (mail->file > STDIN_FILENO)
        close(mail->file);
    if (mail->spool >= 0)
        close(mail->spool);
}

static bool fail(const struct tool_mail *mail, struct am_problem *problem)
{
    return am_problem_set(problem, "%s: %s", mail->name, strerror(errno));
}

static bool open_spool(struct tool_mail *mail, struct am_problem *problem)
{
    const char *dir = getenv("TMPDIR");

    if (dir == NULL || *dir == '\0')
        dir = "/tmp";
    mail->spool = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (mail->spool < 0)
        return am_problem_set(problem, "no temporary file in %s: %s", dir, strerror(errno));
    return true;
}

struct tool_mail *tool_mail_open(struct am_arena *arena, const char *path, bool keep,
                                 struct am_problem *problem)
{
    struct tool_mail *mail = am_arena_alloc(arena, sizeof(*mail));

    if (mail == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    mail->spool = -1;
    mail->keep = keep;
    am_buf_init(&mail->pushed, TOOL_MAIL_HEADER_MAX);
    bool standard = strcmp(path, "-") == 0;
    mail->name = standard ? "standard input" : path;
    mail->file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (mail->file < 0 || fstat(mail->file, &mail->opened) != 0) {
        fail(mail, problem);
        return NULL;
    }
    if (!am_arena_defer(arena, close_mail, mail)) {
        close_mail(mail);
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    mail->start = lseek(mail->file, 0, SEEK_CUR);
    if (keep && (mail->start < 0 || !S_ISREG(mail->opened.st_mode)) && !open_spool(mail, problem))
        return NULL;
    return mail;
}

/* Reads from a descriptor; signals are nothing to end for. */
static ssize_t read_some(int file, char *to, size_t room)
{
    ssize_t got;

    do
        got = read(file, to, room);
    while (got < 0 && errno == EINTR);
    return got;
}

static bool spool(struct tool_mail *mail, struct am_span octets, struct am_problem *problem)
{
    return mail->spool < 0 || am_file_write_all(mail->spool, octets) ||
           am_problem_set(problem, "temporary file: %s", strerror(errno));
}

/* Sees to it that there is something to read, unless the file has ended. */
static bool fill(struct tool_mail *mail, struct am_problem *problem)
{
    if (mail->rest.len > 0 || mail->ended)
        return true;
    ssize_t got = read_some(mail->file, mail->block, sizeof(mail->block));
    if (got < 0)
        return fail(mail, problem);
    mail->ended = got == 0;
    mail->rest = am_span_of(mail->block, (size_t)got);
    return spool(mail, mail->rest, problem);
}

/* --- the header --- */

/* Appends the next line, its LF included, to `line`; nothing at the end of the file. */
static bool read_line(struct tool_mail *mail, struct am_buf *line, struct am_problem *problem)
{
    bool whole = false;

    mail->line++;
    while (!whole) {
        if (!fill(mail, problem))
            return false;
        size_t len = am_span_find(mail->rest, '\n');
        whole = len < mail->rest.len || mail->ended;
        len += len < mail->rest.len;
        am_buf_add(line, am_span_of(mail->rest.ptr, len));
        mail->rest = am_span_of(mail->rest.ptr + len, mail->rest.len - len);
        if (line->failed)
            return am_problem_set(problem,
                                  "%s: the header is larger than %zu octets, or memory is short; "
                                  "is it a message?",
                                  mail->name, TOOL_MAIL_HEADER_MAX);
    }
    return true;
}

/* Takes the line end off a line and remembers of which kind it was. */
static struct am_span without_end(struct tool_mail *mail, struct am_span line)
{
    if (line.len == 0 || line.ptr[line.len - 1] != '\n')
        return line;
    line.len--;
    bool lf = line.len == 0 || line.ptr[line.len - 1] != '\r';
    if (!lf)
        line.len--;
    if (mail->ends_known && lf != mail->notes.lf_ends)
        mail->notes.mixed_ends = true;
    if (!mail->ends_known)
        mail->notes.lf_ends = lf;
    mail->ends_known = true;
    return line;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* RFC 5322 sections 2.2 and 4.5.3: visible ASCII, maybe blanks, a colon. */
static bool is_field(struct am_span line)
{
    size_t at = 0;

    while (at < line.len && line.ptr[at] > ' ' && line.ptr[at] <= '~' && line.ptr[at] != ':')
        at++;
    size_t name = at;
    while (at < line.len && is_blank(line.ptr[at]))
        at++;
    return name > 0 && at < line.len && line.ptr[at] == ':';
}

/* Adds the field that was collected, if there is one. */
static bool add_field(const struct tool_mail *mail, struct dkim_fields *fields,
                      struct am_buf *field, struct am_problem *problem)
{
    struct am_span text = am_buf_span(field);

    if (field->failed)
        return am_problem_set(problem, "out of memory");
    if (text.len == 0)
        return true;
    if (fields->count == TOOL_MAIL_FIELDS_MAX)
        return am_problem_set(problem, "%s: the header has more than %d fields", mail->name,
                              TOOL_MAIL_FIELDS_MAX);
    size_t colon = am_span_find(text, ':');
    if (dkim_fields_add(fields, am_span_of(text.ptr, colon),
                        am_span_of(text.ptr + colon + 1, text.len - colon - 1)) == NULL)
        return am_problem_set(problem, "out of memory");
    am_buf_clear(field);
    return true;
}

static bool is_mailbox_line(struct am_span line)
{
    static const char from[] = "From ";

    return line.len >= sizeof(from) - 1 && memcmp(line.ptr, from, sizeof(from) - 1) == 0;
}

/* Reads lines until one ends the header; `line` and `field` are empty buffers. */
static bool read_fields(struct tool_mail *mail, struct dkim_fields *fields, struct am_buf *line,
                        struct am_buf *field, struct am_problem *problem)
{
    size_t total = 0;

    for (;; total += line->len) {
        am_buf_clear(line);
        line->limit = TOOL_MAIL_HEADER_MAX - total;
        if (!read_line(mail, line, problem))
            return false;
        if (mail->line == 1 && is_mailbox_line(am_buf_span(line))) {
            mail->notes.mbox = true;
            mail->above = line->len;
            continue;
        }
        bool last = line->len == 0;
        struct am_span text = without_end(mail, am_buf_span(line));
        bool indented = text.len > 0 && is_blank(text.ptr[0]) && field->len > 0;
        if (!indented && !add_field(mail, fields, field, problem))
            return false;
        if (last || text.len == 0)
            return true;
        if (!indented && !is_field(text)) {
            mail->notes.no_separator = mail->line;
            am_buf_add(&mail->pushed, am_buf_span(line));
            return !mail->pushed.failed || am_problem_set(problem, "out of memory");
        }
        if (indented)
            am_buf_add_char(field, '\n');
        am_buf_add(field, text);
    }
}

bool tool_mail_header(struct tool_mail *mail, struct dkim_fields *fields,
                      struct am_problem *problem)
{
    struct am_buf line, field;

    am_buf_init(&line, TOOL_MAIL_HEADER_MAX);
    am_buf_init(&field, TOOL_MAIL_HEADER_MAX);
    bool read = read_fields(mail, fields, &line, &field, problem);
    am_buf_fini(&line);
    am_buf_fini(&field);
    if (!read)
        return false;
    return dkim_fields_prepare(fields) || am_problem_set(problem, "out of memory");
}

/* --- the body --- */

/* Notes what octets there are, as they are handed out. */
static void note(struct tool_mail *mail, struct am_span chunk)
{
    struct tool_mail_notes *notes = &mail->notes;

    for (size_t i = 0; i < chunk.len; i++) {
        char c = chunk.ptr[i];
        notes->bare_cr = notes->bare_cr || (mail->last == '\r' && c != '\n');
        notes->bare_lf = notes->bare_lf || (mail->last != '\r' && c == '\n');
        notes->nul = notes->nul || c == '\0';
        notes->eight_bit = notes->eight_bit || (unsigned char)c > 127;
        if (c == '\n' && mail->last == '\r') {
            mail->line_octets = 0;
        } else if (c != '\r' && ++mail->line_octets > notes->longest_line) {
            notes->longest_line = mail->line_octets;
        }
        mail->last = c;
    }
    notes->mixed_ends = notes->mixed_ends || notes->bare_lf;
    notes->body_octets += chunk.len;
}

/* Copies octets to the chunk with a CR before each LF that has none. */
static struct am_span with_crlf(struct tool_mail *mail, struct am_span octets)
{
    char *put = mail->chunk, last = mail->last;

    while (octets.len > 0) {
        size_t len = am_span_find(octets, '\n');
        memcpy(put, octets.ptr, len);
        put += len;
        last = len > 0 ? octets.ptr[len - 1] : last;
        if (len < octets.len) {
            mail->notes.mixed_ends = mail->notes.mixed_ends || last == '\r';
            if (last != '\r')
                *put++ = '\r';
            *put++ = last = '\n';
            len++;
        }
        octets = am_span_of(octets.ptr + len, octets.len - len);
    }
    return am_span_of(mail->chunk, (size_t)(put - mail->chunk));
}

bool tool_mail_body(struct tool_mail *mail, struct am_span *chunk, struct am_problem *problem)
{
    struct am_span octets =
        am_span_of(am_buf_str(&mail->pushed) + mail->pushed_at, mail->pushed.len - mail->pushed_at);

    if (octets.len > BLOCK)
        octets.len = BLOCK;
    mail->pushed_at += octets.len;
    if (octets.len == 0) {
        if (!fill(mail, problem))
            return false;
        octets = mail->rest;
        mail->rest.len = 0;
    }
    *chunk = mail->notes.lf_ends ? with_crlf(mail, octets) : octets;
    note(mail, *chunk);
    if (chunk->len == 0 && mail->last == '\r')
        mail->notes.bare_cr = true;
    return true;
}

const struct tool_mail_notes *tool_mail_notes(const struct tool_mail *mail)
{
    return &mail->notes;
}

/* --- the file once more --- */

/* Copies up to `octets` of them. */
static bool copy(struct tool_mail *mail, int from, uint64_t octets, FILE *out,
                 struct am_problem *problem)
{
    while (octets > 0) {
        size_t room = octets < BLOCK ? (size_t)octets : BLOCK;
        ssize_t got = read_some(from, mail->block, room);

        if (got < 0)
            return fail(mail, problem);
        if (got == 0)
            return true;
        fwrite(mail->block, 1, (size_t)got, out);
        octets -= (uint64_t)got;
    }
    return true;
}

static bool is_changed(const struct tool_mail *mail)
{
    struct stat now;

    return fstat(mail->file, &now) != 0 || now.st_size != mail->opened.st_size ||
           now.st_mtim.tv_sec != mail->opened.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != mail->opened.st_mtim.tv_nsec;
}

bool tool_mail_copy(struct tool_mail *mail, struct am_span fields, FILE *out,
                    struct am_problem *problem)
{
    int from = mail->spool >= 0 ? mail->spool : mail->file;

    if (!mail->keep)
        return am_problem_set(problem, "%s: was not opened to be read twice", mail->name);
    if (mail->spool < 0 && is_changed(mail))
        return am_problem_set(problem, "%s: has changed while it was read", mail->name);
    if (lseek(from, mail->spool >= 0 ? 0 : mail->start, SEEK_SET) < 0)
        return fail(mail, problem);
    if (!copy(mail, from, mail->above, out, problem))
        return false;
    fwrite(fields.ptr, 1, fields.len, out);
    return copy(mail, from, UINT64_MAX, out, problem);
}
