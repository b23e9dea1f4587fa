/*
 * Evaluates generated records with both engines and names every kind of difference.
 *
 *     suite_differential [-v] [zones [seed]]
 *
 * Exit status: 1 when a difference is of no known kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dns/dns_zone.h"
#include "spf-milter/spf.h"
#include "spf-milter/spf_engine_libspf2.h"
#include "tests/suites/differential/generate.h"
#include "tests/suites/differential/kinds.h"

#define CHECKS_PER_ZONE 25

struct run {
    struct generator generator;
    bool verbose;
    unsigned checks, equal, unknown;
    unsigned count[DIFFERENCE_KINDS_MAX];
};

static void show(const struct spf_request *request, const char *client, const char *zone,
                 const struct spf_outcome *ours, const struct spf_outcome *theirs, const char *kind)
{
    printf("%s: ours %s (%s), libspf2 %s (%s): client %s helo %.*s from %.*s\n", kind,
           spf_result_word(ours->result),
           ours->reason ? ours->reason
           : ours->term ? ours->term
                        : "",
           spf_result_word(theirs->result), theirs->reason ? theirs->reason : "", client,
           (int)request->helo.len, request->helo.ptr, (int)request->sender.full.len,
           request->sender.full.ptr);
    if (zone != NULL)
        printf("%s\n", zone);
}

static void compare(struct run *run, struct am_resolver *resolver, const char *zone)
{
    struct am_arena *arena = am_arena_new(65536, 0);
    const char *client = generate_client(&run->generator);
    struct spf_request request = {
        .helo = am_span_str(generate_helo(&run->generator)),
        .receiver = "receiver.example",
        .resolver = resolver,
        .clock = am_clock_system(),
        .deadline_us = AM_NEVER,
    };
    am_ip_parse(&request.client, am_span_str(client));
    am_address_parse(&request.sender, am_span_str(generate_sender(&run->generator)));
    const struct spf_outcome *ours = spf_evaluate(arena, &request);
    const struct spf_outcome *theirs = spf_engine_libspf2.evaluate(arena, &request);
    run->checks++;
    if (ours->result == theirs->result) {
        run->equal++;
    } else {
        const struct difference difference = {&request, ours, theirs, arena};
        int kind = difference_kind(&difference);
        if (kind >= 0)
            run->count[kind]++;
        else
            run->unknown++;
        if (kind < 0 || run->verbose)
            show(&request, client, kind < 0 ? zone : NULL, ours, theirs,
                 kind < 0 ? "UNKNOWN" : difference_kinds[kind].name);
    }
    am_arena_free(arena);
}

static bool run_zone(struct run *run)
{
    struct am_buf zone;
    struct am_problem problem;
    am_buf_init(&zone, 0);
    generate_zone(&run->generator, &zone);
    struct am_resolver *resolver = am_dns_zone_parse(am_buf_str(&zone), "generated", &problem);
    if (resolver == NULL)
        printf("%s\n", problem.text);
    for (unsigned i = 0; resolver != NULL && i < CHECKS_PER_ZONE; i++)
        compare(run, resolver, am_buf_str(&zone));
    bool good = resolver != NULL;
    am_resolver_free(resolver);
    am_buf_fini(&zone);
    return good;
}

int main(int argc, char **argv)
{
    struct run run = {.verbose = argc > 1 && strcmp(argv[1], "-v") == 0};
    int first = 1 + run.verbose;
    unsigned zones = argc > first ? (unsigned)atoi(argv[first]) : 1000;
    run.generator.state = argc > first + 1 ? strtoull(argv[first + 1], NULL, 0) : 7208;
    bool good = true;
    for (unsigned i = 0; i < zones && good; i++)
        good = run_zone(&run);
    printf("%u checks, %u equal, %u different in known ways, %u unknown\n", run.checks, run.equal,
           run.checks - run.equal - run.unknown, run.unknown);
    for (int kind = 0; difference_kinds[kind].name != NULL; kind++)
        printf("%6u  %-16s %s\n", run.count[kind], difference_kinds[kind].name,
               difference_kinds[kind].why);
    return good && run.unknown == 0 ? 0 : 1;
}
