#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authres/authres.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be read can be written, and reads back as the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = {"mx.example.org", "xn--bcher-kva.example"};
    char *first, *second;

    ar_claims_id((const char *)data, size, ids, 2);
    struct ar_header *header = ar_header_parse(NULL, (const char *)data, size, NULL, NULL);
    if (header != NULL && ar_header_format(header, NULL, &first, NULL) == AR_OK) {
        struct ar_header *again = ar_header_parse(NULL, first, strlen(first), NULL, NULL);
        if (again == NULL || ar_header_format(again, NULL, &second, NULL) != AR_OK ||
            strcmp(first, second) != 0)
            abort();
        ar_free(NULL, first);
        ar_free(NULL, second);
        ar_header_free(again);
    }
    ar_header_free(header);
    return 0;
}
