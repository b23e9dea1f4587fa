#include "common/milter/native_packet.h"

#define LENGTH_BYTES 4

static uint32_t read_u32(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void write_u32(char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(value >> (24 - 8 * i));
}

static void skip(struct am_span *bytes, size_t count)
{
    bytes->ptr += count;
    bytes->len -= count;
}

size_t am_native_packet_size(struct am_span bytes)
{
    return bytes.len < LENGTH_BYTES ? 0 : LENGTH_BYTES + (size_t)read_u32(bytes.ptr);
}

enum am_native_take am_native_packet_take(struct am_span *bytes, struct am_native_packet *packet)
{
    if (bytes->len < LENGTH_BYTES)
        return AM_NATIVE_MORE;
    size_t length = read_u32(bytes->ptr);
    if (length == 0 || length - 1 > AM_NATIVE_CONTENT_MAX)
        return AM_NATIVE_BROKEN;
    if (bytes->len - LENGTH_BYTES < length)
        return AM_NATIVE_MORE;
    packet->command = bytes->ptr[LENGTH_BYTES];
    packet->content = am_span_of(bytes->ptr + LENGTH_BYTES + 1, length - 1);
    skip(bytes, LENGTH_BYTES + length);
    return AM_NATIVE_TAKEN;
}

size_t am_native_packet_take_body(struct am_span *bytes, struct am_span *piece)
{
    const size_t head = LENGTH_BYTES + 1;
    size_t size = am_native_packet_size(*bytes);

    if (bytes->len <= head || size <= bytes->len || size - head > AM_NATIVE_CONTENT_MAX ||
        bytes->ptr[LENGTH_BYTES] != AM_NATIVE_BODY)
        return 0;
    *piece = am_span_of(bytes->ptr + head, bytes->len - head);
    size_t left = size - bytes->len;
    skip(bytes, bytes->len);
    return left;
}

bool am_native_take_u32(struct am_span *fields, uint32_t *value)
{
    if (fields->len < 4)
        return false;
    *value = read_u32(fields->ptr);
    skip(fields, 4);
    return true;
}

bool am_native_take_u16(struct am_span *fields, uint16_t *value)
{
    if (fields->len < 2)
        return false;
    const unsigned char *b = (const unsigned char *)fields->ptr;
    *value = (uint16_t)(b[0] << 8 | b[1]);
    skip(fields, 2);
    return true;
}

const char *am_native_take_text(struct am_span *fields)
{
    const char *text = fields->ptr;
    size_t end = am_span_find(*fields, '\0');

    if (end == fields->len)
        return NULL;
    skip(fields, end + 1);
    return text;
}

size_t am_native_packet_begin(struct am_buf *out, char answer)
{
    size_t begin = out->len;

    am_native_put_u32(out, 0);
    am_buf_add_char(out, answer);
    return begin;
}

void am_native_packet_end(struct am_buf *out, size_t begin)
{
    if (!out->failed)
        write_u32(out->data + begin, (uint32_t)(out->len - begin - LENGTH_BYTES));
}

void am_native_put_u32(struct am_buf *out, uint32_t value)
{
    char bytes[4];

    write_u32(bytes, value);
    am_buf_add(out, am_span_of(bytes, sizeof(bytes)));
}

void am_native_put_text(struct am_buf *out, const char *text)
{
    am_buf_add(out, am_span_of(text, strlen(text) + 1));
}
