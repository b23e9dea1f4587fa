#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authmilter/ar_json.h"

/*
 * parse | format | parse loses nothing: fields with a few octets changed, inserted, removed or
 * doubled, in both modes, from a fixed seed.
 */

#define ROUNDS 30000

static const char *const fields[] = {
    "mx.example.org; none",
    "(b) mx.example.org (i) 1 (v); none (n)",
    "i=7; relay.example.net; arc=none; spf=fail (x) smtp.helo=a.example",
    "mx.example.org; spf=pass (good) reason=\"r \\\" s\" (rc) smtp.mailfrom=a@example.org (p0) "
    "smtp.helo=b.example (p1); dkim/1=fail (a) (b) header.b=abc/def+ header.i=@example.org",
    "mx.example.org;\r\n\tauth=pass (plain) smtp.auth=user;\r\n (m) iprev=pass "
    "policy.iprev=\"2001:db8::1\"",
    "\"quo ted\" 2; x-a=b x.y=\"z w\" x.z=\"a b\"@example.org; none-such=none",
    "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dmarc=pass action=none "
    "header.from=example.org;compauth=pass reason=100",
    "m\303\244x.example; dkim=pass (\342\202\254) header.i=\303\266@example.org reason=late",
};

static uint64_t seed;

static size_t random_below(size_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((seed >> 33) % bound);
}

/* Copies a field with some octets changed. Returns its length. */
static size_t mutate(char *out, size_t size)
{
    static const char octets[] = "();=./\"\\@ \t-_:0i=1;,<>aZ\r\n\001\177\303\244\377";
    size_t len =
        (size_t)snprintf(out, size, "%s", fields[random_below(sizeof(fields) / sizeof(fields[0]))]);

    for (size_t edits = random_below(6); edits > 0 && len > 4 && len < size - 8; edits--) {
        size_t at = random_below(len - 3), count = 1 + random_below(3);
        switch (random_below(4)) {
        case 0:
            out[at] = octets[random_below(sizeof(octets))];
            break;
        case 1:
            memmove(out + at + 1, out + at, len - at);
            out[at] = octets[random_below(sizeof(octets))];
            len++;
            break;
        case 2:
            memmove(out + at, out + at + count, len - at - count);
            len -= count;
            break;
        default:
            memmove(out + at + count, out + at, len - at);
            len += count;
        }
    }
    return len;
}

static json_t *parse(const char *value, size_t len, bool lenient)
{
    const struct ar_parse_options options = {.lenient = lenient};
    struct ar_header *header = ar_header_parse(NULL, value, len, &options, NULL);

    if (header == NULL)
        return NULL;
    json_t *json = ar_json_write(header, 0);
    assert_non_null(json);
    json_object_del(json, "forgiven");
    ar_header_free(header);
    return json;
}

/* Returns what a second parse finds in the field that format makes; NULL when format refuses. */
static json_t *again(json_t *json)
{
    const struct ar_format layout = {.width = 1 + random_below(AR_LINE_MAX)};
    struct ar_header *header;
    struct am_problem problem = {""};
    char *value;
    size_t len;

    if (ar_json_read(json, true, &header, &problem) != AR_OK) {
        assert_true(strlen(problem.text) > 5);
        return NULL;
    }
    assert_int_equal(ar_header_format(header, &layout, &value, &len), AR_OK);
    ar_header_free(header);
    json_t *second = parse(value, len, false);
    if (second == NULL)
        fail_msg("not to be read: %s", value);
    ar_free(NULL, value);
    return second;
}

static void check(bool lenient, double share)
{
    char value[512];
    size_t parsed = 0, formatted = 0;

    seed = 8601;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t len = mutate(value, sizeof(value));
        json_t *first = parse(value, len, lenient);
        if (first == NULL)
            continue;
        parsed++;
        json_t *second = again(first);
        formatted += second != NULL;
        if (second != NULL && !json_equal(first, second)) {
            char *one = json_dumps(first, JSON_COMPACT), *two = json_dumps(second, JSON_COMPACT);
            fail_msg("%.*s\n%s\n%s", (int)len, value, one, two);
        }
        json_decref(first);
        json_decref(second);
    }
    print_message("%zu of %d read, %zu of them written and read again\n", parsed, ROUNDS,
                  formatted);
    assert_true(parsed > ROUNDS / 10);
    assert_true((double)formatted >= share * (double)parsed);
}

static void strict_fields_come_back_as_they_were(void **state)
{
    (void)state;
    check(false, 1.0);
}

/* Names that are no keywords, properties without ptype and a missing id cannot be written. */
static void lenient_fields_come_back_when_they_can_be_written(void **state)
{
    (void)state;
    check(true, 0.6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_fields_come_back_as_they_were),
        cmocka_unit_test(lenient_fields_come_back_when_they_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
