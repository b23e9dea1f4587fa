#include "support.h"

#include "authres/ar_chars.h"

/* The registries once more, in another form: an edit of the table has to be made here too. */
static const struct {
    const char *method;
    enum ar_registration state;
    const char *source;
    const char *words; /* in order, blanks between */
} results[] = {
    {"arc", AR_ACTIVE, "RFC 8617 section 4.4", "fail none pass"},
    {"auth", AR_ACTIVE, "RFC 8601 section 2.7.4", "fail none pass permerror temperror"},
    {"dkim", AR_ACTIVE, "RFC 8601 section 2.7.1",
     "fail neutral none pass permerror policy temperror"},
    {"dkim-adsp", AR_DEPRECATED, "RFC 5617 section 5.4",
     "discard fail none nxdomain pass permerror temperror unknown"},
    {"dkim-atps", AR_ACTIVE, "RFC 6541 section 8.3", "fail none pass permerror temperror"},
    {"dmarc", AR_ACTIVE, "RFC 9989", "fail none pass permerror temperror"},
    {"dnswl", AR_ACTIVE, "RFC 8904 section 2", "none pass permerror temperror"},
    {"domainkeys", AR_DEPRECATED, "RFC 7601 section 2.7.1",
     "fail neutral none pass permerror policy temperror"},
    {"iprev", AR_ACTIVE, "RFC 8601 section 2.7.3", "fail pass permerror temperror"},
    {"rrvs", AR_ACTIVE, "RFC 7293 section 11", "fail none pass permerror temperror unknown"},
    {"sender-id", AR_DEPRECATED, "RFC 7601 section 2.7.2", "fail"},
    {"sender-id", AR_DEPRECATED, "RFC 5451 section 2.4.2", "hardfail"},
    {"sender-id", AR_DEPRECATED, "RFC 7601 section 2.7.2",
     "neutral none pass permerror policy softfail temperror"},
    {"smime", AR_ACTIVE, "RFC 7281 section 3.1",
     "fail neutral none pass permerror policy temperror"},
    {"spf", AR_ACTIVE, "RFC 8601 section 2.7.2", "fail"},
    {"spf", AR_DEPRECATED, "RFC 5451 section 2.4.2", "hardfail"},
    {"spf", AR_ACTIVE, "RFC 8601 section 2.7.2",
     "neutral none pass permerror policy softfail temperror"},
    {"vbr", AR_ACTIVE, "RFC 6212 section 4", "fail none pass permerror temperror"},
};

static const struct {
    const char *method;
    enum ar_registration state;
    const char *source;
    const char *names; /* in order, blanks between */
} properties[] = {
    {"arc", AR_ACTIVE, "RFC 8617 section 6", "header.oldest-pass smtp.remote-ip"},
    {"auth", AR_ACTIVE, "RFC 8601 section 2.7.4", "smtp.auth smtp.mailfrom"},
    {"dkim", AR_ACTIVE, "RFC 8601 section 2.7.1", "header.a"},
    {"dkim", AR_ACTIVE, "RFC 6008 section 4", "header.b"},
    {"dkim", AR_ACTIVE, "RFC 8601 section 2.7.1", "header.d header.i header.s"},
    {"dkim-adsp", AR_DEPRECATED, "RFC 5617 section 5.3", "header.from"},
    {"dkim-atps", AR_ACTIVE, "RFC 6541 section 8.2", "header.from"},
    {"dmarc", AR_ACTIVE, "RFC 9989", "header.from policy.dmarc"},
    {"dnswl", AR_ACTIVE, "RFC 8904 section 2", "dns.sec dns.zone policy.ip policy.txt"},
    {"domainkeys", AR_DEPRECATED, "RFC 7601 section 6.3", "header.d header.from header.sender"},
    {"iprev", AR_ACTIVE, "RFC 8601 section 2.7.3", "policy.iprev"},
    {"rrvs", AR_ACTIVE, "RFC 7293 section 15.4", "smtp.rcptto"},
    {"sender-id", AR_DEPRECATED, "RFC 5451 section 6.2", "header.*"},
    {"smime", AR_ACTIVE, "RFC 7281 section 3.2",
     "body.smime-identifier body.smime-issuer body.smime-part body.smime-serial"},
    {"spf", AR_ACTIVE, "RFC 8601 section 2.7.2", "smtp.helo smtp.mailfrom"},
    {"vbr", AR_ACTIVE, "RFC 6212 section 4", "header.md header.mv"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Cuts the next word off a list. Returns: false at its end. */
static bool next_word(const char **list, char *word, size_t room)
{
    size_t len = strcspn(*list, " ");

    if (len == 0)
        return false;
    assert_true(len < room);
    memcpy(word, *list, len);
    word[len] = '\0';
    *list += len + strspn(*list + len, " ");
    return true;
}

static void results_are_the_registered_ones(void **state)
{
    (void)state;
    size_t method = 0, row = 0;
    for (size_t i = 0; i < COUNT(results); i++) {
        char word[40];
        if (i > 0 && strcmp(results[i].method, results[i - 1].method) != 0) {
            assert_int_equal(row, ar_registry_method(method)->result_count);
            method++;
            row = 0;
        }
        const struct ar_registered_method *entry = ar_registry_method(method);
        assert_non_null(entry);
        assert_string_equal(entry->method, results[i].method);
        for (const char *list = results[i].words; next_word(&list, word, sizeof(word)); row++) {
            assert_true(row < entry->result_count);
            assert_string_equal(entry->results[row].word, word);
            assert_string_equal(entry->results[row].source, results[i].source);
            assert_int_equal(entry->results[row].state, results[i].state);
            assert_int_equal(ar_registry_result(entry->method, word), results[i].state);
        }
    }
    assert_int_equal(row, ar_registry_method(method)->result_count);
    assert_null(ar_registry_method(method + 1));
    assert_null(ar_registry_method(SIZE_MAX));
}

static void properties_are_the_registered_ones(void **state)
{
    (void)state;
    size_t method = 0, row = 0;
    for (size_t i = 0; i < COUNT(properties); i++) {
        char word[40], name[40];
        if (i > 0 && strcmp(properties[i].method, properties[i - 1].method) != 0) {
            assert_int_equal(row, ar_registry_method(method)->property_count);
            method++;
            row = 0;
        }
        const struct ar_registered_method *entry = ar_registry_method(method);
        assert_non_null(entry);
        assert_string_equal(entry->method, properties[i].method);
        for (const char *list = properties[i].names; next_word(&list, word, sizeof(word)); row++) {
            assert_true(row < entry->property_count);
            const struct ar_registered_property *property = &entry->properties[row];
            snprintf(name, sizeof(name), "%s.%s", property->ptype, property->name);
            assert_string_equal(name, word);
            assert_string_equal(property->source, properties[i].source);
            assert_int_equal(property->state, properties[i].state);
            const char *any = property->name[0] == '*' ? "resent-from" : property->name;
            assert_int_equal(ar_registry_property(entry->method, property->ptype, any),
                             properties[i].state);
            assert_int_equal(ar_registry_ptype(property->ptype), AR_ACTIVE);
        }
    }
    assert_int_equal(row, ar_registry_method(method)->property_count);
    assert_null(ar_registry_method(method + 1));
}

static bool is_keyword(const char *text)
{
    return ar_is_keyword(text, strlen(text));
}

static bool is_source(const char *text)
{
    return strncmp(text, "RFC ", 4) == 0 && text[4] >= '1' && text[4] <= '9';
}

/* Two properties in the order of the table, as one number. */
static int order(const struct ar_registered_property *a, const struct ar_registered_property *b)
{
    int ptype = strcmp(a->ptype, b->ptype);

    return ptype != 0 ? ptype : strcmp(a->name, b->name);
}

/* Sorted without doubles, every name a Keyword in small letters, every row with its source. */
static void table_is_well_formed(void **state)
{
    (void)state;
    const struct ar_registered_method *before = NULL, *entry;
    for (size_t i = 0; (entry = ar_registry_method(i)) != NULL; before = entry, i++) {
        assert_true(before == NULL || strcmp(before->method, entry->method) < 0);
        assert_true(is_keyword(entry->method) && is_source(entry->source));
        assert_true(entry->meaning[0] != '\0');
        assert_true(entry->result_count > 0 && entry->property_count > 0);
        assert_ptr_equal(ar_registry_find(entry->method), entry);
        for (size_t j = 0; j < entry->result_count; j++) {
            const struct ar_registered_result *row = &entry->results[j];
            assert_true(j == 0 || strcmp(row[-1].word, row->word) < 0);
            assert_true(is_keyword(row->word) && is_source(row->source));
            assert_true(row->state == AR_DEPRECATED || row->state == entry->state);
        }
        for (size_t j = 0; j < entry->property_count; j++) {
            const struct ar_registered_property *row = &entry->properties[j];
            assert_true(j == 0 || order(&row[-1], row) < 0);
            assert_true(is_keyword(row->ptype) && is_source(row->source));
            assert_true(is_keyword(row->name) || strcmp(row->name, "*") == 0);
            assert_true(row->meaning[0] != '\0');
            assert_int_equal(row->state, entry->state);
        }
    }
    assert_non_null(before);
}

static void methods_have_their_states_and_sources(void **state)
{
    (void)state;
    static const struct {
        const char *method, *source;
        enum ar_registration state;
    } methods[] = {
        {"arc", "RFC 8617 section 6", AR_ACTIVE},
        {"auth", "RFC 8601 section 2.7.4", AR_ACTIVE},
        {"dkim", "RFC 8601 section 2.7.1", AR_ACTIVE},
        {"dkim-adsp", "RFC 5617 section 5.3", AR_DEPRECATED},
        {"dkim-atps", "RFC 6541 section 8.2", AR_ACTIVE},
        {"dmarc", "RFC 9989", AR_ACTIVE},
        {"dnswl", "RFC 8904 section 2", AR_ACTIVE},
        {"domainkeys", "RFC 7601 section 6.3", AR_DEPRECATED},
        {"iprev", "RFC 8601 section 2.7.3", AR_ACTIVE},
        {"rrvs", "RFC 7293 section 15.4", AR_ACTIVE},
        {"sender-id", "RFC 5451 section 6.2", AR_DEPRECATED},
        {"smime", "RFC 7281 section 3.2", AR_ACTIVE},
        {"spf", "RFC 8601 section 2.7.2", AR_ACTIVE},
        {"vbr", "RFC 6212 section 4", AR_ACTIVE},
    };
    for (size_t i = 0; i < COUNT(methods); i++) {
        const struct ar_registered_method *entry = ar_registry_method(i);
        assert_non_null(entry);
        assert_string_equal(entry->method, methods[i].method);
        assert_string_equal(entry->source, methods[i].source);
        assert_int_equal(entry->state, methods[i].state);
    }
    assert_null(ar_registry_method(COUNT(methods)));
}

static void letter_case_does_not_count(void **state)
{
    (void)state;
    assert_ptr_equal(ar_registry_find("DKIM-Atps"), ar_registry_find("dkim-atps"));
    assert_int_equal(ar_registry_result("SPF", "SoftFail"), AR_ACTIVE);
    assert_int_equal(ar_registry_property("Dkim", "HEADER", "B"), AR_ACTIVE);
    assert_int_equal(ar_registry_ptype("Smtp"), AR_ACTIVE);
    assert_int_equal(ar_registry_result("X-Own", "Odd"), AR_EXPERIMENTAL);
}

static void what_is_not_there_is_unregistered(void **state)
{
    (void)state;
    static const char *const strange[] = {
        "",    "spf2", "sp",    "spf ",    " spf",  "spf\n",      "none", "x",     "x-",
        "x--", "xspf", "X_own", "x-own\r", "x-o n", "x-\xc3\xa9", "*",    "dkim-", "bimi",
    };
    for (size_t i = 0; i < COUNT(strange); i++) {
        assert_null(ar_registry_find(strange[i]));
        assert_int_equal(ar_registry_result(strange[i], "pass"), AR_UNREGISTERED);
        assert_int_equal(ar_registry_property(strange[i], "smtp", "helo"), AR_UNREGISTERED);
        assert_int_equal(ar_registry_property(strange[i], "policy", "own"), AR_UNREGISTERED);
        assert_int_equal(ar_registry_ptype(strange[i]), AR_UNREGISTERED);
        if (strcmp(strange[i], "none") != 0)
            assert_int_equal(ar_registry_result("spf", strange[i]), AR_UNREGISTERED);
        assert_int_equal(ar_registry_property("spf", strange[i], "helo"), AR_UNREGISTERED);
        assert_int_equal(ar_registry_property("spf", "smtp", strange[i]), AR_UNREGISTERED);
    }
    /* Registered, but for another method. */
    assert_int_equal(ar_registry_result("iprev", "none"), AR_UNREGISTERED);
    assert_int_equal(ar_registry_result("dnswl", "fail"), AR_UNREGISTERED);
    assert_int_equal(ar_registry_result("arc", "temperror"), AR_UNREGISTERED);
    assert_int_equal(ar_registry_result("dkim-atps", "neutral"), AR_UNREGISTERED);
    assert_int_equal(ar_registry_property("spf", "header", "from"), AR_UNREGISTERED);
    assert_int_equal(ar_registry_property("rrvs", "smtp", "rrvs"), AR_UNREGISTERED);
    /* The star is no name, and not every word is that of a header field. */
    assert_int_equal(ar_registry_property("sender-id", "header", "*"), AR_UNREGISTERED);
    assert_int_equal(ar_registry_property("sender-id", "header", ""), AR_UNREGISTERED);
    assert_int_equal(ar_registry_property("sender-id", "smtp", "from"), AR_UNREGISTERED);
}

static void private_names(void **state)
{
    (void)state;
    assert_null(ar_registry_find("x-tls"));
    assert_int_equal(ar_registry_result("x-tls", "pass"), AR_EXPERIMENTAL);
    assert_int_equal(ar_registry_result("spf", "x-odd"), AR_EXPERIMENTAL);
    assert_int_equal(ar_registry_result("unknown", "x-odd"), AR_UNREGISTERED);
    assert_int_equal(ar_registry_property("x-tls", "smtp", "cipher"), AR_EXPERIMENTAL);
    assert_int_equal(ar_registry_property("dkim", "header", "x-bits"), AR_EXPERIMENTAL);
    assert_int_equal(ar_registry_property("dkim", "x-tls", "bits"), AR_EXPERIMENTAL);
    assert_int_equal(ar_registry_ptype("x-tls"), AR_EXPERIMENTAL);
    /* RFC 8601 section 2.4 */
    assert_int_equal(ar_registry_property("dkim", "policy", "dkim-rules"), AR_EXPERIMENTAL);
    assert_int_equal(ar_registry_property("dkim", "policy", "two words"), AR_UNREGISTERED);
}

static void ptypes(void **state)
{
    (void)state;
    static const char *const all[] = {"body", "dns", "header", "policy", "smtp"};
    for (size_t i = 0; i < COUNT(all); i++)
        assert_int_equal(ar_registry_ptype(all[i]), AR_ACTIVE);
    assert_int_equal(ar_registry_ptype("envelope"), AR_UNREGISTERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_the_registered_ones),
        cmocka_unit_test(properties_are_the_registered_ones),
        cmocka_unit_test(table_is_well_formed),
        cmocka_unit_test(methods_have_their_states_and_sources),
        cmocka_unit_test(letter_case_does_not_count),
        cmocka_unit_test(what_is_not_there_is_unregistered),
        cmocka_unit_test(private_names),
        cmocka_unit_test(ptypes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
