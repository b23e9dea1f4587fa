#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dkim-milter/dkim_reason.h"

/* Every reason has a word of its own that counters can carry, and a text that fits into quotes. */
static void words(void **state)
{
    (void)state;
    for (int i = 0; i < DKIM_REASON_COUNT; i++) {
        const char *word = dkim_reason_word((enum dkim_reason)i);
        const char *text = dkim_reason_text((enum dkim_reason)i);
        assert_non_null(word);
        assert_non_null(text);
        assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(word));
        assert_true(strlen(word) > 0);
        assert_true((strlen(text) > 0) == (i != DKIM_REASON_NONE));
        for (const char *p = text; *p != '\0'; p++)
            assert_true(*p >= ' ' && *p <= '~' && *p != '"' && *p != '\\');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(word, dkim_reason_word((enum dkim_reason)j));
    }
}

static void results(void **state)
{
    (void)state;
    assert_int_equal(dkim_reason_result(DKIM_REASON_NONE), DKIM_PASS);
    for (int i = DKIM_REASON_NONE + 1; i < DKIM_REASON_COUNT; i++) {
        enum dkim_result result = dkim_reason_result((enum dkim_reason)i);
        assert_true(result == DKIM_FAIL || result == DKIM_POLICY || result == DKIM_PERMERROR ||
                    result == DKIM_TEMPERROR);
    }
    assert_int_equal(dkim_reason_result(DKIM_REASON_BODY_HASH_MISMATCH), DKIM_FAIL);
    assert_int_equal(dkim_reason_result(DKIM_REASON_SIGNATURE_MISMATCH), DKIM_FAIL);
    assert_int_equal(dkim_reason_result(DKIM_REASON_DNS_TIMEOUT), DKIM_TEMPERROR);
    assert_int_equal(dkim_reason_result(DKIM_REASON_KEY_SHORT), DKIM_POLICY);
    assert_int_equal(dkim_reason_result(DKIM_REASON_ALGORITHM_SHA1), DKIM_PERMERROR);
    assert_string_equal(dkim_result_word(DKIM_PERMERROR), "permerror");
    assert_string_equal(dkim_result_word(DKIM_NONE), "none");
    assert_string_equal(dkim_reason_word((enum dkim_reason)DKIM_REASON_COUNT), "crypto");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
