#include <stdint.h>

#include "tests/fuzz/authres_check.h"

/* What can be read can be written, and reads back as the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *value = (const char *)data;
    struct ar_parse_options options = {.kind = (enum ar_kind)(size % 3)};
    struct ar_parse_error error;
    struct ar_header *header = ar_header_parse(NULL, value, size, &options, &error);

    if (header != NULL) {
        check(ar_header_forgiven_count(header) == 0);
        check_written(header);
        check_trust(header, value, size);
    } else
        check(error.status == AR_SYNTAX && error.offset <= size && error.expected != NULL);
    ar_header_free(header);
    return 0;
}
