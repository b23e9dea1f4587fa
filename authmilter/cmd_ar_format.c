#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/ar_json.h"
#include "authmilter/ar_json_stream.h"
#include "authmilter/cmd_ar.h"
#include "authmilter/command.h"
#include "common/base/span.h"

enum { OPTION_WIDTH = 256, OPTION_CRLF, OPTION_NO_NAME, OPTION_UTF8 };

static const struct option options[] = {
    {"width", required_argument, NULL, OPTION_WIDTH},
    {"crlf", no_argument, NULL, OPTION_CRLF},
    {"no-name", no_argument, NULL, OPTION_NO_NAME},
    {"utf8", no_argument, NULL, OPTION_UTF8},
    {NULL, 0, NULL, 0},
};

struct layout {
    size_t width;
    const char *newline;
    bool name, utf8;
};

static bool read_width(const char *text, size_t *width)
{
    char *end;

    if (!am_is_digit((unsigned char)*text))
        return false;
    errno = 0;
    *width = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *width >= 1 && *width <= AR_LINE_MAX;
}

/* Returns 0 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct layout *layout)
{
    int option;

    *layout = (struct layout){.width = 78, .newline = "\n", .name = true};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_WIDTH && !read_width(optarg, &layout->width))
            return ar_wrong_usage("--width takes a number from 1 to 998");
        if (option == OPTION_CRLF)
            layout->newline = "\r\n";
        else if (option == OPTION_NO_NAME)
            layout->name = false;
        else if (option == OPTION_UTF8)
            layout->utf8 = true;
        else if (option == '?')
            return ar_wrong_usage("wrong usage");
    }
    return 0;
}

static enum ar_status print_header(const struct ar_header *header, const struct layout *layout)
{
    const char *name = "";
    char *value;

    if (layout->name)
        name = ar_header_instance(header) > 0 ? "ARC-Authentication-Results: "
                                              : "Authentication-Results: ";
    const struct ar_format format = {
        .newline = layout->newline, .width = layout->width, .name_len = strlen(name)};
    enum ar_status status = ar_header_format(header, &format, &value, NULL);
    if (status != AR_OK)
        return status;
    printf("%s%s%s", name, value, layout->newline);
    ar_free(NULL, value);
    return AR_OK;
}

static enum ar_status print_object(json_t *object, const struct layout *layout,
                                   struct am_problem *problem)
{
    struct ar_header *header;
    enum ar_status status = ar_json_read(object, layout->utf8, &header, problem);

    if (status != AR_OK)
        return status;
    status = print_header(header, layout);
    ar_header_free(header);
    if (status == AR_TOO_LONG)
        am_problem_set(problem, "a word without blanks makes a line longer than %d octets",
                       AR_LINE_MAX);
    else
        am_problem_set(problem, "%s", ar_status_text(status));
    return status;
}

/* Returns the exit status that the next object alone would give. */
static int print_next(const struct ar_source *source, struct ar_json_stream *stream,
                      const struct layout *layout, bool *more)
{
    struct am_problem problem;
    json_t *object;
    enum ar_json_status got = ar_json_stream_next(stream, &object, &problem);
    enum ar_status status = AR_OK;

    *more = got == AR_JSON_OBJECT;
    if (got == AR_JSON_END)
        return 0;
    if (got == AR_JSON_OBJECT) {
        status = print_object(object, layout, &problem);
        json_decref(object);
    }
    if (got == AR_JSON_UNREADABLE) {
        ar_complain(source, 0, "%s", strerror(errno));
        return AM_EXIT_UNAVAILABLE;
    }
    if (got == AR_JSON_NO_MEMORY || status == AR_NO_MEMORY) {
        ar_complain(source, 0, "%s", ar_status_text(AR_NO_MEMORY));
        return AM_EXIT_UNAVAILABLE;
    }
    if (got == AR_JSON_OBJECT && status == AR_OK)
        return 0;
    ar_complain(source, *more ? stream->object_line : stream->line, "object %zu: %s",
                stream->objects, problem.text);
    return AR_EXIT_REFUSED;
}

static int print_objects(const struct ar_source *source, const struct layout *layout)
{
    struct ar_json_stream stream;
    bool more = true;
    int status = 0;

    ar_json_stream_init(&stream, source->file, AR_JSON_MAX);
    while (more && status != AM_EXIT_UNAVAILABLE) {
        int of_object = print_next(source, &stream, layout, &more);
        if (of_object != 0)
            status = of_object;
    }
    if (stream.objects > 0 || status != 0)
        return status;
    ar_complain(source, 0, "no JSON object in it");
    return AR_EXIT_REFUSED;
}

int ar_format_run(int argc, char **argv)
{
    struct ar_source source;
    struct layout layout;
    int status = read_options(argc, argv, &layout);

    if (status == 0)
        status = ar_source_open(&source, argc, argv);
    if (status != 0)
        return status;
    return ar_source_close(&source, print_objects(&source, &layout));
}
