/* The only file that knows libarchive. */
#include "contrib/mime/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "contrib/mime/seven.h"

enum { HEAD = 512, LISTED = 100 /* octets of a 7z's list for each entry of the budget */ };

#define FREE_BYTES ((size_t)1 << 20) /* that no ratio is asked of */

/* How a file begins. What is compressed has a filter of libarchive. */
struct mark {
    size_t offset;
    const char *octets;
    size_t len;
    int filter;
};

static const struct mark *mark_of(struct am_span head)
{
    static const struct mark marks[] = {
        {0, "PK\x03\x04", 4, 0},
        {0, "PK\x05\x06", 4, 0},
        {0, "PK\x07\x08", 4, 0},
        {0, "7z\xBC\xAF\x27\x1C", 6, 0},
        {0, "Rar!\x1A\x07", 6, 0},
        {0, "MSCF\0\0\0\0", 8, 0},
        {0, "\x1F\x8B\x08", 3, ARCHIVE_FILTER_GZIP},
        {0, "\x1F\x9D", 2, 0}, /* compress: append_filter would read before there is a file */
        {4, "1AY&SY", 6, ARCHIVE_FILTER_BZIP2},
        {0,
         "\xFD"
         "7zXZ\0",
         6, ARCHIVE_FILTER_XZ},
        {0, "\x5D\0\0\x80\0", 5, ARCHIVE_FILTER_LZMA},
        {0, "\x28\xB5\x2F\xFD", 4, ARCHIVE_FILTER_ZSTD},
        {0, "\x04\x22\x4D\x18", 4, ARCHIVE_FILTER_LZ4},
        {0, "LZIP\x01", 5, ARCHIVE_FILTER_LZIP},
        {0, "!<arch>\n", 8, 0},
        {257, "ustar", 5, 0},
        {32769, "CD001", 5, 0},
        {2, "-lh", 3, 0}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (head.len >= marks[i].offset + marks[i].len &&
            memcmp(head.ptr + marks[i].offset, marks[i].octets, marks[i].len) == 0)
            return marks[i].octets[0] != '-' || (head.len > 6 && head.ptr[6] == '-') ? &marks[i]
                                                                                     : NULL;
    }
    return NULL;
}

bool am_archive_is(struct am_span head)
{
    return mark_of(head) != NULL;
}

/* --- the file, piece by piece --- */

/*
 * A filter may make much of little and give back nothing of it: compressed files of no octets, one
 * behind the other, compressed. Nobody counts these, so the clock is looked at for every piece.
 */
enum { PIECE = 16384 };

struct source {
    struct am_span file;
    size_t at;
    const struct am_archive_budget *budget;
    bool late; /* it ended for want of time */
};

static la_ssize_t read_piece(struct archive *archive, void *user, const void **piece)
{
    struct source *source = user;
    size_t left = source->file.len - source->at, len = left < PIECE ? left : PIECE;
    if (source->budget->goes_on != NULL && !source->budget->goes_on(source->budget->user)) {
        source->late = true;
        archive_set_error(archive, ETIMEDOUT, "there is no time left");
        return ARCHIVE_FATAL;
    }
    *piece = source->file.ptr + source->at;
    source->at += len;
    return (la_ssize_t)len;
}

static la_int64_t skip_pieces(struct archive *archive, void *user, la_int64_t wanted)
{
    struct source *source = user;
    la_int64_t left = (la_int64_t)(source->file.len - source->at);
    la_int64_t len = wanted < left ? wanted : left;
    (void)archive;
    source->at += (size_t)len;
    return len;
}

static la_int64_t seek_piece(struct archive *archive, void *user, la_int64_t offset, int whence)
{
    struct source *source = user;
    la_int64_t len = (la_int64_t)source->file.len, from = 0;
    (void)archive;
    if (whence != SEEK_SET)
        from = whence == SEEK_END ? len : (la_int64_t)source->at;
    if (offset < -from)
        offset = -from;
    if (offset > len - from)
        offset = len - from;
    source->at = (size_t)(from + offset);
    return from + offset;
}

/* Not all that libarchive has: some start programs, some take any text for an archive. */
static struct archive *make_reader(struct am_span file, int filter, bool any_file)
{
    static int (*const supports[])(struct archive *) = {
        archive_read_support_format_zip,  archive_read_support_format_rar,
        archive_read_support_format_rar5, archive_read_support_format_tar,
        archive_read_support_format_cab,  archive_read_support_format_iso9660,
        archive_read_support_format_lha,  archive_read_support_format_ar,
        archive_read_support_format_empty};
    struct archive *archive = archive_read_new();
    for (size_t i = 0; archive != NULL && i < sizeof(supports) / sizeof(supports[0]); i++)
        supports[i](archive);
    /* The reader for 7z also finds one within a program, where nobody has judged its list. */
    if (archive != NULL && am_seven_judge(file, SIZE_MAX) != AM_SEVEN_NONE)
        archive_read_support_format_7zip(archive);
    if (archive != NULL && any_file)
        archive_read_support_format_raw(archive);
    /* One filter, and not all that could be found one behind the other. */
    if (archive != NULL && filter != 0)
        (void)archive_read_append_filter(archive, filter);
    return archive;
}

static struct archive *try_open(struct source *source, int filter, bool any_file)
{
    struct archive *archive = make_reader(source->file, filter, any_file);
    source->at = 0;
    if (archive == NULL)
        return NULL;
    archive_read_set_read_callback(archive, read_piece);
    archive_read_set_skip_callback(archive, skip_pieces);
    archive_read_set_seek_callback(archive, seek_piece);
    archive_read_set_callback_data(archive, source);
    /* What cannot be unpacked is no empty archive. */
    if (archive_read_open1(archive) == ARCHIVE_OK && (filter == 0 || archive_errno(archive) == 0))
        return archive;
    archive_read_free(archive);
    return NULL;
}

/* What is compressed but no archive is a file: gzip alone, say. */
static struct archive *open_archive(struct source *source, bool *is_file)
{
    const struct mark *mark = mark_of(source->file);
    int filter = mark == NULL ? 0 : mark->filter;
    struct archive *archive = try_open(source, filter, false);
    *is_file = archive == NULL && filter != 0;
    return *is_file ? try_open(source, filter, true) : archive;
}

struct reading {
    struct archive *archive;
    bool is_file; /* it is read as a compressed file */
    struct am_archive_budget *budget;
    size_t most;     /* octets that this archive may unpack to */
    size_t unpacked; /* so far */
    bool nested;
    struct am_buf data; /* the head of an entry, or all of it */
};

static bool spend(struct reading *reading, size_t len)
{
    struct am_archive_budget *budget = reading->budget;
    if (len > budget->bytes || len > reading->most - reading->unpacked ||
        (budget->goes_on != NULL && !budget->goes_on(budget->user)))
        return false;
    budget->bytes -= len;
    reading->unpacked += len;
    return true;
}

/* Keeps the beginning, and all if that is the beginning of an archive. */
static void keep(struct reading *reading, const void *block, size_t len)
{
    struct am_buf *data = &reading->data;
    size_t room = data->len < HEAD ? HEAD - data->len : 0;
    if (reading->nested && data->len + len > HEAD && am_archive_is(am_buf_span(data)))
        room = len;
    am_buf_add(data, am_span_of(block, len < room ? len : room));
    if (reading->nested && room < len && data->len == HEAD && am_archive_is(am_buf_span(data)))
        am_buf_add(data, am_span_of((const char *)block + room, len - room));
}

/* Unpacks an entry into nothing. Returns an error of libarchive, or ARCHIVE_OK; `beyond`: it costs
 * too much. */
static int drain(struct reading *reading, bool *beyond)
{
    enum { IDLE_MAX = 1000 };
    const void *block = NULL;
    size_t len = 0;
    la_int64_t offset;
    int status, idle = 0;
    am_buf_clear(&reading->data);
    while ((status = archive_read_data_block(reading->archive, &block, &len, &offset)) >=
               ARCHIVE_WARN &&
           status != ARCHIVE_EOF) {
        if (status != ARCHIVE_OK)
            len = 0;
        if (len == 0 && ++idle > IDLE_MAX)
            return ARCHIVE_FATAL;
        if (!spend(reading, len)) {
            *beyond = true;
            return ARCHIVE_OK;
        }
        if (len > 0)
            keep(reading, block, len);
    }
    return status == ARCHIVE_EOF ? ARCHIVE_OK : status;
}

static struct am_span name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);
    return am_span_str(name != NULL ? name : archive_entry_pathname(entry));
}

/* The outcome of a header that could not be read. */
static enum am_archive_outcome bad_header(const struct reading *reading)
{
    return archive_read_has_encrypted_entries(reading->archive) == 1 ? AM_ARCHIVE_ENCRYPTED
                                                                     : AM_ARCHIVE_BROKEN;
}

static enum am_archive_outcome read_all(struct reading *reading,
                                        const struct am_archive_taker *taker)
{
    struct archive_entry *header;
    int status;
    while ((status = archive_read_next_header(reading->archive, &header)) != ARCHIVE_EOF) {
        bool beyond = false;
        if (status < ARCHIVE_WARN)
            return bad_header(reading);
        if (reading->budget->entries == 0 || !spend(reading, 0))
            return AM_ARCHIVE_BEYOND;
        reading->budget->entries--;
        struct am_archive_entry entry = {
            .name = name_of(header), .is_encrypted = archive_entry_is_data_encrypted(header) > 0};
        if (entry.name.len == 0)
            return AM_ARCHIVE_BROKEN;
        entry.is_file = reading->is_file;
        int drained = drain(reading, &beyond);
        struct am_span data = am_buf_span(&reading->data);
        entry.head = am_span_of(data.ptr, data.len < HEAD ? data.len : HEAD);
        entry.is_archive = am_archive_is(entry.head);
        if (entry.is_archive && reading->nested && !reading->data.failed && !beyond)
            entry.content = data;
        if (!taker->take(taker->user, &entry))
            return AM_ARCHIVE_STOPPED;
        if (beyond || reading->data.failed)
            return AM_ARCHIVE_BEYOND;
        /* What is encrypted cannot be unpacked, which says nothing against the other entries. */
        if (drained == ARCHIVE_FATAL || (drained != ARCHIVE_OK && !entry.is_encrypted))
            return entry.is_encrypted ? AM_ARCHIVE_ENCRYPTED : AM_ARCHIVE_BROKEN;
    }
    return AM_ARCHIVE_READ;
}

static locale_t utf8;

static void make_locale(void)
{
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static void restore(locale_t former)
{
    if (former != (locale_t)0)
        uselocale(former);
}

static enum am_archive_outcome list(struct am_span file, struct am_archive_budget *budget,
                                    bool nested, const struct am_archive_taker *taker)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct source source = {.file = file, .budget = budget};
    struct reading reading = {.budget = budget, .nested = nested, .most = SIZE_MAX};
    pthread_once(&once, make_locale);
    /* libarchive turns the names of some formats into those of the locale. */
    locale_t former = utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);
    reading.archive = open_archive(&source, &reading.is_file);
    if (reading.archive == NULL) {
        restore(former);
        return source.late ? AM_ARCHIVE_BEYOND : AM_ARCHIVE_BROKEN;
    }
    if (budget->ratio > 0 && file.len < (SIZE_MAX - FREE_BYTES) / budget->ratio)
        reading.most = FREE_BYTES + file.len * budget->ratio;
    am_buf_init(&reading.data, 0);
    enum am_archive_outcome outcome = read_all(&reading, taker);
    if (source.late && outcome != AM_ARCHIVE_STOPPED)
        outcome = AM_ARCHIVE_BEYOND;
    am_buf_fini(&reading.data);
    archive_read_free(reading.archive);
    restore(former);
    return outcome;
}

enum am_archive_outcome am_archive_list(struct am_span file, struct am_archive_budget *budget,
                                        bool nested, const struct am_archive_taker *taker)
{
    switch (am_seven_judge(file, LISTED * budget->entries)) {
    case AM_SEVEN_ENCRYPTED:
        return AM_ARCHIVE_ENCRYPTED;
    case AM_SEVEN_BEYOND:
        return AM_ARCHIVE_BEYOND;
    default:
        return list(file, budget, nested, taker);
    }
}
