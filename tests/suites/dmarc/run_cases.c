/*
 * run_cases [--at-least N] FILE...: plays the cases of the files, each through the module as a
 * session has it, and says what came out otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/dns/dns_zone.h"
#include "common/milter/play.h"
#include "dmarc-milter/dmarc_module.h"
#include "tests/suites/dmarc/dmarc_case.h"
#include "tests/suites/dmarc/given_module.h"

static const struct am_module *const modules[] = {&given_module, &dmarc_module, NULL};

/* One case that is played. */
struct run {
    const char *path;
    const struct dmarc_test_case *it;
    struct am_arena *arena;
    struct am_outcome outcome;
    bool failed;
};

static void complain(struct run *run, const char *what, const char *wanted, const char *got)
{
    printf("%s:%u: %s: %s is \"%s\", not \"%s\"\n", run->path, run->it->line, run->it->title, what,
           got, wanted);
    run->failed = true;
}

/* --- playing --- */

/* Both checks have run as a rule, and found nothing where a case does not say what. */
static void give_usual(struct run *run)
{
    bool any_spf = false, any_dkim = false;

    for (size_t i = 0; i < run->it->results.count; i++) {
        bool is_dkim = strcmp(run->it->results.items[i].name, "dkim") == 0;
        any_dkim = any_dkim || is_dkim;
        any_spf = any_spf || !is_dkim;
    }
    given.count = 0;
    if (!any_spf && !run->it->unchecked) {
        struct am_result *spf = &given.results[given.count++];
        *spf = (struct am_result){.method = "spf", .result = "none"};
        am_result_add_property(spf, "smtp", "mailfrom", am_span_str("elsewhere.example"));
    }
    if (!any_dkim && !run->it->unchecked)
        given.results[given.count++] = (struct am_result){.method = "dkim", .result = "none"};
}

static bool give(struct run *run)
{
    give_usual(run);
    for (size_t i = 0; i < run->it->results.count; i++) {
        const struct dmarc_case_text *text = &run->it->results.items[i];
        bool is_dkim = strcmp(text->name, "dkim") == 0;
        bool is_helo = strcmp(text->name, "spf-helo") == 0;
        char *word = am_arena_copy(run->arena, am_span_str(text->value));
        char *gap = strchr(word, ' ');
        const char *domain = gap == NULL ? "" : gap + 1;

        if (gap != NULL)
            *gap = '\0';
        if (given.count == GIVEN_MAX)
            return false;
        struct am_result *result = &given.results[given.count++];
        *result = (struct am_result){.method = is_dkim ? "dkim" : "spf", .result = word};
        if (is_dkim && domain[0] != '\0') {
            am_result_add_property(result, "header", "d", am_span_str(domain));
            am_result_add_property(result, "header", "s", am_span_str("sel"));
        } else if (!is_dkim) {
            const char *shown = is_helo ? domain : am_arena_printf(run->arena, "bounce@%s", domain);
            am_result_add_property(result, "smtp", is_helo ? "helo" : "mailfrom",
                                   am_span_str(shown));
        }
    }
    return true;
}

/* The policies of domains are applied unless the case says otherwise. */
static const char *config_of(struct run *run)
{
    static const char *const usual[] = {"fail_reject = reject\n", "fail_quarantine = quarantine\n",
                                        "exempt_local = no\n"};
    const char *text = "authres { authserv_id = mx.example.org }\ndmarc {\n";

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        size_t name = strcspn(usual[i], " ");
        char option[64];

        snprintf(option, sizeof(option), "%.*s =", (int)name, usual[i]);
        if (strstr(run->it->config, option) == NULL)
            text = am_arena_printf(run->arena, "%s%s", text, usual[i]);
    }
    return am_arena_printf(run->arena, "%s%s}\n", text, run->it->config);
}

static bool play(struct run *run, struct am_runtime *runtime, struct am_problem *problem)
{
    const struct dmarc_case_list *fields = &run->it->fields;
    struct am_play_field items[DMARC_CASE_MAX];
    const char *recipient = "<user@example.org>";
    const struct am_play_mail mail = {
        .client = run->it->client,
        .helo = "mail.elsewhere.example",
        .sender = run->it->sender,
        .recipients = {&recipient, 1},
        .fields = items,
        .field_count = fields->count,
    };

    for (size_t i = 0; i < fields->count; i++)
        items[i] = (struct am_play_field){
            fields->items[i].name, am_arena_printf(run->arena, " %s", fields->items[i].value)};
    return am_play(runtime, &mail, run->arena, &run->outcome, problem);
}

static bool open_and_play(struct run *run, struct am_resolver *resolver, struct am_problem *problem)
{
    struct am_runtime_source source = {
        .modules = modules,
        .schema = am_runtime_schema(run->arena, modules),
        .path = "case",
        .text = config_of(run),
        .clock = am_clock_system(),
        .resolver = resolver,
        .reporter = am_play_reporter(),
        .check_only = true,
    };
    struct am_runtime *runtime = am_runtime_load(&source, NULL, problem);

    if (runtime == NULL)
        return false;
    bool played = play(run, runtime, problem);
    am_snapshot_drop(&runtime->snapshot);
    return played;
}

/* --- what came of it --- */

static const char *property_of(struct run *run, const struct am_result *result, const char *ptype)
{
    for (size_t i = 0; i < result->property_count; i++)
        if (strcmp(result->properties[i].ptype, ptype) == 0)
            return am_arena_copy(run->arena, result->properties[i].value);
    return "-";
}

static const char *note_of(const struct run *run, const char *key)
{
    for (size_t i = 0; i < run->outcome.note_count; i++) {
        const struct am_outcome_note *note = &run->outcome.notes[i];

        if (strncmp(note->key, "dmarc_", 6) == 0 && strcmp(note->key + 6, key) == 0)
            return note->value;
    }
    return "-";
}

static void expect(struct run *run, const char *what, const char *wanted, const char *got)
{
    if (strcmp(wanted, got) != 0)
        complain(run, what, wanted, got);
}

/* Takes KEY=VALUE off a line; returns false at its end. */
static bool next_pair(char **line, char **key, char **value)
{
    char *at = *line + strspn(*line, " ");
    char *equals = strchr(at, '=');

    if (equals == NULL)
        return false;
    *equals = '\0';
    *key = at;
    bool quoted = equals[1] == '"';
    *value = equals + 1 + quoted;
    char *end = *value + strcspn(*value, quoted ? "\"" : " ");
    *line = *end == '\0' ? end : end + 1;
    *end = '\0';
    return true;
}

static void expect_part(struct run *run, const char *what, const char *part, const char *whole)
{
    if (whole == NULL || strstr(whole, part) == NULL)
        complain(run, what, part, whole == NULL ? "-" : whole);
}

static void expect_result(struct run *run, const struct dmarc_case_text *wanted,
                          const struct am_result *result)
{
    char *line = am_arena_copy(run->arena, am_span_str(wanted->value)), *key, *value;
    const char *from = "-", *policy = "-", *action = "accept";

    expect(run, "the result", wanted->name, result->result);
    while (next_pair(&line, &key, &value)) {
        if (strcmp(key, "from") == 0)
            from = value;
        else if (strcmp(key, "policy") == 0)
            policy = value;
        else if (strcmp(key, "action") == 0)
            action = value;
        else if (strcmp(key, "reply") == 0)
            expect_part(run, key, value, run->outcome.reply);
        else if (strcmp(key, "reason") == 0)
            expect_part(run, key, value, result->reason);
        else
            expect(run, key, value, note_of(run, key));
    }
    if (from[0] != '*')
        expect(run, "header.from", from, property_of(run, result, "header"));
    expect(run, "policy.dmarc", policy, property_of(run, result, "policy"));
    expect(run, "the action", action, run->outcome.action);
}

static void judge(struct run *run)
{
    size_t index = 0, seen = 0;
    const struct am_result *result;

    while ((result = am_results_next(&run->outcome.results, "dmarc", &index)) != NULL) {
        if (seen < run->it->expected.count)
            expect_result(run, &run->it->expected.items[seen], result);
        seen++;
    }
    if (seen != run->it->expected.count &&
        !(seen == 0 && strcmp(run->it->expected.items[0].name, "nothing") == 0))
        complain(run, "the number of results", run->it->expected.count == 1 ? "one" : "more",
                 seen == 0 ? "none" : "another");
}

static bool run_case(const char *path, const struct dmarc_test_case *it, struct am_arena *arena)
{
    struct run run = {.path = path, .it = it, .arena = arena};
    struct am_problem problem = {""};
    struct am_resolver *resolver = am_dns_zone_parse(it->zone, "zone", &problem);

    if (resolver == NULL || !give(&run) || !open_and_play(&run, resolver, &problem)) {
        printf("%s:%u: %s: %s\n", path, it->line, it->title, problem.text);
        run.failed = true;
    } else {
        judge(&run);
    }
    am_resolver_free(resolver);
    return !run.failed;
}

int main(int argc, char **argv)
{
    size_t played = 0, failed = 0, least = 0;
    int first = 1;

    if (argc > 2 && strcmp(argv[1], "--at-least") == 0) {
        least = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    am_log_open("suite_dmarc", &(struct am_log_options){.level = AM_LOG_ERROR});
    for (int i = first; i < argc; i++) {
        struct dmarc_case_file *file = dmarc_case_file_open(argv[i]);
        struct am_arena *arena = am_arena_new(65536, 0);
        struct dmarc_test_case it;

        while (dmarc_case_next(file, arena, &it)) {
            played++;
            failed += !run_case(argv[i], &it, arena);
            am_arena_reset(arena);
        }
        am_arena_free(arena);
        dmarc_case_file_close(file);
    }
    printf("%zu cases, %zu failed\n", played, failed);
    if (played < least)
        printf("there are to be %zu at least\n", least);
    return failed > 0 || played == 0 || played < least;
}
