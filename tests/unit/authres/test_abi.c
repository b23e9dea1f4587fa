/*
 * The binary interface that authres.h promises, written down a second time: what differs here is
 * not to be adapted but takes a new major version and soname. Numbers may be added at the end of an
 * enum.
 */
#include "support.h"

#include <stddef.h>

#define NUMBER(name, value) _Static_assert((name) == (value), #name)

NUMBER(AR_ID_MAX, 900);
NUMBER(AR_PARSE_MAX, 262144);
NUMBER(AR_INSTANCE_MAX, 50);
NUMBER(AR_SIGNATURE_MIN, 8);
NUMBER(AR_LINE_MAX, 998);

NUMBER(AR_OK, 0);
NUMBER(AR_NO_MEMORY, 1);
NUMBER(AR_BAD_TOKEN, 2);
NUMBER(AR_BAD_VALUE, 3);
NUMBER(AR_TOO_LONG, 4);
NUMBER(AR_NO_RESULT, 5);
NUMBER(AR_SYNTAX, 6);
NUMBER(AR_NO_ID, 7);

NUMBER(AR_KIND_ANY, 0);
NUMBER(AR_KIND_AR, 1);
NUMBER(AR_KIND_ARC, 2);

NUMBER(AR_PARDON_NO_ID, 1);
NUMBER(AR_PARDON_ID_FORM, 2);
NUMBER(AR_PARDON_VERSION, 3);
NUMBER(AR_PARDON_INSTANCE, 4);
NUMBER(AR_PARDON_NO_RESULT, 5);
NUMBER(AR_PARDON_NONE, 6);
NUMBER(AR_PARDON_EMPTY, 7);
NUMBER(AR_PARDON_NO_BLANK, 8);
NUMBER(AR_PARDON_NAME_FORM, 9);
NUMBER(AR_PARDON_NO_PTYPE, 10);
NUMBER(AR_PARDON_VALUE_FORM, 11);
NUMBER(AR_PARDON_EMPTY_VALUE, 12);
NUMBER(AR_PARDON_REASON, 13);
NUMBER(AR_PARDON_OPEN_QUOTE, 14);
NUMBER(AR_PARDON_OPEN_COMMENT, 15);
NUMBER(AR_PARDON_STRAY, 16);
NUMBER(AR_PARDON_LINE_END, 17);
NUMBER(AR_PARDON_CONTROL, 18);
NUMBER(AR_PARDON_ENCODING, 19);
NUMBER(AR_PARDON_SKIPPED, 20);
NUMBER(AR_PARDON_UNREGISTERED, 21);

NUMBER(AR_BEFORE_ID, 0);
NUMBER(AR_AFTER_ID, 1);
NUMBER(AR_AFTER_VERSION, 2);
NUMBER(AR_AFTER_NONE, 3);
NUMBER(AR_BEFORE_METHOD, 4);
NUMBER(AR_AFTER_RESULT, 5);
NUMBER(AR_AFTER_REASON, 6);
NUMBER(AR_AFTER_PROPERTY, 7);

NUMBER(AR_UNREGISTERED, 0);
NUMBER(AR_EXPERIMENTAL, 1);
NUMBER(AR_DEPRECATED, 2);
NUMBER(AR_ACTIVE, 3);

_Static_assert(sizeof(enum ar_status) == sizeof(int), "enum");

/* LP64, that is every 64-bit system but Windows. */
#if defined(__LP64__)
#define SIZE(name, value) _Static_assert(sizeof(struct name) == (value), #name)
#define OFFSET(name, member, value)                                                                \
    _Static_assert(offsetof(struct name, member) == (value), #name "." #member)

SIZE(ar_allocator, 24);
OFFSET(ar_allocator, alloc, 0);
OFFSET(ar_allocator, free, 8);
OFFSET(ar_allocator, user, 16);

SIZE(ar_text, 16);
OFFSET(ar_text, ptr, 0);
OFFSET(ar_text, len, 8);

SIZE(ar_format, 32);
OFFSET(ar_format, newline, 0);
OFFSET(ar_format, width, 8);
OFFSET(ar_format, max_line, 16);
OFFSET(ar_format, name_len, 24);

SIZE(ar_parse_options, 16);
OFFSET(ar_parse_options, kind, 0);
OFFSET(ar_parse_options, lenient, 4);
OFFSET(ar_parse_options, max_len, 8);

SIZE(ar_forgiven, 16);
OFFSET(ar_forgiven, pardon, 0);
OFFSET(ar_forgiven, offset, 8);

SIZE(ar_parse_error, 24);
OFFSET(ar_parse_error, status, 0);
OFFSET(ar_parse_error, offset, 8);
OFFSET(ar_parse_error, expected, 16);

SIZE(ar_spf, 40);
OFFSET(ar_spf, result, 0);
OFFSET(ar_spf, comment, 8);
OFFSET(ar_spf, reason, 16);
OFFSET(ar_spf, mailfrom, 24);
OFFSET(ar_spf, helo, 32);

SIZE(ar_dkim, 64);
OFFSET(ar_dkim, result, 0);
OFFSET(ar_dkim, comment, 8);
OFFSET(ar_dkim, reason, 16);
OFFSET(ar_dkim, domain, 24);
OFFSET(ar_dkim, selector, 32);
OFFSET(ar_dkim, identity, 40);
OFFSET(ar_dkim, algorithm, 48);
OFFSET(ar_dkim, signature, 56);

SIZE(ar_dmarc, 40);
OFFSET(ar_dmarc, result, 0);
OFFSET(ar_dmarc, comment, 8);
OFFSET(ar_dmarc, reason, 16);
OFFSET(ar_dmarc, from, 24);
OFFSET(ar_dmarc, policy, 32);

SIZE(ar_arc, 40);
OFFSET(ar_arc, result, 0);
OFFSET(ar_arc, comment, 8);
OFFSET(ar_arc, reason, 16);
OFFSET(ar_arc, remote_ip, 24);
OFFSET(ar_arc, oldest_pass, 32);

SIZE(ar_iprev, 32);
OFFSET(ar_iprev, result, 0);
OFFSET(ar_iprev, comment, 8);
OFFSET(ar_iprev, reason, 16);
OFFSET(ar_iprev, address, 24);

SIZE(ar_auth, 40);
OFFSET(ar_auth, result, 0);
OFFSET(ar_auth, comment, 8);
OFFSET(ar_auth, reason, 16);
OFFSET(ar_auth, login, 24);
OFFSET(ar_auth, mailfrom, 32);

SIZE(ar_signature, 48);
OFFSET(ar_signature, signature, 0);
OFFSET(ar_signature, selector, 16);
OFFSET(ar_signature, domain, 32);

SIZE(ar_trust, 24);
OFFSET(ar_trust, ids, 0);
OFFSET(ar_trust, id_count, 8);
OFFSET(ar_trust, top_only, 16);

SIZE(ar_cursor, 16);
OFFSET(ar_cursor, header, 0);
OFFSET(ar_cursor, result, 8);

SIZE(ar_registered_result, 24);
OFFSET(ar_registered_result, word, 0);
OFFSET(ar_registered_result, source, 8);
OFFSET(ar_registered_result, state, 16);

SIZE(ar_registered_property, 40);
OFFSET(ar_registered_property, ptype, 0);
OFFSET(ar_registered_property, name, 8);
OFFSET(ar_registered_property, meaning, 16);
OFFSET(ar_registered_property, source, 24);
OFFSET(ar_registered_property, state, 32);

SIZE(ar_registered_method, 64);
OFFSET(ar_registered_method, method, 0);
OFFSET(ar_registered_method, meaning, 8);
OFFSET(ar_registered_method, source, 16);
OFFSET(ar_registered_method, state, 24);
OFFSET(ar_registered_method, result_count, 32);
OFFSET(ar_registered_method, property_count, 40);
OFFSET(ar_registered_method, results, 48);
OFFSET(ar_registered_method, properties, 56);
#endif

/* A number that went from an enum leaves a gap in the texts. */
static void texts(void **state)
{
    (void)state;
    for (int status = AR_OK; status <= AR_NO_ID; status++) {
        for (int other = AR_OK; other < status; other++)
            assert_string_not_equal(ar_status_text((enum ar_status)status),
                                    ar_status_text((enum ar_status)other));
    }
    for (int pardon = AR_PARDON_NO_ID; pardon <= AR_PARDON_UNREGISTERED; pardon++) {
        for (int other = AR_PARDON_NO_ID; other < pardon; other++)
            assert_string_not_equal(ar_pardon_text((enum ar_pardon)pardon),
                                    ar_pardon_text((enum ar_pardon)other));
    }
}

/* Beyond the last number there is a text too: a newer library may return it to an older program. */
static void unknown_numbers(void **state)
{
    (void)state;
    assert_string_not_equal(ar_status_text((enum ar_status)(AR_NO_ID + 1)), "");
    assert_string_not_equal(ar_pardon_text((enum ar_pardon)0), "");
    assert_string_not_equal(ar_pardon_text((enum ar_pardon)(AR_PARDON_UNREGISTERED + 1)), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts), cmocka_unit_test(unknown_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
