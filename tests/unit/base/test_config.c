#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/failing_alloc.h"
#include "tests/support/sample_schema.h"

static struct am_problem problem;

static struct am_config *parse(const char *text)
{
    return am_config_parse(sample_schema, text, "f", NULL, 0, &problem);
}

static const struct sample_main *main_of(const struct am_config *config)
{
    return am_config_section(config, "main");
}

static const struct sample_rule *rule_of(const struct am_config *config, size_t index)
{
    return am_config_item(config, "rule", index);
}

static void values_and_order_are_kept(void **state)
{
    struct am_config *config =
        parse("# comment {\n"
              "main { flag = on count = 7 /* c */ text = \"a\\\"\\\\\\$\\n\\tb\"\n"
              " list = { \"x, y\", # first\n z, } nets = 192.0.2.1 wait = 5s // end\n"
              " secret = 'it\\'s' }\n"
              "rule \"b\" { action = hold sender = { one } }\n"
              "rule a { client = { 10.0.0.0/8 } }\n"
              "rule \"c\" {}\n");

    (void)state;
    assert_non_null(config);
    assert_true(main_of(config)->flag);
    assert_string_equal(main_of(config)->text, "a\"\\$\n\tb");
    assert_int_equal(main_of(config)->list.count, 2);
    assert_string_equal(main_of(config)->list.items[0], "x, y");
    assert_int_equal(main_of(config)->nets.count, 1);
    assert_int_equal(main_of(config)->wait_ms, 5000);
    assert_int_equal(main_of(config)->size, 65536);
    assert_string_equal(main_of(config)->secret, "it's");
    assert_int_equal(am_config_count(config, "rule"), 3);
    assert_string_equal(rule_of(config, 0)->title, "b");
    assert_int_equal(rule_of(config, 0)->action, 2);
    assert_string_equal(rule_of(config, 1)->title, "a");
    assert_int_equal(rule_of(config, 1)->client.count, 1);
    assert_string_equal(rule_of(config, 2)->title, "c");
    assert_int_equal(rule_of(config, 2)->action, 1);
    assert_null(rule_of(config, 3));
    assert_null(am_config_section(config, "nothing"));
    am_config_free(config);
}

static void odd_forms_keep_every_character(void **state)
{
    struct am_config *config =
        parse("\xEF\xBB\xBFmain {\r\n text = /a*b+(c)//d/\r\n list = {}\r\n}\r\n");

    (void)state;
    assert_non_null(config);
    assert_string_equal(main_of(config)->text, "/a*b+(c)//d/");
    assert_int_equal(main_of(config)->list.count, 0);
    am_config_free(config);
    config = parse("");
    assert_non_null(config);
    assert_int_equal(main_of(config)->list.count, 2);
    am_config_free(config);
    config = parse("main { text = '${HOME}' list = { \"~/x\" } }");
    assert_string_equal(main_of(config)->text, "${HOME}");
    assert_string_equal(main_of(config)->list.items[0], "~/x");
    am_config_free(config);
}

static void mistakes_have_their_line(void **state)
{
    static const char *const cases[][2] = {
        {"# c\n/* c\n*/ main {\n wait = \"20 parsecs\" }",
         "f:4: main.wait: \"20 parsecs\" is not a"},
        {"rule r {\n\n action = x }", "f:3: rule \"r\": action: \"x\" is not one of its words"},
        {"main {\n list = { a,\n # c\n b! } }", "f:4: main.list: \"b!\" holds"},
        {"main {\n\n wiat = 2s }",
         "f:3: unknown option \"wiat\" in section main; did you mean \"wait\"?"},
        {"main { colour = x }", "f:1: unknown option \"colour\" in section main; --list-options"},
        {"main { action = x }",
         "unknown option \"action\" in section main; it belongs to section rule"},
        {"\nmian {}", "f:2: unknown section \"mian\""},
        {"wait = 2s", "f:1: option \"wait\" stands outside a section; write main { wait = ... }"},
        {"main {}\nmain {}", "f:2: section \"main\" comes a second time, first in line 1"},
        {"main { wait = 1s\nwait = 2s }",
         "f:2: option \"wait\" comes a second time, first in line 1"},
        {"main { list = {}\nlist = {} }", "f:2: option \"list\" comes a second time"},
        {"rule a {}\nrule a {}", "f:2: \"a\" is the name of an earlier section of this kind"},
        {"rule {}", "f:1: section \"rule\" needs a name of its own"},
        {"main x {}", "f:1: \"{\" is missing after section \"main\""},
        {"main\n= { }", "\"{\" is missing after section \"main\""},
        {"main { wait = { 2s } }", "f:1: option \"wait\" takes one value, not a list"},
        {"main { wait = }", "f:1: option \"wait\" has no value after \"=\""},
        {"main { wait 2s }", "f:1: \"=\" and a value are missing after option \"wait\""},
        {"main { list = { a b } }", "f:1: \"b\" is not expected here; a comma separates"},
        {"main { list = { , } }", "f:1: \",\" is not expected here"},
        {"main { list += { a } }", "f:1: \"+=\" is not used here"},
        {"main { list = { {", "f:1: a second \"{\" inside the list that began in line 1"},
        {"\nmain {\n wait = 2s\n", "f:2: the \"{\" in this line is never closed"},
        {"main { list = {\n a }", "f:1: the \"{\" in this line is never closed"},
        {"main { list =\n { a", "f:2: the \"{\" in this line is never closed"},
        {"main {\n wait = 2s\nrule a {}\n",
         "f:3: a section begins inside the section that began in line 1"},
        {"main {}\n}", "f:2: \"}\" closes nothing"},
        {"{ }", "f:1: \"{\" without a section's name in front"},
        {"main { = 3 }", "f:1: \"=\" without an option's name in front"},
        {"main { a|b = 3 }", "f:1: \"a|b\" is not an option's name"},
        {"main { text = \"a\nb\" }",
         "f:1: a string is not closed on its line; the second double quote"},
        {"main { text = 'a", "f:1: a string is not closed on its line; the second single quote"},
        {"main { text = \"a\\qb\" }", "f:1: a backslash in double quotes goes before one of"},
        {"main { text = \"${HOME}\" }", "f:1: \"${\" looks like an environment variable"},
        {"main { text = ${HOME} }", "f:1: \"${\" looks like an environment variable"},
        {"main { text = \"a\x01\" }", "f:1: a control character stands inside quotes"},
        {"main { text = a\x02 }", "f:1: a control character (byte 2) stands here"},
        {"main { text = \xFF }", "f:1: this line holds bytes that are not UTF-8"},
        {"main { wait = 2s; }", "f:1: \";\" does not end anything here"},
        {"\n/* open", "f:2: the comment that begins here has no end"},
        {"main", "f:1: the file ends in the middle"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(parse(cases[i][0]));
        if (strstr(problem.text, cases[i][1]) == NULL)
            fail_msg("\"%s\" gave: %s", cases[i][0], problem.text);
    }
}

static void overrides_come_last(void **state)
{
    const char *const good[] = {"main.wait=9s", "main.list=a, b\\,c", "main.text=x=y",
                                "main.nets="};
    static const char *const bad[][2] = {
        {"main.wait", "write section.name=value"},
        {"wait=2s", "write section.name=value"},
        {".wait=2s", "write section.name=value"},
        {"main.=2s", "write section.name=value"},
        {"mein.wait=2s", "unknown section \"mein\"; did you mean \"main\"?"},
        {"main.wiat=2s", "unknown option \"wiat\"; did you mean \"wait\"?"},
        {"main.wait=2", "-o main.wait: \"2\" is not a duration"},
        {"rule.action=hold", "may come many times and cannot be set with -o"},
    };
    struct am_config *config =
        am_config_parse(sample_schema, "main { wait = 1s nets = ::1 }", "f", good, 4, &problem);

    (void)state;
    assert_non_null(config);
    assert_int_equal(main_of(config)->wait_ms, 9000);
    assert_int_equal(main_of(config)->list.count, 2);
    assert_string_equal(main_of(config)->list.items[1], "b,c");
    assert_string_equal(main_of(config)->text, "x=y");
    assert_int_equal(main_of(config)->nets.count, 0);
    am_config_free(config);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(am_config_load(sample_schema, NULL, &bad[i][0], 1, &problem));
        assert_non_null(strstr(problem.text, bad[i][1]));
    }
}

static char *print(const struct am_config *config, bool non_default_only)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    am_config_print(config, non_default_only, out);
    fclose(out);
    return text;
}

static void printed_configuration_loads_again(void **state)
{
    struct am_config *config = parse("main { text = \"\\$\\{\" }");
    struct am_config *again;
    char *text;

    (void)state;
    assert_null(config);
    config =
        parse("main { text = \"\\${x} \\\\ \\\" \\n\\t\" list = { \"a,b\", \"c\\\\d\" } size = 3M "
              "nets = {} }\n"
              "rule \"o'\\\"n\\\\e\" { client = { 10.0.0.0/8, ::1 } }\nrule two { action = hold }");
    assert_non_null(config);
    for (int short_form = 0; short_form < 2; short_form++) {
        text = print(config, short_form);
        again = parse(text);
        assert_non_null(again);
        assert_true(am_config_digest(again, NULL) == am_config_digest(config, NULL));
        am_config_free(again);
        free(text);
    }
    am_config_free(config);
    config = parse("");
    text = print(config, true);
    assert_string_equal(text, "");
    free(text);
    am_config_free(config);
    config = parse("main { secret = \"key\" }");
    text = print(config, true);
    assert_string_equal(text, "main {\n    secret = \"(secret)\"\n}\n");
    free(text);
    am_config_free(config);
}

static void digests_tell_values_apart(void **state)
{
    struct am_config *a = parse("main { wait = 1m } rule x {}"),
                     *b = parse("main { wait = 60s } rule y {}");
    struct am_config *c = parse("main { secret = a }"), *d = parse("main { secret = b }");

    (void)state;
    assert_true(am_config_digest(a, "main") == am_config_digest(b, "main"));
    assert_true(am_config_digest(a, "rule") != am_config_digest(b, "rule"));
    assert_true(am_config_digest(a, NULL) != am_config_digest(b, NULL));
    assert_true(am_config_digest(c, "main") != am_config_digest(d, "main"));
    am_config_free(a);
    am_config_free(b);
    am_config_free(c);
    am_config_free(d);
}

static void start_only_options_stay(void **state)
{
    struct am_config *running = parse("main { list = { old } wait = 1s }");
    struct am_config *target = parse("main { list = { new } wait = 2s }");
    struct am_buf changed;

    (void)state;
    am_buf_init(&changed, 0);
    assert_int_equal(am_config_keep_start_only(target, running, &changed), 1);
    assert_string_equal(am_buf_str(&changed), "main.list");
    am_config_free(running); /* the kept value must be a copy */
    assert_string_equal(main_of(target)->list.items[0], "old");
    assert_int_equal(main_of(target)->wait_ms, 2000);
    am_config_free(target);
    am_buf_fini(&changed);
}

static void options_are_listed_one_a_line(void **state)
{
    char *text = NULL;
    size_t size, lines = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    am_config_list_options(sample_schema, out);
    fclose(out);
    assert_non_null(strstr(text, "main.wait      time: 1ms to 1m               2s "));
    assert_non_null(strstr(text, "rule[].action  word: accept, reject or hold"));
    assert_null(strchr(text, '\t'));
    for (const char *p = text; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 13);
    free(text);
}

static void files_are_checked_before_they_are_read(void **state)
{
    char path[] = "authmilter-config-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    struct am_config *config;

    (void)state;
    fputs("main { count = 9 }", file);
    fflush(file);
    config = am_config_load(sample_schema, path, NULL, 0, &problem);
    assert_non_null(config);
    assert_int_equal(main_of(config)->count, 9);
    am_config_free(config);
    fputc('\0', file);
    fflush(file);
    assert_null(am_config_load(sample_schema, path, NULL, 0, &problem));
    assert_non_null(strstr(problem.text, "holds a NUL byte"));
    assert_int_equal(ftruncate(fileno(file), (1 << 20) + 1), 0);
    assert_null(am_config_load(sample_schema, path, NULL, 0, &problem));
    assert_non_null(strstr(problem.text, "is larger than 1 MiB"));
    fclose(file);
    unlink(path);
    assert_null(am_config_load(sample_schema, path, NULL, 0, &problem));
    assert_non_null(strstr(problem.text, "cannot be opened: No such file or directory"));
    assert_null(am_config_load(sample_schema, "/", NULL, 0, &problem));
    assert_non_null(strstr(problem.text, "is a directory"));
}

/* Fails each allocation of ours in turn; the sanitizer watches that nothing leaks. */
static void every_failing_allocation_is_survived(void **state)
{
    const char *const overrides[] = {"main.list=p,q"};
    struct am_config *config;
    size_t count = 0;
    bool fired;

    (void)state;
    do {
        problem.text[0] = '\0';
        failing_alloc_start(count++);
        config = am_config_parse(sample_schema,
                                 "main { list = { a, b } text = x } rule r { client = ::1 }", "f",
                                 overrides, 1, &problem);
        fired = failing_alloc_stop();
        assert_int_equal(config == NULL, fired);
        if (fired)
            assert_non_null(strstr(problem.text, "memory is short"));
        am_config_free(config);
    } while (fired);
    assert_in_range(count, 5, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_order_are_kept),
        cmocka_unit_test(odd_forms_keep_every_character),
        cmocka_unit_test(mistakes_have_their_line),
        cmocka_unit_test(overrides_come_last),
        cmocka_unit_test(printed_configuration_loads_again),
        cmocka_unit_test(digests_tell_values_apart),
        cmocka_unit_test(start_only_options_stay),
        cmocka_unit_test(options_are_listed_one_a_line),
        cmocka_unit_test(files_are_checked_before_they_are_read),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
