/*
 * Runs the published RFC 7208 suite through an engine.
 *
 *     suite_rfc7208 [-v] [engine]
 *
 * Exit status: 0 all passed, 1 some failed, 77 the suite is not there. Another
 * engine than the builtin one is run for comparison only: its failures are counted.
 */
#include <stdio.h>
#include <string.h>

#include "common/dns/dns_zone.h"
#include "spf-milter/spf.h"
#include "tests/support/spf_suite/spf_suite.h"

struct run {
    const struct spf_engine *engine;
    bool prefetch, verbose;
    unsigned passed, failed;
};

static bool explanation_fits(const struct spf_suite_case *test, const struct spf_outcome *outcome)
{
    if (test->explanation == NULL)
        return true;
    return outcome->explanation != NULL && strcmp(outcome->explanation, test->explanation) == 0;
}

static void run_case(struct run *run, struct am_resolver *resolver,
                     const struct spf_suite_case *test)
{
    struct am_arena *arena = am_arena_new(16384, 0);
    struct spf_request request = {
        .identity = SPF_MAILFROM,
        .helo = test->helo,
        .receiver = "receiver.example",
        .resolver = resolver,
        .clock = am_clock_system(),
        .deadline_us = am_deadline_in_ms(am_clock_system(), 20000),
        .prefetch = run->prefetch,
        .want_explanation = true,
        .default_explanation = "DEFAULT",
    };
    am_ip_parse(&request.client, am_span_str(test->host));
    request.sender.is_null = test->mailfrom.len == 0;
    if (!request.sender.is_null)
        am_address_parse(&request.sender, test->mailfrom);
    const struct spf_outcome *outcome = run->engine->evaluate(arena, &request);
    const char *word = spf_result_word(outcome->result);
    bool good = spf_suite_allows(test, word) && explanation_fits(test, outcome);
    run->passed += good;
    run->failed += !good;
    if (!good || run->verbose)
        printf("%s %s%s: got %s (%s) \"%s\", expected %s%s \"%s\"\n", good ? "ok  " : "FAIL",
               test->name, run->prefetch ? " with prefetch" : "", word,
               outcome->reason == NULL ? "no reason" : outcome->reason,
               outcome->explanation == NULL ? "" : outcome->explanation, test->results[0],
               test->results[1] == NULL ? "" : " or another",
               test->explanation == NULL ? "" : test->explanation);
    am_arena_free(arena);
}

static bool run_scenario(struct run *run, const struct spf_suite_scenario *scenario)
{
    struct am_problem problem;
    struct am_resolver *resolver =
        am_dns_zone_parse(scenario->zone, scenario->description, &problem);
    if (resolver == NULL) {
        fprintf(stderr, "%s\n", problem.text);
        return false;
    }
    for (int prefetch = 0; prefetch < 2; prefetch++) {
        run->prefetch = prefetch != 0;
        for (size_t i = 0; i < scenario->case_count; i++)
            run_case(run, resolver, &scenario->cases[i]);
    }
    am_resolver_free(resolver);
    return true;
}

int main(int argc, char **argv)
{
    struct run run = {.engine = &spf_engine_builtin};
    run.verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    if (argc > 1 + run.verbose)
        run.engine = spf_engine_find(argv[1 + run.verbose]);
    if (run.engine == NULL) {
        fprintf(stderr, "no such engine in this build\n");
        return 1;
    }
    int status;
    const struct spf_suite *suite = spf_suite_open(&status);
    if (suite == NULL)
        return status;
    bool ran = true;
    for (size_t i = 0; i < suite->scenario_count; i++)
        ran = run_scenario(&run, &suite->scenarios[i]) && ran;
    spf_suite_free(suite);
    printf("%u passed, %u failed (each case without and with prefetch)\n", run.passed, run.failed);
    bool compared = run.engine != &spf_engine_builtin;
    return ran && run.passed > 0 && (run.failed == 0 || compared) ? 0 : 1;
}
