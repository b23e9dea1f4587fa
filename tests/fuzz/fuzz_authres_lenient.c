#include <stdint.h>

#include "tests/fuzz/authres_check.h"

/* Reads leniently: what it takes is ordered, bounded, writable, and what strict reads as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *value = (const char *)data;
    struct ar_parse_options options = {.kind = (enum ar_kind)(size % 3), .lenient = true};
    struct ar_header *header = ar_header_parse(NULL, value, size, &options, NULL);

    options.lenient = false;
    struct ar_header *strict = ar_header_parse(NULL, value, size, &options, NULL);
    if (strict != NULL) {
        check(header != NULL && forgiven(header, size, true));
        check_same(strict, header);
    }
    if (header != NULL) {
        check(forgiven(header, size, false));
        check_written(header);
        check_trust(header, value, size);
    }
    ar_header_free(strict);
    ar_header_free(header);
    return 0;
}
