/*
 * Verifies generated messages with both engines and names every kind of difference.
 *
 *     suite_dkim_differential [-v] [messages [seed]]
 *
 * Exit status: 1 when a difference is of no known kind, when our result is not what is known of the
 * signature, and, with the default messages, when a kind comes up no more.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/dns/dns_zone.h"
#include "dkim-milter/dkim_engine_libopendkim.h"
#include "tests/suites/dkim/grammar.h"
#include "tests/suites/dkim/kinds.h"

#define MESSAGES 5000
#define SEED 8301

struct run {
    const struct forge_key *keys;
    bool verbose;
    unsigned signatures, equal, same_reason, unknown, wrong;
    unsigned count[DIFFERENCE_KINDS_MAX];
};

static const struct dkim_report *verify(const struct dkim_engine *engine,
                                        const struct scenario *scenario,
                                        struct am_resolver *resolver, struct am_arena *arena)
{
    struct dkim_verify_env *env = am_arena_alloc(arena, sizeof(*env));
    struct dkim_fields *fields = am_arena_alloc(arena, sizeof(*fields));

    if (env == NULL || fields == NULL)
        abort();
    *env = (struct dkim_verify_env){
        .arena = arena,
        .resolver = resolver,
        .clock = am_clock_system(),
        .limits = &dkim_limits_default,
        .lookup_deadline_us = AM_NEVER,
    };
    dkim_fields_init(fields, arena, false);
    for (size_t i = 0; i < scenario->field_count; i++)
        if (dkim_fields_add(fields, scenario->fields[i].name, scenario->fields[i].value) == NULL)
            abort();
    if (!dkim_fields_prepare(fields))
        abort();
    struct dkim_verifier *verifier = engine->start(env, fields);
    if (verifier == NULL)
        abort();
    for (size_t at = 0; at < scenario->body.len && engine->wants_body(verifier);) {
        size_t len = scenario->body.len - at < 1000 ? scenario->body.len - at : 1000;

        engine->body(verifier, am_span_of(scenario->body.ptr + at, len));
        at += len;
    }
    return engine->finish(verifier);
}

static void show_text(const char *what, struct am_span text)
{
    printf("  %s: ", what);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < ' ' || c > '~' || c == '\\')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    putchar('\n');
}

static void show(const struct difference *d, uint64_t seed, const char *kind, bool whole)
{
    printf("%s: seed %llu: ours %s (%s), libopendkim %s (%s):%s\n", kind, (unsigned long long)seed,
           dkim_result_word(d->ours->result), dkim_reason_word(d->ours->reason),
           dkim_result_word(d->theirs->result), dkim_reason_word(d->theirs->reason),
           d->signature->oddities);
    if (!whole)
        return;
    show_text("signature", d->text);
    show_text("record", am_span_str(d->signature->record_text));
    show_text("body", d->scenario->body);
    for (size_t i = 0; i < d->scenario->field_count; i++)
        if (d->scenario->fields[i].value.ptr != d->text.ptr) {
            show_text("name", d->scenario->fields[i].name);
            show_text("value", d->scenario->fields[i].value);
        }
}

/* Tells whether we call a signature malformed that is not, or the other way round. */
static bool misreads(const struct difference *d)
{
    bool accepts = grammar_accepts_signature(d->text);

    switch (d->ours->reason) {
    case DKIM_REASON_SIGNATURE_SYNTAX:
    case DKIM_REASON_BAD_B:
    case DKIM_REASON_BAD_D:
    case DKIM_REASON_BAD_H:
    case DKIM_REASON_BAD_I:
    case DKIM_REASON_BAD_L:
    case DKIM_REASON_BAD_Q:
    case DKIM_REASON_BAD_S:
    case DKIM_REASON_BAD_T:
    case DKIM_REASON_BAD_X:
        return accepts;
    default:
        return d->ours->result == DKIM_PASS && !accepts;
    }
}

/* Tells whether our result is what is known of a signature. */
static bool is_known(const struct difference *d)
{
    if (misreads(d))
        return false;
    if (d->signature->verdict == VERDICT_RIGHT)
        return d->signature->partial ? d->ours->reason == DKIM_REASON_LENGTH_INCOMPLETE
                                     : d->ours->result == DKIM_PASS;
    return d->signature->verdict != VERDICT_WRONG || d->ours->result != DKIM_PASS;
}

static void compare(struct run *run, const struct difference *d, uint64_t seed)
{
    run->signatures++;
    if (!is_known(d)) {
        run->wrong++;
        show(d, seed, "WRONG", true);
    }
    if (d->ours->result == d->theirs->result) {
        run->equal++;
        run->same_reason += d->ours->reason == d->theirs->reason;
        return;
    }
    int kind = difference_kind(d);
    if (kind >= 0)
        run->count[kind]++;
    else
        run->unknown++;
    if (kind < 0 || run->verbose)
        show(d, seed, kind < 0 ? "UNKNOWN" : difference_kinds[kind].name, kind < 0);
}

/* The field that holds a signature; they stay in order. */
static size_t field_of(const struct scenario *scenario, size_t signature)
{
    for (size_t i = 0; i < scenario->field_count; i++)
        if (am_span_starts_nocase(scenario->fields[i].name, am_span_str("dkim-signature")) &&
            signature-- == 0)
            return i;
    abort();
}

static bool run_message(struct run *run, uint64_t seed)
{
    struct am_arena *arena = am_arena_new(1 << 18, 0);
    struct scenario *scenario = am_arena_alloc(arena, sizeof(*scenario));
    struct am_problem problem = {.text = ""};

    scenario_make(scenario, arena, run->keys, seed);
    struct am_resolver *resolver = am_dns_zone_parse(scenario->zone, "generated", &problem);
    if (resolver == NULL) {
        printf("seed %llu: %s\n%s\n", (unsigned long long)seed, problem.text, scenario->zone);
        am_arena_free(arena);
        return false;
    }
    const struct dkim_report *ours = verify(&dkim_engine_builtin, scenario, resolver, arena);
    const struct dkim_report *theirs = verify(&dkim_engine_libopendkim, scenario, resolver, arena);
    bool good = ours->count == scenario->signature_count && theirs->count == ours->count;
    for (size_t i = 0; good && i < ours->count; i++) {
        const struct difference difference = {
            .scenario = scenario,
            .signature = &scenario->signatures[i],
            .text = scenario->fields[field_of(scenario, i)].value,
            .ours = &ours->outcomes[i],
            .theirs = &theirs->outcomes[i],
        };
        compare(run, &difference, seed);
    }
    if (!good)
        printf("seed %llu: %zu outcomes and %zu of %zu\n", (unsigned long long)seed, ours->count,
               theirs->count, scenario->signature_count);
    am_arena_free(arena);
    am_resolver_free(resolver);
    return good;
}

int main(int argc, char **argv)
{
    struct run run = {.verbose = argc > 1 && strcmp(argv[1], "-v") == 0};
    int first = 1 + run.verbose;
    bool is_default = argc <= first;
    unsigned messages = is_default ? MESSAGES : (unsigned)atoi(argv[first]);
    uint64_t seed = argc > first + 1 ? strtoull(argv[first + 1], NULL, 0) : SEED;
    struct am_arena *arena = am_arena_new(4096, 0);
    struct forge_key keys[FORGE_KEYS];
    bool good = forge_keys_read(keys, arena);

    run.keys = keys;
    for (unsigned i = 0; i < messages && good; i++)
        good = run_message(&run, seed + i);
    unsigned missing = 0;
    printf("%u signatures: %u equal (%u with the same reason), %u different in known ways, "
           "%u unknown; %u of ours wrong; %lu processes of libopendkim died\n",
           run.signatures, run.equal, run.same_reason, run.signatures - run.equal - run.unknown,
           run.unknown, run.wrong, dkim_engine_libopendkim_failures());
    for (int kind = 0; difference_kinds[kind].name != NULL; kind++) {
        printf("%6u  %-18s %s\n", run.count[kind], difference_kinds[kind].name,
               difference_kinds[kind].why);
        missing += run.count[kind] == 0;
    }
    if (is_default && missing > 0)
        printf("%u kinds come up no more\n", missing);
    am_arena_free(arena);
    return good && run.unknown == 0 && run.wrong == 0 && !(is_default && missing > 0) ? 0 : 1;
}
