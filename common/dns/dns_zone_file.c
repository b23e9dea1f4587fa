#include "common/dns/dns_zone_file.h"

#include <string.h>

#include "common/base/buf.h"

/* Where the reader of a file stands. */
struct scan {
    const char *at;
    unsigned line;      /* counted from 1 */
    unsigned depth;     /* of parentheses */
    struct am_buf text; /* the record so far: one line, without comments and parentheses */
};

/* Skips a comment up to its line end; keeps it when it is a directive of ours that stands alone. */
static struct am_span skip_comment(struct scan *scan)
{
    const char *start = scan->at;

    scan->at += strcspn(scan->at, "\n");
    return am_span_of(start, (size_t)(scan->at - start));
}

/* Copies "quoted text", escapes untouched. Returns false when the quote does not end. */
static bool copy_quoted(struct scan *scan)
{
    am_buf_add_char(&scan->text, *scan->at++);
    while (*scan->at != '"') {
        if (*scan->at == '\\' && scan->at[1] != '\0' && scan->at[1] != '\n')
            am_buf_add_char(&scan->text, *scan->at++);
        if (*scan->at == '\0' || *scan->at == '\n')
            return false;
        am_buf_add_char(&scan->text, *scan->at++);
    }
    am_buf_add_char(&scan->text, *scan->at++);
    return true;
}

static bool step(struct scan *scan, struct am_problem *problem)
{
    switch (*scan->at) {
    case '"':
        if (!copy_quoted(scan))
            return am_problem_set(problem, "a quoted text does not end on its line");
        return true;
    case '(':
        scan->depth++;
        break;
    case ')':
        if (scan->depth == 0)
            return am_problem_set(problem, "a closing parenthesis without an opening one");
        scan->depth--;
        break;
    case '\r':
        break;
    case '\n':
        scan->line++;
        break;
    case '\\':
        am_buf_add_char(&scan->text, *scan->at++);
        if (*scan->at == '\0' || *scan->at == '\n')
            return true;
        am_buf_add_char(&scan->text, *scan->at++);
        return true;
    default:
        am_buf_add_char(&scan->text, *scan->at++);
        return true;
    }
    am_buf_add_char(&scan->text, ' ');
    scan->at++;
    return true;
}

/* Reads one record, over several lines when parentheses ask for it. */
static bool read_line(struct scan *scan, struct am_span *comment, struct am_problem *problem)
{
    am_buf_clear(&scan->text);
    *comment = am_span_of(NULL, 0);
    while (*scan->at != '\0') {
        if (*scan->at == ';') {
            *comment = skip_comment(scan);
        } else if (*scan->at == '\n' && scan->depth == 0) {
            scan->at++;
            break;
        } else if (!step(scan, problem)) {
            return false;
        }
    }
    if (scan->depth > 0)
        return am_problem_set(problem, "an opening parenthesis without a closing one");
    if (scan->text.failed)
        return am_problem_set(problem, "the record is too long or memory is short");
    return true;
}

static bool hand_over(const struct scan *scan, struct am_span comment,
                      const struct am_dns_zone_sink *sink, struct am_problem *problem)
{
    struct am_span text = am_buf_span(&scan->text);
    struct am_span bare = am_span_trim(text);

    if (bare.len == 0) {
        if (comment.len > 2 && comment.ptr[1] == '!')
            return sink->directive(
                sink->context, am_span_trim(am_span_of(comment.ptr + 2, comment.len - 2)), problem);
        return true;
    }
    if (*bare.ptr == '$')
        return sink->directive(sink->context, bare, problem);
    return sink->record(sink->context, am_buf_str(&scan->text), problem);
}

bool am_dns_zone_file_read(const char *text, const char *name, const struct am_dns_zone_sink *sink,
                           struct am_problem *problem)
{
    struct scan scan = {.at = text, .line = 1};
    struct am_problem reason;
    bool ok = true;

    am_buf_init(&scan.text, 1u << 20);
    while (ok && *scan.at != '\0') {
        unsigned line = scan.line;
        struct am_span comment;
        ok = read_line(&scan, &comment, &reason) && hand_over(&scan, comment, sink, &reason);
        if (!ok)
            am_problem_set(problem, "%s, line %u: %s", name, line, reason.text);
        scan.line++;
    }
    am_buf_fini(&scan.text);
    return ok;
}
