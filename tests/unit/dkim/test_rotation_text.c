#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "dkim-milter/dkim_rotation.h"

/* The states of managed keys as text. */

#define NOW INT64_C(1767225600)

static struct dkim_rotation_domain domain;

static int set_up(void **state)
{
    (void)state;
    memset(&domain, 0, sizeof(domain));
    return 0;
}

static struct dkim_rotation_key *add(const char *selector, enum dkim_key_type type,
                                     enum dkim_rotation_state state)
{
    struct dkim_rotation_key *key = dkim_rotation_add(&domain, selector, type, NOW, NULL);

    assert_non_null(key);
    key->state = state;
    return key;
}

static void written_and_read(void **state)
{
    struct dkim_rotation_domain back = {.generation = 9};
    struct am_problem problem;
    struct am_buf text;

    (void)state;
    add("2026a.x", DKIM_KEY_RSA, DKIM_ROTATION_ACTIVE)->ttl_s = 300;
    add("2026e", DKIM_KEY_ED25519, DKIM_ROTATION_RETIRED);
    domain.keys[0].trouble = DKIM_SIGHT_REVOKED;
    domain.keys[0].trouble_since_s = NOW;
    strcpy(domain.keys[0].trouble_by, "mx1");
    domain.keys[1].right_s = 1234;
    strcpy(domain.keys[1].right_by, "mx1-0123abcd");
    am_buf_init(&text, 0);
    dkim_rotation_write(&domain, &text);
    assert_true(dkim_rotation_read(&back, am_buf_span(&text), &problem));
    assert_int_equal(back.generation, 9);
    assert_int_equal(back.count, 2);
    assert_memory_equal(back.keys, domain.keys, 2 * sizeof(domain.keys[0]));
    /* Whatever is missing at its end: it is refused. */
    for (size_t len = 0; len < text.len; len++)
        assert_false(dkim_rotation_read(&back, am_span_of(text.data, len), &problem));
    am_buf_fini(&text);
}

static void texts_that_are_refused(void **state)
{
    static const char *const rows[] = {
        "authmilter-keys 2\nend 0\n",
        "authmilter-keys 1\nend 1\n",
        "authmilter-keys 1\nend 0\nend 0\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 1 unknown 0\nend 1\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 1 unknown 0 - x\nend 1\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 1 unknown 0 - 5\nend 1\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 1 unknown 0 - x mx1\nend 1\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 1 unknown 0 - 5 ../x\nend 1\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 1 unknown 0 - 5 mx1 x\nend 1\n",
        "authmilter-keys 1\nkey a dsa active 1 1 0 1 unknown 0 -\nend 1\n",
        "authmilter-keys 1\nkey a rsa gone 1 1 0 1 unknown 0 -\nend 1\n",
        "authmilter-keys 1\nkey a rsa active -1 1 0 1 unknown 0 -\nend 1\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 9999999999 unknown 0 -\nend 1\n",
        "authmilter-keys 1\nkey ../a rsa active 1 1 0 1 unknown 0 -\nend 1\n",
        "authmilter-keys 1\nkey a/b rsa active 1 1 0 1 unknown 0 -\nend 1\n",
        "authmilter-keys 1\nkey a rsa active 1 1 0 1 odd 0 -\nend 1\n",
        ("authmilter-keys 1\nkey a rsa new 1 1 0 1 unknown 0 -\n"
         "key a rsa new 1 1 0 1 unknown 0 -\nend 2\n"),
    };
    struct dkim_rotation_domain back = {.generation = 0};
    struct am_problem problem;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (dkim_rotation_read(&back, am_span_str(rows[i]), &problem))
            fail_msg("taken: %s", rows[i]);
        assert_true(problem.text[0] != '\0');
    }
}

static void too_many(void **state)
{
    struct am_problem problem;
    char name[32];

    (void)state;
    for (int i = 0; i < DKIM_ROTATION_KEYS_MAX; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        add(name, DKIM_KEY_RSA, DKIM_ROTATION_NEW);
    }
    assert_null(dkim_rotation_add(&domain, "more", DKIM_KEY_RSA, NOW, &problem));
    assert_non_null(strstr(problem.text, "keys purge"));
    assert_null(dkim_rotation_add(&domain, "k1", DKIM_KEY_RSA, NOW, &problem));
    assert_non_null(strstr(problem.text, "already"));
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup(NAME, set_up)
    const struct CMUnitTest tests[] = {
        TEST(written_and_read),
        TEST(texts_that_are_refused),
        TEST(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
