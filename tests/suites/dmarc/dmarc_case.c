#include "tests/suites/dmarc/dmarc_case.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

struct dmarc_case_file {
    const char *path;
    FILE *stream;
    unsigned line;
    char *text; /* the title of the next case, when it was read already */
    size_t size;
    bool has_title;
};

static void die(const struct dmarc_case_file *file, const char *format, ...) AM_PRINTF(2, 3);

static void die(const struct dmarc_case_file *file, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s:%u: ", file->path, file->line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    exit(2);
}

struct dmarc_case_file *dmarc_case_file_open(const char *path)
{
    struct dmarc_case_file *file = calloc(1, sizeof(*file));

    if (file == NULL)
        exit(2);
    file->path = path;
    file->stream = fopen(path, "r");
    if (file->stream == NULL)
        die(file, "cannot be read");
    return file;
}

void dmarc_case_file_close(struct dmarc_case_file *file)
{
    fclose(file->stream);
    free(file->text);
    free(file);
}

/* Reads a line that says something, without its end. */
static char *next_line(struct dmarc_case_file *file)
{
    for (;;) {
        ssize_t len = getline(&file->text, &file->size, file->stream);

        if (len < 0)
            return NULL;
        file->line++;
        while (len > 0 && strchr("\r\n\t ", file->text[len - 1]) != NULL)
            file->text[--len] = '\0';
        if (len > 0 && file->text[0] != '#')
            return file->text;
    }
}

/* --- texts --- */

static void put_repeated(const struct dmarc_case_file *file, struct am_buf *out, const char **at)
{
    char *star;
    unsigned long times = strtoul(*at + 2, &star, 10);
    const char *end = strchr(star, '}');

    if (*star != '*' || end == NULL || times > 100000)
        die(file, "\\{N*TEXT} is meant");
    for (; times > 0; times--)
        am_buf_add(out, am_span_of(star + 1, (size_t)(end - star - 1)));
    *at = end + 1;
}

static const char *unescape(const struct dmarc_case_file *file, struct am_arena *arena,
                            const char *text)
{
    struct am_buf out = {0};
    unsigned octet;

    while (*text != '\0') {
        if (text[0] == '\\' && text[1] == '{') {
            put_repeated(file, &out, &text);
        } else if (text[0] == '\\' && text[1] == 'n') {
            am_buf_add_str(&out, "\n ");
            text += 2;
        } else if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &octet) == 1) {
            am_buf_add_char(&out, (char)octet);
            text += 4;
        } else {
            am_buf_add_char(&out, *text++);
        }
    }
    const char *copy = am_arena_copy(arena, am_buf_span(&out));
    am_buf_fini(&out);
    return copy;
}

/* A TXT record: character-strings of 200 octets, everything odd as \DDD. */
static void put_record(struct am_buf *zone, const char *domain, const char *text)
{
    char piece[8];

    am_buf_add_str(zone, "_dmarc.");
    am_buf_add_str(zone, domain);
    am_buf_add_str(zone, ". 60 IN TXT \"");
    for (size_t i = 0; text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];

        if (i > 0 && i % 200 == 0)
            am_buf_add_str(zone, "\" \"");
        if (am_is_alnum(c)) {
            am_buf_add_char(zone, (char)c);
        } else {
            snprintf(piece, sizeof(piece), "\\%03u", c);
            am_buf_add_str(zone, piece);
        }
    }
    am_buf_add_str(zone, "\"\n");
}

/* --- one case --- */

struct making {
    struct dmarc_case_file *file;
    struct am_arena *arena;
    struct dmarc_test_case *out;
    struct am_buf zone, config;
};

static void add(struct making *making, struct dmarc_case_list *list, const char *name,
                const char *value)
{
    if (list->count == DMARC_CASE_MAX)
        die(making->file, "too many lines of this kind");
    list->items[list->count++] =
        (struct dmarc_case_text){am_arena_copy(making->arena, am_span_str(name)), value};
}

/* Cuts the first word off; returns what stands behind it. */
static char *cut(char *text, const char *at)
{
    char *gap = strpbrk(text, at);

    if (gap == NULL)
        return text + strlen(text);
    *gap++ = '\0';
    return gap + strspn(gap, " ");
}

static void take_field(struct making *making, char *rest)
{
    char *value = cut(rest, ":");

    add(making, &making->out->fields, rest, unescape(making->file, making->arena, value));
}

static void take_line(struct making *making, char *word)
{
    char *rest = cut(word, " ");
    struct dmarc_test_case *out = making->out;
    struct am_arena *arena = making->arena;

    if (strcmp(word, "record") == 0) {
        const char *text = unescape(making->file, arena, cut(rest, " "));
        put_record(&making->zone, rest, text);
    } else if (strcmp(word, "name") == 0) {
        am_buf_add_str(&making->zone, rest);
        am_buf_add_str(&making->zone, ". 60 IN A 192.0.2.200\n");
    } else if (strcmp(word, "zone") == 0) {
        am_buf_add_str(&making->zone, rest);
        am_buf_add_char(&making->zone, '\n');
    } else if (strcmp(word, "config") == 0) {
        am_buf_add_str(&making->config, rest);
        am_buf_add_char(&making->config, '\n');
    } else if (strcmp(word, "client") == 0) {
        out->client = am_arena_copy(arena, am_span_str(rest));
    } else if (strcmp(word, "sender") == 0) {
        out->sender = am_arena_copy(arena, am_span_str(rest));
    } else if (strcmp(word, "spf") == 0 || strcmp(word, "dkim") == 0 ||
               strcmp(word, "spf-helo") == 0) {
        add(making, &out->results, word, am_arena_copy(arena, am_span_str(rest)));
    } else if (strcmp(word, "unchecked") == 0) {
        out->unchecked = true;
    } else if (strcmp(word, "from") == 0 || strcmp(word, "from-field") == 0) {
        add(making, &out->fields, "From", unescape(making->file, arena, rest));
    } else if (strcmp(word, "field") == 0) {
        take_field(making, rest);
    } else if (strcmp(word, "expect") == 0) {
        const char *more = am_arena_copy(arena, am_span_str(cut(rest, " ")));
        add(making, &out->expected, rest, more);
    } else {
        die(making->file, "\"%s\" begins no line that is known", word);
    }
}

bool dmarc_case_next(struct dmarc_case_file *file, struct am_arena *arena,
                     struct dmarc_test_case *out)
{
    struct making making = {.file = file, .arena = arena, .out = out};
    char *line = file->has_title ? file->text : next_line(file);

    if (line == NULL)
        return false;
    if (strncmp(line, "== ", 3) != 0)
        die(file, "a case begins with \"== title\"");
    *out = (struct dmarc_test_case){
        .title = am_arena_copy(arena, am_span_str(line + 3)),
        .line = file->line,
        .client = "192.0.2.1",
        .sender = "<bounce@elsewhere.example>",
    };
    file->has_title = false;
    while (!file->has_title && (line = next_line(file)) != NULL) {
        file->has_title = strncmp(line, "== ", 3) == 0;
        if (!file->has_title)
            take_line(&making, line);
    }
    if (out->expected.count == 0)
        die(file, "\"%s\" expects nothing", out->title);
    out->zone = am_arena_copy(arena, am_buf_span(&making.zone));
    out->config = am_arena_copy(arena, am_buf_span(&making.config));
    am_buf_fini(&making.zone);
    am_buf_fini(&making.config);
    return true;
}
