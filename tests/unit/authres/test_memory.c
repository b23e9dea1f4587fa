#include "support.h"

/* Builds, writes, reads back; tells whether all of it found memory. */
static bool everything(const struct ar_allocator *allocator)
{
    char big[1500], *text = NULL;
    size_t len;
    bool done = false;

    memset(big, 'x', sizeof(big));
    memset(big + 500, ' ', 1);
    memset(big + 1000, ' ', 1);
    struct ar_header *h = ar_header_new(allocator), *again = NULL;
    if (h == NULL)
        return false;
    if (ar_header_set_id(h, LIT("mx.example.org")) != AR_OK)
        goto end;
    for (int i = 0; i < 12; i++) {
        size_t count = ar_header_result_count(h);
        enum ar_status status = ar_header_add_result(h, "m", "r");
        assert_int_equal(ar_header_result_count(h), count + (status == AR_OK));
        if (status != AR_OK || ar_header_set_reason(h, big, sizeof(big)) != AR_OK ||
            ar_header_add_property(h, "p", "n", big, sizeof(big)) != AR_OK ||
            ar_header_add_comment(h, big, sizeof(big)) != AR_OK)
            goto end;
    }
    if (ar_header_format(h, NULL, &text, &len) != AR_OK)
        goto end;
    struct ar_parse_error error;
    again = ar_header_parse(allocator, text, len, NULL, &error);
    done = again != NULL;
    if (!done)
        assert_int_equal(error.status, AR_NO_MEMORY);
end:
    ar_free(allocator, text);
    ar_header_free(again);
    ar_header_free(h);
    return done;
}

/* Builds an ARC header with comments everywhere, and reads a bad one; as everything(). */
static bool everything_of_arc(const struct ar_allocator *allocator)
{
    static const char part[] =
        ";; a_b=c (x\x01) p.n=\xff:/ reason=\"d\\\\\" e=\ff , g;none;junk \"";
    struct ar_parse_options options = {.kind = AR_KIND_ARC, .lenient = true};
    struct ar_parse_error error = {AR_OK, 0, NULL};
    static char bad[120 * sizeof(part)], comment[1500];
    size_t len = 0;
    bool done = false;

    len += (size_t)sprintf(bad, "(a\\) b) i = 9 (c) ; [mx] one (d) two");
    for (int i = 0; i < 100; i++)
        len += (size_t)sprintf(bad + len, "%s%s", part, i < 99 ? "\"" : "");
    struct ar_header *h = ar_header_new(allocator), *again = NULL;
    if (h == NULL)
        return false;
    memset(comment, 'x', sizeof(comment));
    ar_header_set_instance(h, 3);
    if (ar_header_set_id(h, LIT("mx")) == AR_OK && ar_header_add_result(h, "m", "r") == AR_OK &&
        ar_header_add_comment_at(h, AR_BEFORE_ID, comment, sizeof(comment)) == AR_OK &&
        ar_header_add_comment_at(h, AR_BEFORE_METHOD, comment, sizeof(comment)) == AR_OK) {
        again = ar_header_parse(allocator, bad, len, &options, &error);
        done = again != NULL;
        assert_int_equal(error.status, done ? AR_OK : AR_NO_MEMORY);
    }
    if (done) {
        assert_int_equal(ar_header_instance(again), 9);
        assert_int_equal(ar_header_result_count(again), 100);
    }
    ar_header_free(again);
    ar_header_free(h);
    return done;
}

/* Whichever piece of memory is missing first: an error, no leak, no crash. */
static void assert_survives(bool (*work)(const struct ar_allocator *allocator))
{
    long given = 0;
    for (bool done = false; !done; given++) {
        struct counting counting = {.left = given};
        struct ar_allocator allocator = {counting_alloc, counting_free, &counting};
        done = work(&allocator);
        assert_int_equal(counting.taken, counting.given_back);
        assert_true(given < 1000);
    }
    assert_true(given > 5);
}

static void each_allocation_fails(void **state)
{
    (void)state;
    assert_survives(everything);
    assert_survives(everything_of_arc);
}

/* The only piece of memory ends at every octet of a header in turn, whatever is read there. */
static void memory_ends_anywhere(void **state)
{
    (void)state;
    static const char rest[] =
        "; i=1; [m]\\x one (c) two; ; (d) a_b/1=c (e) reason=f:/ p.n=\xff \"g\" q=\"h\\\"\" ,;"
        " none (i) j; k; l=m o.p=q@r.st (s) ; (t)";
    static const char legal[] = "mx (c); (d) a/1=c (e) reason=f p.n=v (s)";
    char text[4096];
    size_t refused = 0, read = 0;

    for (size_t pad = 0; pad < 3500; pad++) {
        for (int lenient = 0; lenient < 2; lenient++) {
            memset(text, 'x', pad + 1);
            text[0] = '(';
            text[pad + 1] = ')';
            strcpy(text + pad + 2, lenient ? rest : legal);
            size_t len = strlen(text);
            struct counting counting = {.left = 1};
            struct ar_allocator allocator = {counting_alloc, counting_free, &counting};
            struct ar_parse_options options = {.lenient = lenient};
            struct ar_parse_error error = {AR_OK, 0, NULL};
            struct ar_header *h = ar_header_parse(&allocator, text, len, &options, &error);
            assert_int_equal(error.status, h != NULL ? AR_OK : AR_NO_MEMORY);
            refused += h == NULL;
            read += h != NULL;
            ar_header_free(h);
            assert_int_equal(counting.taken, counting.given_back);
        }
    }
    assert_true(refused > 0 && read > 0);
}

/* A refused call leaves the header as it was. */
static void refusal_changes_nothing(void **state)
{
    (void)state;
    static char big[100000];
    memset(big, 'x', sizeof(big));
    struct counting counting = {.left = -1};
    struct ar_allocator allocator = {counting_alloc, counting_free, &counting};
    struct ar_header *h = ar_header_new(&allocator);
    assert_int_equal(ar_header_set_id(h, LIT("mx")), AR_OK);
    assert_int_equal(ar_header_add_result(h, "m", "r"), AR_OK);
    assert_int_equal(ar_header_set_reason(h, LIT("why")), AR_OK);
    counting.left = 0;
    assert_int_equal(ar_header_set_reason(h, big, sizeof(big)), AR_NO_MEMORY);
    assert_int_equal(ar_header_add_property(h, "p", "n", big, sizeof(big)), AR_NO_MEMORY);
    assert_int_equal(ar_header_add_comment(h, big, sizeof(big)), AR_NO_MEMORY);
    char *text = NULL;
    assert_int_equal(ar_header_format(h, NULL, &text, NULL), AR_NO_MEMORY);
    assert_null(text);
    counting.left = -1;
    assert_int_equal(ar_header_format(h, NULL, &text, NULL), AR_OK);
    assert_string_equal(text, "mx; m=r reason=\"why\"");
    ar_free(&allocator, text);
    ar_header_free(h);
    assert_int_equal(counting.taken, counting.given_back);
}

/* The hot path: an ordinary header takes one piece of memory, its text another. */
static void few_allocations(void **state)
{
    (void)state;
    struct counting counting = {.left = -1};
    struct ar_allocator allocator = {counting_alloc, counting_free, &counting};
    struct ar_header *h = ar_header_new(&allocator);
    assert_int_equal(ar_header_set_id(h, LIT("mx.example.org")), AR_OK);
    static const char *const methods[] = {"spf", "dkim", "dmarc", "arc"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ar_header_add_result(h, methods[i], "pass"), AR_OK);
        assert_int_equal(ar_header_add_property(h, "header", "d", LIT("example.com")), AR_OK);
        assert_int_equal(ar_header_add_property(h, "header", "s", LIT("selector")), AR_OK);
    }
    char *text;
    assert_int_equal(ar_header_format(h, NULL, &text, NULL), AR_OK);
    assert_int_equal(counting.taken, 2);
    ar_free(&allocator, text);
    ar_header_free(h);
}

struct arena {
    _Alignas(max_align_t) char memory[8192];
    size_t used;
};

static void *arena_alloc(void *user, size_t size)
{
    struct arena *arena = user;
    size = (size + 15) / 16 * 16;
    if (sizeof(arena->memory) - arena->used < size)
        return NULL;
    arena->used += size;
    return arena->memory + arena->used - size;
}

/* An arena has no free. */
static void arena_without_free(void **state)
{
    (void)state;
    static struct arena arena;
    struct ar_allocator allocator = {arena_alloc, NULL, &arena};
    struct ar_header *h = ar_header_new(&allocator);
    char *text;
    assert_non_null(h);
    assert_int_equal(ar_header_set_id(h, LIT("mx")), AR_OK);
    assert_int_equal(ar_header_format(h, NULL, &text, NULL), AR_OK);
    assert_string_equal(text, "mx; none");
    assert_true(text > arena.memory && text < arena.memory + arena.used);
    ar_free(&allocator, text);
    ar_header_free(h);
    size_t used = arena.used;
    struct ar_parse_error error;
    assert_null(ar_header_parse(&allocator, LIT("mx; m"), NULL, &error));
    assert_true(arena.used > used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails),   cmocka_unit_test(memory_ends_anywhere),
        cmocka_unit_test(refusal_changes_nothing), cmocka_unit_test(few_allocations),
        cmocka_unit_test(arena_without_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
