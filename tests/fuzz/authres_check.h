#ifndef AUTHRES_CHECK_H
#define AUTHRES_CHECK_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authres/authres.h"

/* What has to hold of a header, however it was read. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(bool good)
{
    if (!good)
        abort();
}

/* Returns the header's text in one line where it can be, NULL when it cannot be written. */
static inline char *write_text(const struct ar_header *header)
{
    char *text;
    enum ar_status status = ar_header_format(header, NULL, &text, NULL);

    check(status == AR_OK || status == AR_TOO_LONG || ar_header_forgiven_count(header) > 0);
    return status == AR_OK ? text : NULL;
}

/* Two headers are written as the same text. */
static inline void check_same(const struct ar_header *a, const struct ar_header *b)
{
    char *first = write_text(a), *second = write_text(b);

    check((first == NULL) == (second == NULL));
    check(first == NULL || strcmp(first, second) == 0);
    ar_free(NULL, first);
    ar_free(NULL, second);
}

/* What is written is read by the strict reader, and written again as the same text. */
static inline void check_written(const struct ar_header *header)
{
    char *text = write_text(header);

    if (text == NULL)
        return;
    struct ar_header *again = ar_header_parse(NULL, text, strlen(text), NULL, NULL);
    check(again != NULL);
    check_same(header, again);
    ar_header_free(again);
    ar_free(NULL, text);
}

/* What is read as ours, trusted or not, the border would have removed. */
static inline void check_trust(const struct ar_header *header, const char *value, size_t size)
{
    static const char *const ids[] = {"mx.example.org", "xn--bcher-kva.example"};
    const struct ar_trust trust = {.ids = ids, .id_count = 2};
    struct ar_text id = ar_header_id(header);
    bool ours = ar_header_is_trusted(header, &trust);

    for (size_t i = 0; i < 2; i++)
        ours = ours || (id.ptr != NULL && ar_id_equal(id.ptr, id.len, ids[i], strlen(ids[i])));
    check(!ours || ar_claims_id(value, size, ids, 2));
}

/* The notes are ordered and few; `strict`: nothing but properties without registration. */
static inline bool forgiven(const struct ar_header *header, size_t size, bool strict)
{
    size_t count = ar_header_forgiven_count(header), last = 0;

    for (size_t i = 0; i < count; i++) {
        struct ar_forgiven one = ar_header_forgiven(header, i);
        if (one.offset < last || one.offset > size ||
            (strict && one.pardon != AR_PARDON_UNREGISTERED))
            return false;
        last = one.offset;
    }
    return count <= 2 * size + 2;
}

#endif
