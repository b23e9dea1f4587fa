#include "support.h"

/* AR-03, AR-04: one line for each common result; header.b by RFC 6008. */

static void every_member_finds_its_place(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    const struct ar_spf spf = {"softfail", "a comment", "a reason", "a@example.org", "mta.example"};
    const struct ar_dkim dkim = {"pass",     "2048 bits",    "well done",  "example.com",
                                 "sel.2026", "@example.com", "rsa-sha256", "abcdefghijkl"};
    const struct ar_dmarc dmarc = {"fail", "p=none", "not aligned", "example.com", "none"};
    const struct ar_arc arc = {"pass", "two hops", "sealed", "192.0.2.1", "0"};
    const struct ar_iprev iprev = {"permerror", "no PTR", "nobody", "2001:db8::1"};
    const struct ar_auth auth = {"pass", "PLAIN", "known", "user", "user@example.org"};
    assert_int_equal(ar_add_spf(h, &spf), AR_OK);
    assert_int_equal(ar_add_dkim(h, &dkim), AR_OK);
    assert_int_equal(ar_add_dmarc(h, &dmarc), AR_OK);
    assert_int_equal(ar_add_arc(h, &arc), AR_OK);
    assert_int_equal(ar_add_iprev(h, &iprev), AR_OK);
    assert_int_equal(ar_add_auth(h, &auth), AR_OK);
    assert_written(h, "mx.example.org; "
                      "spf=softfail (a comment) reason=\"a reason\""
                      " smtp.mailfrom=a@example.org smtp.helo=mta.example; "
                      "dkim=pass (2048 bits) reason=\"well done\" header.d=example.com"
                      " header.s=sel.2026 header.i=@example.com header.a=rsa-sha256"
                      " header.b=abcdefgh; "
                      "dmarc=fail (p=none) reason=\"not aligned\" header.from=example.com"
                      " policy.dmarc=none; "
                      "arc=pass (two hops) reason=\"sealed\" smtp.remote-ip=192.0.2.1"
                      " header.oldest-pass=0; "
                      "iprev=permerror (no PTR) reason=\"nobody\" policy.iprev=\"2001:db8::1\"; "
                      "auth=pass (PLAIN) reason=\"known\" smtp.auth=user"
                      " smtp.mailfrom=user@example.org");
}

static void what_is_null_is_left_out(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    assert_int_equal(ar_add_spf(h, &(struct ar_spf){.result = "none", .mailfrom = ""}), AR_OK);
    assert_int_equal(ar_add_dkim(h, &(struct ar_dkim){.result = "none"}), AR_OK);
    assert_int_equal(ar_add_dmarc(h, &(struct ar_dmarc){.result = "none"}), AR_OK);
    assert_int_equal(ar_add_arc(h, &(struct ar_arc){.result = "none"}), AR_OK);
    assert_int_equal(ar_add_iprev(h, &(struct ar_iprev){.result = "fail"}), AR_OK);
    assert_int_equal(ar_add_auth(h, &(struct ar_auth){.result = "x-later"}), AR_OK);
    assert_written(h, "mx.example.org; spf=none smtp.mailfrom=\"\"; dkim=none; dmarc=none; "
                      "arc=none; iprev=fail; auth=x-later");
}

/* A word that is not registered as active for the method, and what is none at all. */
static void results_are_checked(void **state)
{
    (void)state;
    static const char *const refused[] = {
        NULL, "",      "hardfail",       "accepted", "pass ",
        "x-", "x-a b", "pass;dkim=pass", "pa\nss",   "unknown",
    };
    struct ar_header *h = new_header();
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const char *word = refused[i];
        assert_int_equal(ar_add_spf(h, &(struct ar_spf){.result = word}), AR_BAD_TOKEN);
        assert_int_equal(ar_add_dkim(h, &(struct ar_dkim){.result = word}), AR_BAD_TOKEN);
        assert_int_equal(ar_add_dmarc(h, &(struct ar_dmarc){.result = word}), AR_BAD_TOKEN);
        assert_int_equal(ar_add_arc(h, &(struct ar_arc){.result = word}), AR_BAD_TOKEN);
        assert_int_equal(ar_add_iprev(h, &(struct ar_iprev){.result = word}), AR_BAD_TOKEN);
        assert_int_equal(ar_add_auth(h, &(struct ar_auth){.result = word}), AR_BAD_TOKEN);
    }
    assert_int_equal(ar_add_iprev(h, &(struct ar_iprev){.result = "none"}), AR_BAD_TOKEN);
    assert_int_equal(ar_add_arc(h, &(struct ar_arc){.result = "temperror"}), AR_BAD_TOKEN);
    assert_int_equal(ar_add_dmarc(h, &(struct ar_dmarc){.result = "policy"}), AR_BAD_TOKEN);
    assert_int_equal(ar_add_dkim(h, &(struct ar_dkim){.result = "softfail"}), AR_BAD_TOKEN);
    assert_written(h, "mx.example.org; none");
}

/* The last member is the bad one: what was added before it has to go, and only that. */
static void a_refused_result_leaves_nothing(void **state)
{
    (void)state;
    static const char *const hostile[] = {
        "a\r\nSubject: forged", "a\nb", "a\rb", "\x01", "\x7f", "caf\xc3\xa9", "\xff", "\xc2\x85",
    };
    struct ar_header *h = new_header();
    assert_int_equal(ar_add_spf(h, &(struct ar_spf){.result = "pass", .helo = "kept"}), AR_OK);
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        const char *bad = hostile[i];
        const struct ar_dkim dkims[] = {{.result = "pass", .comment = "fine", .domain = "fine"},
                                        {.result = "pass", .comment = "fine", .algorithm = bad}};
        const struct ar_spf spfs[] = {
            {.result = "pass", .comment = bad},
            {.result = "pass", .comment = bad, .reason = "fine", .helo = "fine"},
            {.result = "pass", .comment = "fine", .reason = bad},
            {.result = "pass", .reason = "fine", .mailfrom = bad},
            {.result = "pass", .mailfrom = "fine", .helo = bad}};
        for (size_t j = 0; j < 5; j++)
            assert_int_equal(ar_add_spf(h, &spfs[j]), AR_BAD_VALUE);
        assert_int_equal(ar_add_dkim(h, &dkims[1]), AR_BAD_VALUE);
        assert_int_equal(ar_add_dkim_each(h, dkims, 2), AR_BAD_VALUE);
        assert_int_equal(ar_add_dmarc(h, &(struct ar_dmarc){.result = "pass", .policy = bad}),
                         AR_BAD_VALUE);
        assert_int_equal(ar_add_arc(h, &(struct ar_arc){.result = "pass", .oldest_pass = bad}),
                         AR_BAD_VALUE);
        assert_int_equal(ar_add_iprev(h, &(struct ar_iprev){.result = "pass", .address = bad}),
                         AR_BAD_VALUE);
        assert_int_equal(ar_add_auth(h, &(struct ar_auth){.result = "pass", .mailfrom = bad}),
                         AR_BAD_VALUE);
        assert_int_equal(ar_header_result_count(h), 1);
    }
    /* What is added next goes to the result that was there before. */
    assert_int_equal(ar_header_add_comment(h, LIT("still here")), AR_OK);
    assert_written(h, "mx.example.org; spf=pass smtp.helo=kept (still here)");
}

static void quotes_and_semicolons_stay_inside(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    const struct ar_spf spf = {"pass", ") dkim=pass (", "\"; dkim=pass", "a;b", "x\\\""};
    assert_int_equal(ar_add_spf(h, &spf), AR_OK);
    assert_written(h, "mx.example.org; spf=pass (\\) dkim=pass \\()"
                      " reason=\"\\\"; dkim=pass\" smtp.mailfrom=\"a;b\" smtp.helo=\"x\\\\\\\"\"");
}

/* The signature's beginning without blanks; what stands behind the cut is not looked at. */
static void signature_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *signature, *written;
    } cases[] = {
        {"abcdefghij", "abcdefgh"},
        {"abcdefgh", "abcdefgh"},
        {"abc", "abc"},
        {" a b\r\n\tc d\n e f\rg h i", "abcdefgh"},
        {"ab/+=fghij", "\"ab/+=fgh\""},
        {"", "\"\""},
        {" \r\n\t ", "\"\""},
        {"abcdefgh\x01\xff", "abcdefgh"},
        {"\t\ta\t\t", "a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[64];
        struct ar_header *h = new_header();
        const struct ar_dkim dkim = {.result = "pass", .signature = cases[i].signature};
        snprintf(expected, sizeof(expected), "mx.example.org; dkim=pass header.b=%s",
                 cases[i].written);
        assert_int_equal(ar_add_dkim(h, &dkim), AR_OK);
        assert_written(h, expected);
    }
    struct ar_header *h = new_header();
    const struct ar_dkim bad = {.result = "pass", .signature = "abc\x01"};
    assert_int_equal(ar_add_dkim(h, &bad), AR_BAD_VALUE);
    assert_written(h, "mx.example.org; none");
}

static void prefix_of_a_few(void **state)
{
    (void)state;
#define T(text)                                                                                    \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    const struct ar_text one[] = {T("abcdefghijklm")};
    const struct ar_text early[] = {T("abcdefghijklm"), T("abcdeXghijklm")};
    const struct ar_text late[] = {T("abcdefghijklm"), T("zzzzzzzzz"), T("abcdefghijkXm")};
    const struct ar_text folded[] = {T("abcde\r\n fghijklm"), T("a bcdefghi jkl\tX")};
    const struct ar_text same[] = {T("abcdefghijklm"), T("abcdefgh ijklm"), T("abcdefghijklm")};
    const struct ar_text inside[] = {T("abcdefghij"), T("abcdefghijklm")};
    const struct ar_text cased[] = {T("abcdefghijK"), T("abcdefghijk")};
    const struct ar_text brief[] = {T("a"), T("b"), T(""), {NULL, 0}};
#undef T
    assert_int_equal(ar_signature_prefix(NULL, 0), AR_SIGNATURE_MIN);
    assert_int_equal(ar_signature_prefix(one, 1), AR_SIGNATURE_MIN);
    assert_int_equal(ar_signature_prefix(early, 2), AR_SIGNATURE_MIN);
    assert_int_equal(ar_signature_prefix(late, 3), 12);
    assert_int_equal(ar_signature_prefix(folded, 2), 13);
    assert_int_equal(ar_signature_prefix(same, 3), AR_SIGNATURE_MIN);
    assert_int_equal(ar_signature_prefix(inside, 2), 11);
    assert_int_equal(ar_signature_prefix(cased, 2), 11);
    assert_int_equal(ar_signature_prefix(brief, 4), AR_SIGNATURE_MIN);
}

/* A generator of its own, so that the values are the same everywhere. */
static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* What the prefix has to be, the slow way. */
static size_t slow_prefix(char signatures[][64], size_t count)
{
    size_t need = AR_SIGNATURE_MIN;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            size_t same = 0;
            while (signatures[i][same] != '\0' && signatures[i][same] == signatures[j][same])
                same++;
            if (signatures[i][same] != signatures[j][same] && same + 1 > need)
                need = same + 1;
        }
    return need;
}

/* Sets of 2 to 50 that differ little: all different header.b differ, with none longer than needed.
 */
static void near_identical_signatures(void **state)
{
    (void)state;
    uint32_t seed = 6008;
    for (size_t count = 2; count <= 50; count++) {
        static char signatures[50][64];
        struct ar_dkim dkims[50];
        struct ar_text texts[50];
        for (size_t i = 0; i < count; i++) {
            size_t len = 4 + draw(&seed) % 59;
            for (size_t k = 0; k < len; k++)
                signatures[i][k] = draw(&seed) % 40 == 0 ? 'B' : 'A';
            signatures[i][len] = '\0';
            dkims[i] = (struct ar_dkim){.result = "pass", .signature = signatures[i]};
            texts[i] = (struct ar_text){signatures[i], len};
        }
        size_t need = slow_prefix(signatures, count);
        assert_int_equal(ar_signature_prefix(texts, count), need);
        struct ar_header *h = new_header();
        assert_int_equal(ar_add_dkim_each(h, dkims, count), AR_OK);
        assert_int_equal(ar_header_result_count(h), count);
        for (size_t i = 0; i < count; i++) {
            const struct ar_result *a = ar_header_result(h, i);
            struct ar_text mine = ar_property_value(ar_result_find(a, "header", "b", 0));
            assert_int_equal(mine.len, texts[i].len < need ? texts[i].len : need);
            assert_memory_equal(mine.ptr, signatures[i], mine.len);
            for (size_t j = 0; j < i; j++) {
                const struct ar_result *b = ar_header_result(h, j);
                struct ar_text other = ar_property_value(ar_result_find(b, "header", "b", 0));
                bool same = mine.len == other.len && memcmp(mine.ptr, other.ptr, mine.len) == 0;
                assert_int_equal(same, strcmp(signatures[i], signatures[j]) == 0);
            }
        }
        ar_header_free(h);
    }
}

static void each_of_none_and_without_signature(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    const struct ar_dkim dkims[] = {{.result = "pass", .signature = "abcdefghijk1"},
                                    {.result = "fail", .domain = "no.signature.example"},
                                    {.result = "fail", .signature = "abcdefghijk2"},
                                    {.result = "fail", .signature = "abcdefghijk2"}};
    assert_int_equal(ar_add_dkim_each(h, NULL, 0), AR_OK);
    assert_int_equal(ar_header_result_count(h), 0);
    assert_int_equal(ar_add_dkim_each(h, dkims, 4), AR_OK);
    assert_written(h, "mx.example.org; dkim=pass header.b=abcdefghijk1; "
                      "dkim=fail header.d=no.signature.example; "
                      "dkim=fail header.b=abcdefghijk2; dkim=fail header.b=abcdefghijk2");
}

/* Thousands of long signatures, all equal or all different at their end only. */
static void many_long_signatures(void **state)
{
    (void)state;
    enum { MANY = 3000, LEN = 2000 };
    char *memory = calloc(MANY, LEN);
    struct ar_text *texts = calloc(MANY, sizeof(*texts));
    assert_non_null(memory);
    assert_non_null(texts);
    memset(memory, 'A', (size_t)MANY * LEN);
    for (size_t i = 0; i < MANY; i++)
        texts[i] = (struct ar_text){memory + i * LEN, LEN};
    assert_int_equal(ar_signature_prefix(texts, MANY), AR_SIGNATURE_MIN);
    for (size_t i = 0; i < MANY; i++)
        for (size_t k = 0; k < 4; k++)
            memory[i * LEN + LEN - 10 + k] = (char)('a' + (i >> 4 * k) % 16);
    assert_int_equal(ar_signature_prefix(texts, 2), LEN - 9);
    assert_int_equal(ar_signature_prefix(texts, 1000), LEN - 7);
    /* Too many to be looked at: the whole is always enough. */
    assert_int_equal(ar_signature_prefix(texts, 1001), LEN);
    assert_int_equal(ar_signature_prefix(texts, MANY), LEN);
    free(texts);
    free(memory);
}

/* Adds everything; tells whether all of it found memory. After a refusal nothing of it is there. */
static bool everything(struct ar_header *h)
{
    static char big[3000];
    memset(big, 'x', sizeof(big) - 1);
    const struct ar_dkim dkims[] = {{"pass", big, big, big, big, big, big, big},
                                    {"fail", "c", "r", "d", "s", "i", "a", "xxxxxxxxxxxxxxxxxxy"},
                                    {"fail", big, big, big, big, big, big, big}};
    const struct ar_spf spf = {"pass", big, big, big, big};
    size_t count = ar_header_result_count(h);
    enum ar_status status = ar_add_spf(h, &spf);
    assert_int_equal(ar_header_result_count(h), count + (status == AR_OK));
    if (status == AR_OK) {
        count++;
        status = ar_add_dkim_each(h, dkims, 3);
        assert_int_equal(ar_header_result_count(h), count + (status == AR_OK ? 3 : 0));
    }
    if (status == AR_OK)
        return true;
    assert_int_equal(status, AR_NO_MEMORY);
    return false;
}

static void each_allocation_fails(void **state)
{
    (void)state;
    long given = 1;
    for (bool done = false; !done; given++) {
        struct counting counting = {.left = given};
        struct ar_allocator allocator = {counting_alloc, counting_free, &counting};
        struct ar_header *h = ar_header_new(&allocator);
        assert_non_null(h);
        done = everything(h);
        counting.left = -1;
        /* The header goes on working. */
        size_t count = ar_header_result_count(h);
        assert_int_equal(ar_header_set_id(h, LIT("mx")), AR_OK);
        assert_int_equal(ar_add_iprev(h, &(struct ar_iprev){.result = "pass"}), AR_OK);
        assert_int_equal(ar_header_result_count(h), count + 1);
        ar_header_free(h);
        assert_int_equal(counting.taken, counting.given_back);
        assert_true(given < 1000);
    }
    assert_true(given > 5);
}

/* What is written by one line reads back as it was given. */
static void reads_back(void **state)
{
    (void)state;
    struct ar_header *h = new_header();
    const struct ar_dkim dkim = {"fail",
                                 NULL,
                                 "body hash did not verify",
                                 "example.com",
                                 NULL,
                                 "\"odd local\"@example.com",
                                 NULL,
                                 "a+/b c=defghijk"};
    char *text;
    size_t len;
    assert_int_equal(ar_add_dkim(h, &dkim), AR_OK);
    assert_int_equal(ar_header_format(h, NULL, &text, &len), AR_OK);
    ar_header_free(h);
    h = ar_header_parse(NULL, text, len, NULL, NULL);
    ar_free(NULL, text);
    assert_non_null(h);
    const struct ar_result *result = ar_header_result(h, 0);
    assert_true(ar_result_is(result, "dkim", "fail"));
    assert_text(ar_property_value(ar_result_find(result, "header", "b", 0)), LIT("a+/bc=de"));
    assert_text(ar_property_value(ar_result_find(result, "header", "i", 0)),
                LIT("\"odd local\"@example.com"));
    ar_header_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_finds_its_place),
        cmocka_unit_test(what_is_null_is_left_out),
        cmocka_unit_test(results_are_checked),
        cmocka_unit_test(a_refused_result_leaves_nothing),
        cmocka_unit_test(quotes_and_semicolons_stay_inside),
        cmocka_unit_test(signature_is_cut),
        cmocka_unit_test(prefix_of_a_few),
        cmocka_unit_test(near_identical_signatures),
        cmocka_unit_test(each_of_none_and_without_signature),
        cmocka_unit_test(many_long_signatures),
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
