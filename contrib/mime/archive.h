#ifndef CONTRIB_MIME_ARCHIVE_H
#define CONTRIB_MIME_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The names in an archive in memory: ZIP, 7z, RAR, tar, CAB, ISO 9660, LHA, ar, and what gzip,
 * bzip2, xz, lzma, zstd, lz4 or lzip made of such, or of a file; what compress(1) made begins as an
 * archive and cannot be read. No file is written and no program is started. Each entry is unpacked
 * into nothing to count its octets, so that no archive costs more than the budget. Threads: any;
 * one at a time for a budget.
 */

/* What may be spent, for an archive and all archives in it; counted down. */
struct am_archive_budget {
    size_t entries;
    size_t bytes; /* unpacked */
    size_t ratio; /* unpacked octets for each of the archive's, beyond the first MiB; 0: any */
    /* Tells whether there is time left; NULL: there is. */
    bool (*goes_on)(void *user);
    void *user;
};

enum am_archive_outcome {
    AM_ARCHIVE_READ,      /* every name was seen */
    AM_ARCHIVE_ENCRYPTED, /* names are hidden */
    AM_ARCHIVE_BROKEN,    /* it begins as an archive and cannot be read to its end */
    AM_ARCHIVE_BEYOND,    /* it costs more than the budget */
    AM_ARCHIVE_STOPPED,   /* the taker wanted no more */
};

/* One entry of an archive, during the call only. */
struct am_archive_entry {
    struct am_span name;
    struct am_span head;    /* its first octets, at most 512; empty when it is encrypted */
    struct am_span content; /* all of it, if it is an archive itself; empty otherwise */
    bool is_archive;        /* by its content; `content` is empty if it did not fit the budget */
    bool is_file;           /* what was compressed is no archive but a file, and has no name */
    bool is_encrypted;
};

/* Who gets the entries: called for each; false ends the reading. */
struct am_archive_taker {
    bool (*take)(void *user, const struct am_archive_entry *entry);
    void *user;
};

/* Tells by its first octets whether a file is an archive that can be looked into. */
bool am_archive_is(struct am_span head);

/*
 * Reads an archive.
 *
 * nested: keep the content of archives within, in memory.
 * Returns: how far that came. Never blocks.
 */
enum am_archive_outcome am_archive_list(struct am_span file, struct am_archive_budget *budget,
                                        bool nested, const struct am_archive_taker *taker);

#endif
