#include "authmilter/ar_json_stream.h"

void ar_json_stream_init(struct ar_json_stream *stream, FILE *file, size_t max)
{
    *stream = (struct ar_json_stream){.file = file, .line = 1, .max = max};
}

static int read_octet(struct ar_json_stream *stream)
{
    int c = getc(stream->file);

    if (c == EOF)
        return EOF;
    stream->line += stream->new_line;
    stream->new_line = c == '\n';
    return c;
}

/* Gives one octet at a time, so that nothing of the next object is taken. */
static size_t give(void *buffer, size_t size, void *user)
{
    struct ar_json_stream *stream = user;

    if (size == 0 || stream->object_len == stream->max)
        return 0;
    int c = read_octet(stream);
    if (c == EOF)
        return 0;
    stream->object_len++;
    *(char *)buffer = (char)c;
    return 1;
}

/* Passes the byte order mark of UTF-8, which some editors write (RFC 8259 section 8.1). */
static void pass_mark(struct ar_json_stream *stream)
{
    int c = getc(stream->file);

    /* No JSON begins with this octet: what is passed for nothing is malformed anyway. */
    if (c == 0xef && getc(stream->file) == 0xbb)
        c = getc(stream->file) == 0xbf ? getc(stream->file) : 0xef;
    if (c != EOF)
        ungetc(c, stream->file);
}

/* Returns whether another object begins. */
static bool pass_blanks(struct ar_json_stream *stream)
{
    int c;

    while ((c = read_octet(stream)) == ' ' || c == '\t' || c == '\r' || c == '\n')
        ;
    if (c == EOF)
        return false;
    ungetc(c, stream->file);
    return true;
}

enum ar_json_status ar_json_stream_next(struct ar_json_stream *stream, json_t **out,
                                        struct am_problem *problem)
{
    const size_t flags = JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_error_t error;

    if (stream->objects == 0)
        pass_mark(stream);
    if (!pass_blanks(stream))
        return ferror(stream->file) ? AR_JSON_UNREADABLE : AR_JSON_END;
    stream->objects++;
    stream->object_line = stream->line;
    stream->object_len = 0;
    *out = json_load_callback(give, stream, flags, &error);
    if (*out != NULL)
        return AR_JSON_OBJECT;
    if (ferror(stream->file))
        return AR_JSON_UNREADABLE;
    if (json_error_code(&error) == json_error_out_of_memory)
        return AR_JSON_NO_MEMORY;
    if (stream->object_len == stream->max)
        am_problem_set(problem, "longer than %zu octets", stream->max);
    else
        am_problem_set(problem, "no JSON: %s", error.text);
    return AR_JSON_MALFORMED;
}
