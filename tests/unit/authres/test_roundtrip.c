#include "support.h"

/*
 * What is written parses back to the same values, byte for byte, at any width, for the strict
 * reader and for the lenient one, which has nothing to forgive (AR-01, AR-02, AR-11).
 * Usage: test_roundtrip [RESULTS [SEED]]
 */

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % below;
}

static void pick_keyword(char *out)
{
    static const char *const known[] = {"spf",  "dkim",     "none", "reason", "i",   "pass",
                                        "smtp", "mailfrom", "1",    "header", "b-b", "x-y"};
    if (pick(4) == 0) {
        strcpy(out, known[pick(sizeof(known) / sizeof(known[0]))]);
        return;
    }
    static const char set[] = "abcxyzABCXYZ0189-";
    size_t len = 1 + pick(pick(10) == 0 ? 30 : 8);
    for (size_t i = 0; i < len; i++)
        out[i] = set[pick(i + 1 == len ? sizeof(set) - 2 : sizeof(set) - 1)];
    out[len] = '\0';
}

/* Text of pieces that the grammar treats in different ways. */
static size_t pick_text(char *out, bool utf8)
{
    static const char *const pieces[] = {
        "a",
        "b.c",
        "example.com",
        "user@example.com",
        "@",
        ".",
        "-",
        "=",
        "/",
        ";",
        ":",
        "\"",
        "\\",
        "(",
        ")",
        " ",
        "  ",
        "\t",
        "\\\"",
        "\"a b\"",
        "none",
        "reason=\"x\"",
        "; spf=pass",
        "x.y=z",
        "0",
        "longwordlongwordlongwordlongword",
        "\"a\\ b\"@c.de",
        "\xc3\xbc",
        "\xe2\x82\xac",
        "\xf0\x9f\x93\xa7",
        "b\xc3\xbc.de",
    };
    size_t count = sizeof(pieces) / sizeof(pieces[0]) - (utf8 ? 0 : 4), len = 0;
    for (uint32_t n = pick(pick(20) == 0 ? 40 : 6); n > 0; n--) {
        const char *piece = pieces[pick((uint32_t)count)];
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return len;
}

static void fill_comments(struct ar_header *h, enum ar_place place, bool utf8)
{
    char text[2048];

    for (uint32_t n = pick(4) == 0 ? 1 + pick(2) : 0; n > 0; n--) {
        size_t len = pick_text(text, utf8);
        assert_int_equal(ar_header_add_comment_at(h, place, text, len), AR_OK);
    }
}

static void fill_result(struct ar_header *h, bool utf8)
{
    char a[64], b[64], text[2048];
    size_t len;

    pick_keyword(a);
    pick_keyword(b);
    assert_int_equal(ar_header_add_result(h, a, b), AR_OK);
    if (pick(8) == 0)
        assert_int_equal(ar_header_set_method_version(h, (long)pick(1000)), AR_OK);
    fill_comments(h, AR_BEFORE_METHOD, utf8);
    for (uint32_t n = pick(3); n > 0; n--) {
        len = pick_text(text, utf8);
        assert_int_equal(ar_header_add_comment(h, text, len), AR_OK);
    }
    if (pick(2) == 0) {
        len = pick_text(text, utf8);
        assert_int_equal(ar_header_set_reason(h, text, len), AR_OK);
        if (pick(4) == 0) {
            len = pick_text(text, utf8);
            assert_int_equal(ar_header_add_comment(h, text, len), AR_OK);
        }
    }
    for (uint32_t n = pick(5); n > 0; n--) {
        pick_keyword(a);
        pick_keyword(b);
        len = pick_text(text, utf8);
        assert_int_equal(ar_header_add_property(h, a, b, text, len), AR_OK);
        if (pick(4) == 0) {
            len = pick_text(text, utf8);
            assert_int_equal(ar_header_add_comment(h, text, len), AR_OK);
        }
    }
}

/* Fills what stands outside the results, in the order of the text. */
static void fill_frame(struct ar_header *h, bool utf8, bool none)
{
    char id[2048];
    size_t len;

    while ((len = pick_text(id, utf8)) == 0 || ar_header_set_id(h, id, len) != AR_OK)
        ;
    if (pick(4) == 0)
        assert_int_equal(ar_header_set_instance(h, 1 + pick(AR_INSTANCE_MAX)), AR_OK);
    fill_comments(h, AR_BEFORE_ID, utf8);
    fill_comments(h, AR_AFTER_ID, utf8);
    if (pick(4) == 0) {
        assert_int_equal(ar_header_set_version(h, (long)pick(3)), AR_OK);
        fill_comments(h, AR_AFTER_VERSION, utf8);
    }
    if (none)
        fill_comments(h, AR_AFTER_NONE, utf8);
}

static void assert_same_text(struct ar_text a, struct ar_text b)
{
    assert_int_equal(a.ptr == NULL, b.ptr == NULL);
    assert_int_equal(a.len, b.len);
    if (a.ptr != NULL)
        assert_memory_equal(a.ptr, b.ptr, a.len + 1);
}

static void assert_same_comment(const struct ar_comment *a, const struct ar_comment *b)
{
    assert_same_text(ar_comment_text(a), ar_comment_text(b));
    assert_int_equal(ar_comment_place(a), ar_comment_place(b));
    assert_int_equal(ar_comment_property(a), ar_comment_property(b));
}

static void assert_same_result(const struct ar_result *a, const struct ar_result *b)
{
    assert_string_equal(ar_result_method(a), ar_result_method(b));
    assert_string_equal(ar_result_word(a), ar_result_word(b));
    assert_int_equal(ar_result_method_version(a), ar_result_method_version(b));
    assert_same_text(ar_result_reason(a), ar_result_reason(b));
    assert_int_equal(ar_result_property_count(a), ar_result_property_count(b));
    for (size_t i = 0; i < ar_result_property_count(a); i++) {
        const struct ar_property *p = ar_result_property(a, i), *q = ar_result_property(b, i);
        assert_string_equal(ar_property_ptype(p), ar_property_ptype(q));
        assert_string_equal(ar_property_name(p), ar_property_name(q));
        assert_same_text(ar_property_value(p), ar_property_value(q));
    }
    assert_int_equal(ar_result_comment_count(a), ar_result_comment_count(b));
    for (size_t i = 0; i < ar_result_comment_count(a); i++)
        assert_same_comment(ar_result_comment(a, i), ar_result_comment(b, i));
}

static void assert_same_header(const struct ar_header *a, const struct ar_header *b)
{
    assert_same_text(ar_header_id(a), ar_header_id(b));
    assert_int_equal(ar_header_version(a), ar_header_version(b));
    assert_int_equal(ar_header_instance(a), ar_header_instance(b));
    assert_int_equal(ar_header_comment_count(a), ar_header_comment_count(b));
    for (size_t i = 0; i < ar_header_comment_count(a); i++)
        assert_same_comment(ar_header_comment(a, i), ar_header_comment(b, i));
    assert_int_equal(ar_header_result_count(a), ar_header_result_count(b));
    for (size_t i = 0; i < ar_header_result_count(a); i++)
        assert_same_result(ar_header_result(a, i), ar_header_result(b, i));
}

/* Checks the lines and removes the newlines in place. */
static size_t unfold(char *text, const struct ar_format *options)
{
    size_t len = 0, column = options->name_len, content = 0, breaks = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] == '\r') {
            assert_string_equal(options->newline, "\r\n");
            assert_true(text[i + 1] == '\n');
            continue;
        }
        if (text[i] == '\n') {
            assert_true(text[i + 1] == ' ' || text[i + 1] == '\t');
            assert_true(content > 0);
            column = content = breaks = 0;
            continue;
        }
        bool blank = text[i] == ' ' || text[i] == '\t';
        /* A blank where the line could have ended: what follows it starts below the width. */
        if (blank && content > 0 && i > 0 && text[i - 1] != ' ' && text[i - 1] != '\t')
            breaks = column;
        content += !blank;
        column++;
        assert_true(column <= AR_LINE_MAX);
        assert_true(blank || breaks == 0 || column <= options->width);
        text[len++] = text[i];
    }
    text[len] = '\0';
    return len;
}

/* Reads a text, in one of the two ways, and asserts that it is `h` again. */
static struct ar_header *read_back(const struct ar_header *h, const char *text, size_t len,
                                   bool lenient)
{
    enum ar_kind kind = ar_header_instance(h) > 0 ? AR_KIND_ARC : AR_KIND_AR;
    struct ar_parse_options options = {.kind = pick(2) ? kind : AR_KIND_ANY, .lenient = lenient};
    struct ar_parse_error error;
    struct ar_header *again = ar_header_parse(NULL, text, len, &options, &error);

    if (again == NULL)
        print_error("octet %zu: expected %s\nin %s\n", error.offset, error.expected, text);
    assert_non_null(again);
    assert_same_header(h, again);
    for (size_t i = 0; i < ar_header_forgiven_count(again); i++) {
        assert_true(lenient);
        assert_int_equal(ar_header_forgiven(again, i).pardon, AR_PARDON_UNREGISTERED);
    }
    return again;
}

/* An id of ordinary characters is seen by those who look for forged ones. */
static void assert_claimed(const struct ar_header *h, const char *text, size_t len)
{
    struct ar_text id = ar_header_id(h);
    const char *const ids[] = {id.ptr};

    if (ar_header_instance(h) == 0 &&
        strspn(id.ptr, "abcdefghijklmnopqrstuvwxyz0123456789.-@") == id.len &&
        strcspn(id.ptr, "abc0exnlu") < id.len)
        assert_true(ar_claims_id(text, len, ids, 1));
}

static size_t one_header(void)
{
    static const size_t widths[] = {0, 1, 40, 78, 200, 998};
    struct ar_format options = {
        .newline = pick(2) ? "\n" : "\r\n", .width = widths[pick(6)], .name_len = 24};
    char *text = NULL, *line = NULL;
    size_t len, results = pick(20) == 0 ? 0 : 1 + pick(5);
    struct ar_header *h = ar_header_new(NULL), *again;
    bool utf8 = pick(3) == 0;

    ar_header_allow_utf8(h, utf8);
    fill_frame(h, utf8, results == 0);
    for (size_t i = 0; i < results; i++)
        fill_result(h, utf8);
    enum ar_status status = ar_header_format(h, &options, &text, &len);
    if (status == AR_OK) {
        ar_header_free(read_back(h, text, len, false));
        ar_header_free(read_back(h, text, len, true));
        options.width = options.width == 0 ? 78 : options.width;
        len = unfold(text, &options);
        again = read_back(h, text, len, false);
        /* Written again from what was read, it is the same text. */
        assert_int_equal(ar_header_format(again, &options, &line, NULL), AR_OK);
        unfold(line, &options);
        assert_string_equal(text, line);
        assert_claimed(h, text, len);
        ar_header_free(again);
        ar_free(NULL, line);
        ar_free(NULL, text);
    } else
        assert_int_equal(status, AR_TOO_LONG);
    ar_header_free(h);
    return status == AR_OK ? results : 0;
}

static size_t wanted = ROUNDTRIP_RESULTS;

static void round_trip(void **state)
{
    (void)state;
    size_t done = 0, headers = 0;
    while (done < wanted) {
        done += one_header();
        headers++;
    }
    print_message("%zu results in %zu headers\n", done, headers);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip)};

    if (argc > 1)
        wanted = strtoull(argv[1], NULL, 10);
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 8601;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
