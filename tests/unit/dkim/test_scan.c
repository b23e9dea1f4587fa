#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_fields_name.h"
#include "dkim-milter/dkim_scan.h"

/* What looks at many octets at once, held against what looks at each: every octet, everywhere. */

#define LEN_MAX 100

/* A text of its own piece of memory, so that a sanitizer sees whoever reads beyond it. */
static struct am_span text_of(char *room, size_t len)
{
    return am_span_of(room + LEN_MAX - len, len);
}

static size_t plain_value(struct am_span text)
{
    size_t i = 0;
    while (i < text.len && text.ptr[i] > ' ' && text.ptr[i] < 0x7f && text.ptr[i] != ';')
        i++;
    return i;
}

static size_t plain_blanks(struct am_span text, char stop)
{
    size_t i;
    for (i = 0; i < text.len; i++) {
        bool last = i + 1 == text.len;
        if (text.ptr[i] == '\t' || text.ptr[i] == stop ||
            (text.ptr[i] == ' ' && (last || (unsigned char)text.ptr[i + 1] <= ' ')))
            break;
    }
    return i;
}

static void agree(struct am_span text)
{
    assert_int_equal(dkim_scan_value(text), plain_value(text));
    assert_int_equal(dkim_scan_body(text), plain_blanks(text, '\t'));
    assert_int_equal(dkim_scan_field(text), plain_blanks(text, '\n'));
}

static void every_octet_is_found_everywhere(void **state)
{
    (void)state;
    char *room = malloc(LEN_MAX);
    assert_non_null(room);
    memset(room, 'x', LEN_MAX);
    for (size_t len = 0; len <= LEN_MAX; len++)
        for (size_t at = LEN_MAX - len; at < LEN_MAX; at++) {
            for (int octet = 0; octet < 256; octet++) {
                room[at] = (char)octet;
                agree(text_of(room, len));
            }
            room[at] = 'x';
        }
    free(room);
}

static void texts_by_chance(void **state)
{
    (void)state;
    static const char octets[] = "abcxyz =:;  \t\r\n\x7f\x80\xff";
    char *room = malloc(LEN_MAX);
    assert_non_null(room);
    srandom(1);
    for (int round = 0; round < 100000; round++) {
        size_t len = (size_t)random() % (LEN_MAX + 1), rare = 1 + (size_t)random() % 60;
        for (size_t i = 0; i < LEN_MAX; i++)
            room[i] = (size_t)random() % rare == 0 ? octets[(size_t)random() % (sizeof(octets) - 1)]
                                                   : 'a';
        agree(text_of(room, len));
    }
    free(room);
}

static void the_key_of_a_name_is_its_first_octets(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 10; len++)
        for (size_t at = 0; at < len; at++)
            for (int octet = 0; octet < 256; octet++) {
                char name[10];
                uint64_t key = 0;
                memset(name, 'Q', sizeof(name));
                name[at] = (char)octet;
                for (size_t i = 0; i < 8; i++)
                    key = key << 8 | (i < len ? (unsigned char)am_lower(name[i]) : 0);
                assert_int_equal(dkim_name_key(am_span_of(name, len)), key);
            }
}

/* White space or anything else at each place of base 64, in whole groups or not. */
static void base64_is_read_with_anything_in_it(void **state)
{
    (void)state;
    static const char digits[] = "MDEyMzQ1Njc4OTo7PD0+Pw";
    static const char octets[] = "0123456789:;<=>?";
    for (size_t at = 0; at < sizeof(digits); at++)
        for (int octet = 0; octet < 256; octet++) {
            char text[sizeof(digits)];
            uint8_t out[32];
            size_t len;
            memcpy(text, digits, at);
            text[at] = (char)octet;
            memcpy(text + at + 1, digits + at, sizeof(digits) - 1 - at);
            bool is_blank = octet == ' ' || octet == '\t';
            bool is_end = octet == '=' && at == sizeof(digits) - 1;
            bool is_digit = octet != 0 && octet < 128 &&
                            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789+/",
                                   octet) != NULL;
            bool read = dkim_base64_decode_into(am_span_of(text, sizeof(text)), out, 32, &len);
            assert_int_equal(read, is_blank || is_end || is_digit);
            if (!is_blank && !is_end)
                continue;
            assert_int_equal(len, sizeof(octets) - 1);
            assert_memory_equal(out, octets, len);
        }
}

/* The room is filled to its last octet and never beyond. */
static void base64_keeps_to_its_room(void **state)
{
    (void)state;
    struct am_span text = am_span_str("AAAAAAAAAAAAAAAAAAAAAAAA");
    for (size_t capacity = 0; capacity <= 20; capacity++) {
        uint8_t *out = malloc(capacity + 1);
        size_t len;
        assert_non_null(out);
        memset(out, 0xee, capacity + 1);
        assert_int_equal(dkim_base64_decode_into(text, out, capacity, &len), capacity >= 18);
        assert_int_equal(len, capacity < 18 ? capacity : 18);
        assert_int_equal(out[capacity], 0xee);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_octet_is_found_everywhere),
        cmocka_unit_test(texts_by_chance),
        cmocka_unit_test(the_key_of_a_name_is_its_first_octets),
        cmocka_unit_test(base64_is_read_with_anything_in_it),
        cmocka_unit_test(base64_keeps_to_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
