#include "dmarc-milter/dmarc_report.h"

#include <zlib.h>

/* 15 bits of window, and 16 for the wrapping of gzip; its time of making stays 0. */
#define GZIP_WINDOW (15 + 16)

bool dmarc_report_gzip(struct am_span octets, struct am_buf *out)
{
    unsigned char piece[16384];
    z_stream stream = {0};
    int status;

    if (octets.len > UINT32_MAX || deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED,
                                                GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    stream.next_in = (z_const Bytef *)octets.ptr;
    stream.avail_in = (uInt)octets.len;
    do {
        stream.next_out = piece;
        stream.avail_out = sizeof(piece);
        status = deflate(&stream, Z_FINISH);
        am_buf_add(out, am_span_of((const char *)piece, sizeof(piece) - stream.avail_out));
    } while (status == Z_OK);
    (void)deflateEnd(&stream);
    return status == Z_STREAM_END && !out->failed;
}
