#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "authmilter/ar_input.h"
#include "authmilter/ar_json.h"
#include "authmilter/cmd_ar.h"
#include "authmilter/command.h"

enum { OPTION_STRICT = 256, OPTION_LENIENT };

static const struct option options[] = {
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"lenient", no_argument, NULL, OPTION_LENIENT},
    {NULL, 0, NULL, 0},
};

static int print_header(const struct ar_header *header, size_t value_offset)
{
    json_t *object = ar_json_write(header, value_offset);
    bool done = object != NULL && json_dumpf(object, stdout, JSON_COMPACT) == 0;

    json_decref(object);
    if (done)
        putchar('\n');
    /* What standard output did not take is seen when it is flushed. */
    return done || ferror(stdout) ? 0 : AM_EXIT_UNAVAILABLE;
}

/* Returns the exit status that the field alone would give. */
static int print_field(const struct ar_source *source, const struct ar_field *field, bool lenient)
{
    struct ar_parse_error error;
    struct ar_parse_options how = {.lenient = lenient};
    size_t value = 0;

    if (field->too_long) {
        ar_complain(source, field->line, "field %zu: octet %d: expected the end of the field",
                    field->number, AR_PARSE_MAX);
        return AR_EXIT_REFUSED;
    }
    how.kind = ar_field_kind(field->text.ptr, field->text.len, &value);
    struct ar_header *header =
        ar_header_parse(NULL, field->text.ptr + value, field->text.len - value, &how, &error);
    if (header == NULL && error.status == AR_NO_MEMORY)
        return AM_EXIT_UNAVAILABLE;
    if (header == NULL) {
        ar_complain(source, field->line, "field %zu: octet %zu: expected %s", field->number,
                    value + error.offset, error.expected);
        return AR_EXIT_REFUSED;
    }
    int status = print_header(header, value);
    ar_header_free(header);
    return status;
}

static int print_fields(const struct ar_source *source, struct ar_input *input, bool lenient)
{
    struct ar_field field;
    enum ar_input_status got = AR_INPUT_END;
    int status = 0;

    while (status != AM_EXIT_UNAVAILABLE &&
           (got = ar_input_next(input, &field)) == AR_INPUT_FIELD) {
        int of_field = print_field(source, &field, lenient);
        if (of_field != 0)
            status = of_field;
    }
    if (got == AR_INPUT_UNREADABLE) {
        ar_complain(source, 0, "%s", strerror(errno));
        return AM_EXIT_UNAVAILABLE;
    }
    if (status == AM_EXIT_UNAVAILABLE || got == AR_INPUT_NO_MEMORY) {
        ar_complain(source, 0, "%s", ar_status_text(AR_NO_MEMORY));
        return AM_EXIT_UNAVAILABLE;
    }
    if (input->fields > 0)
        return status;
    ar_complain(source, 0, "no Authentication-Results or ARC-Authentication-Results field %s",
                input->ended ? "before the empty line that ends the header" : "in it");
    return AR_EXIT_REFUSED;
}

int ar_parse_run(int argc, char **argv)
{
    struct ar_source source;
    struct ar_input input;
    bool lenient = false;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return ar_wrong_usage("wrong usage");
        lenient = option == OPTION_LENIENT;
    }
    int status = ar_source_open(&source, argc, argv);
    if (status != 0)
        return status;
    ar_input_init(&input, source.file);
    status = print_fields(&source, &input, lenient);
    ar_input_fini(&input);
    return ar_source_close(&source, status);
}
