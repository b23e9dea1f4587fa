#include "contrib/mime/seven.h"

#include <stdint.h>
#include <string.h>

/* What stands in the format's own description, 7zFormat.txt, as "Property IDs" and "Methods". */
enum { HEADER = 0x01, PACK_INFO = 0x06, UNPACK_INFO = 0x07, SIZE = 0x09, DIGEST = 0x0A };
enum { FOLDER = 0x0B, UNPACK_SIZES = 0x0C, ENCODED_HEADER = 0x17, START = 32 };

struct reader {
    struct am_span rest;
    bool failed;
};

static struct am_span take(struct reader *reader, uint64_t len)
{
    if (reader->failed || len > reader->rest.len) {
        reader->failed = true;
        return am_span_of("", 0);
    }
    struct am_span taken = am_span_of(reader->rest.ptr, (size_t)len);
    reader->rest = am_span_of(reader->rest.ptr + len, reader->rest.len - (size_t)len);
    return taken;
}

static unsigned take_byte(struct reader *reader)
{
    struct am_span byte = take(reader, 1);
    return byte.len == 0 ? 0 : (unsigned char)byte.ptr[0];
}

static uint64_t little_endian(struct am_span octets)
{
    uint64_t value = 0;
    for (size_t i = octets.len; i > 0; i--)
        value = value << 8 | (unsigned char)octets.ptr[i - 1];
    return value;
}

/* As many octets follow the first as it has leading ones; its other bits are the highest. */
static uint64_t take_number(struct reader *reader)
{
    unsigned first = take_byte(reader), follow = 0;
    while (follow < 8 && (first & 0x80U >> follow) != 0)
        follow++;
    uint64_t low = little_endian(take(reader, follow));
    return follow >= 7 ? low : low | (uint64_t)(first & 0x7FU >> follow) << 8 * follow;
}

static void expect(struct reader *reader, unsigned byte)
{
    if (take_byte(reader) != byte)
        reader->failed = true;
}

/* One stream in, one out, as every writer stores the list. Returns its length unpacked. */
static bool read_encoded(struct am_span header, uint64_t *unpacked)
{
    enum { HAS_PROPERTIES = 0x20, ID_LEN = 0x0F };
    struct reader reader = {header, false};
    expect(&reader, ENCODED_HEADER);
    expect(&reader, PACK_INFO);
    (void)take_number(&reader); /* where */
    expect(&reader, 1);
    expect(&reader, SIZE);
    (void)take_number(&reader);
    unsigned next = take_byte(&reader);
    if (next == DIGEST) {
        expect(&reader, 1);
        (void)take(&reader, 4);
        next = take_byte(&reader);
    }
    reader.failed = reader.failed || next != 0;
    expect(&reader, UNPACK_INFO);
    expect(&reader, FOLDER);
    expect(&reader, 1);
    expect(&reader, 0);
    expect(&reader, 1);
    unsigned coder = take_byte(&reader);
    reader.failed = reader.failed || (coder & ~(unsigned)(HAS_PROPERTIES | ID_LEN)) != 0;
    (void)take(&reader, coder & ID_LEN);
    if ((coder & HAS_PROPERTIES) != 0)
        (void)take(&reader, take_number(&reader));
    expect(&reader, UNPACK_SIZES);
    *unpacked = take_number(&reader);
    return !reader.failed;
}

enum am_seven am_seven_judge(struct am_span file, size_t most)
{
    static const char mark[] = "7z\xBC\xAF\x27\x1C", aes[] = "\x06\xF1\x07\x01";
    uint64_t unpacked = 0;
    if (file.len < START || memcmp(file.ptr, mark, sizeof(mark) - 1) != 0)
        return AM_SEVEN_NONE;
    uint64_t at = little_endian(am_span_of(file.ptr + 12, 8));
    uint64_t len = little_endian(am_span_of(file.ptr + 20, 8));
    if (at > file.len - START || len > file.len - START - at)
        return AM_SEVEN_FITS;
    struct am_span header = am_span_of(file.ptr + START + at, (size_t)len);
    if (header.len == 0 || header.ptr[0] == HEADER)
        return header.len <= most ? AM_SEVEN_FITS : AM_SEVEN_BEYOND;
    if (memmem(header.ptr, header.len, aes, sizeof(aes) - 1) != NULL)
        return AM_SEVEN_ENCRYPTED;
    return read_encoded(header, &unpacked) && unpacked <= most ? AM_SEVEN_FITS : AM_SEVEN_BEYOND;
}
