#ifndef DMARC_FLAT_H
#define DMARC_FLAT_H

#include "common/base/arena.h"
#include "dmarc-milter/dmarc_row.h"

/*
 * A row as stores keep it: a time and texts, one for each column of a table or field of a stream.
 * What strangers wrote is made harmless on its way in: control characters and octets that are no
 * UTF-8 become '?', and a text that is longer than its column ends in "[...]" (of rua, the URIs
 * that do not fit are left out).
 */

enum dmarc_flat_column {
    DMARC_FLAT_POLICY_DOMAIN,
    DMARC_FLAT_P,
    DMARC_FLAT_SP,
    DMARC_FLAT_NP,
    DMARC_FLAT_ADKIM,
    DMARC_FLAT_ASPF,
    DMARC_FLAT_FO,
    DMARC_FLAT_TESTING,
    DMARC_FLAT_RUA,
    DMARC_FLAT_SOURCE_IP,
    DMARC_FLAT_DISPOSITION,
    DMARC_FLAT_DKIM,
    DMARC_FLAT_SPF,
    DMARC_FLAT_HEADER_FROM,
    DMARC_FLAT_ENVELOPE_FROM,
    DMARC_FLAT_SPF_DOMAIN,
    DMARC_FLAT_SPF_SCOPE,
    DMARC_FLAT_SPF_RESULT,
    DMARC_FLAT_REASONS,    /* of each: type, tab, comment, line feed */
    DMARC_FLAT_SIGNATURES, /* of each: domain, tab, selector, tab, result, line feed */
    DMARC_FLAT_COLUMNS,
};

/* Longest name of a row, with its NUL. */
#define DMARC_FLAT_UID_MAX 48

struct dmarc_flat {
    int64_t time_s;
    char uid[DMARC_FLAT_UID_MAX]; /* names the row wherever it goes; "" = it has no name yet */
    const char *text[DMARC_FLAT_COLUMNS]; /* never NULL */
};

/* Returns the name of a column, of letters and "_". */
const char *dmarc_flat_name(enum dmarc_flat_column column);

/* Copies a row into one block. Returns NULL when memory is short. Ownership: free(). Threads: any.
 */
struct dmarc_flat *dmarc_flat_new(const struct dmarc_row *row) AM_MUST_USE;

/*
 * The same from texts as they came out of a store, which others may have written to; NULL is "".
 * Returns NULL when memory is short. Ownership: free().
 */
struct dmarc_flat *dmarc_flat_of(int64_t time_s, const char *uid,
                                 const char *const text[DMARC_FLAT_COLUMNS]) AM_MUST_USE;

/*
 * Makes the row again. Returns false when memory is short. Ownership: the row's texts live as long
 * as `flat` and `arena`.
 */
bool dmarc_flat_row(const struct dmarc_flat *flat, struct am_arena *arena,
                    struct dmarc_row *row) AM_MUST_USE;

#endif
