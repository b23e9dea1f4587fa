#include <string.h>

#include "authres/ar_internal.h"

/* Tells whether something was forgiven that may be a version we do not know. */
static bool is_doubtful(const struct ar_header *header)
{
    for (size_t i = 0; i < header->forgiven_count; i++)
        if (header->forgiven[i].pardon == AR_PARDON_VERSION)
            return true;
    return false;
}

bool ar_header_is_trusted(const struct ar_header *header, const struct ar_trust *trust)
{
    struct ar_text id = header->id;

    if (id.ptr == NULL || header->arc || !ar_version_known(header->version) || is_doubtful(header))
        return false;
    for (size_t i = 0; i < trust->id_count; i++)
        if (ar_id_equal(id.ptr, id.len, trust->ids[i], strlen(trust->ids[i])))
            return true;
    return false;
}

/* Returns the next result of one header; `*next` steps behind it, or to the end. */
static const struct ar_result *next_result(const struct ar_header *header, const char *method,
                                           size_t *next)
{
    const struct ar_result *result;

    while ((result = ar_header_result(header, *next)) != NULL) {
        ++*next;
        if (ar_version_known(result->method_version) &&
            (method == NULL || ar_result_is(result, method, NULL)))
            return result;
    }
    return NULL;
}

const struct ar_result *ar_trusted_next(const struct ar_header *const *headers, size_t count,
                                        const struct ar_trust *trust, const char *method,
                                        struct ar_cursor *cursor)
{
    for (; cursor->header < count; cursor->header++, cursor->result = 0) {
        const struct ar_header *header = headers[cursor->header];
        /* Looked at once for each header, however many results it has. */
        bool entered = cursor->result > 0;
        if (header != NULL && (entered || ar_header_is_trusted(header, trust))) {
            const struct ar_result *result = next_result(header, method, &cursor->result);
            if (result != NULL)
                return result;
        } else if (trust->top_only) {
            return NULL;
        }
    }
    return NULL;
}
