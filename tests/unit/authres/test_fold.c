#include "support.h"

static char *format(struct ar_header *header, const struct ar_format *options,
                    enum ar_status expected)
{
    char *text = NULL;
    size_t len = 0;

    assert_int_equal(ar_header_format(header, options, &text, &len), expected);
    if (expected == AR_OK)
        assert_int_equal(strlen(text), len);
    else
        assert_null(text);
    return text;
}

static struct ar_header *typical(void)
{
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_add_result(h, "spf", "pass"), AR_OK);
    assert_int_equal(
        ar_header_set_reason(h, LIT("192.0.2.1 is one of the hosts that example.com sends from")),
        AR_OK);
    assert_int_equal(ar_header_add_property(h, "smtp", "mailfrom", LIT("somebody@example.com")),
                     AR_OK);
    assert_int_equal(ar_header_add_result(h, "dkim", "none"), AR_OK);
    return h;
}

static void layout(void **state)
{
    (void)state;
    struct ar_header *h = typical();
    char *text = format(h, NULL, AR_OK);
    assert_string_equal(
        text, "mx.example.org;\n"
              " spf=pass reason=\"192.0.2.1 is one of the hosts that example.com sends from\"\n"
              " smtp.mailfrom=somebody@example.com;\n"
              " dkim=none");
    ar_free(NULL, text);
    struct ar_format crlf = {.newline = "\r\n", .width = 40, .name_len = 24};
    text = format(h, &crlf, AR_OK);
    assert_string_equal(text, "mx.example.org;\r\n"
                              " spf=pass reason=\"192.0.2.1 is one of\r\n"
                              " the hosts that example.com sends from\"\r\n"
                              " smtp.mailfrom=somebody@example.com;\r\n"
                              " dkim=none");
    ar_free(NULL, text);
    ar_header_free(h);
}

static void one_line_when_it_fits(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    assert_int_equal(ar_header_add_result(h, "spf", "pass"), AR_OK);
    size_t len = strlen("mx.example.org; spf=pass");
    struct ar_format exact = {.width = 10 + len, .name_len = 10};
    char *text = format(h, &exact, AR_OK);
    assert_string_equal(text, "mx.example.org; spf=pass");
    ar_free(NULL, text);
    exact.width--;
    text = format(h, &exact, AR_OK);
    assert_string_equal(text, "mx.example.org;\n spf=pass");
    ar_free(NULL, text);
    ar_header_free(h);
}

static void bad_options(void **state)
{
    (void)state;
    static const char *const newlines[] = {"", "\r", "\n\n", "\n ", "\nX: y\n", "x"};
    struct ar_header *h = typical();
    for (size_t i = 0; i < sizeof(newlines) / sizeof(newlines[0]); i++) {
        struct ar_format options = {.newline = newlines[i]};
        format(h, &options, AR_BAD_VALUE);
    }
    struct ar_format wide = {.name_len = 5000};
    format(h, &wide, AR_TOO_LONG);
    struct ar_format huge = {.name_len = SIZE_MAX};
    format(h, &huge, AR_TOO_LONG);
    ar_header_free(h);
}

/* A word stays whole: up to the limit of a line it is written, above it is refused. */
static void longest_word(void **state)
{
    (void)state;
    char word[1100];
    memset(word, 'w', sizeof(word));
    size_t around = strlen(" p.n=");
    for (size_t len = 980; len < 1010; len++) {
        struct ar_header *h = new_header();
        assert_int_equal(ar_header_add_result(h, "m", "r"), AR_OK);
        assert_int_equal(ar_header_add_property(h, "p", "n", word, len), AR_OK);
        struct ar_format limitless = {.width = 1000000, .max_line = 1000000};
        bool fits = around + len <= AR_LINE_MAX;
        ar_free(NULL, format(h, NULL, fits ? AR_OK : AR_TOO_LONG));
        ar_free(NULL, format(h, &limitless, fits ? AR_OK : AR_TOO_LONG));
        ar_header_free(h);
    }
}

/* A run of blanks cannot be folded inside: no line may be blanks only. */
static void runs_of_blanks(void **state)
{
    (void)state;
    char blanks[1100];
    memset(blanks, ' ', sizeof(blanks));
    for (size_t len = 900; len < 1050; len += 30) {
        struct ar_header *h = new_header();
        assert_int_equal(ar_header_add_result(h, "m", "r"), AR_OK);
        assert_int_equal(ar_header_add_property(h, "p", "n", blanks, len), AR_OK);
        char *text = format(h, NULL, len + 1 <= AR_LINE_MAX ? AR_OK : AR_TOO_LONG);
        for (char *line = text; line != NULL; line = strchr(line + 1, '\n'))
            assert_true(line[1 + strspn(line + 1, " ")] != '\n');
        ar_free(NULL, text);
        ar_header_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),         cmocka_unit_test(one_line_when_it_fits),
        cmocka_unit_test(bad_options),    cmocka_unit_test(longest_word),
        cmocka_unit_test(runs_of_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
