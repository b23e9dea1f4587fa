/*
 * bench-dkim make DIRECTORY             a key, its zone and the mails, signed and not
 * bench-dkim time SECONDS               the engine beside the bare work, in this process
 * bench-dkim bare SECONDS               the bare work alone, for tests/bench/dkim/run
 * bench-dkim loop NAME SIZE COUNT       one of them so often, for a profiler; NAME as the table has
 * it
 *
 * Times are of the processor. Of a dozen rounds, in which all take turns, the fastest counts: what
 * else the machine does makes rounds slower, never faster.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/dkim/subject.h"

#define ROUNDS 12
#define KEY_BITS 2048

static const struct {
    const char *name;
    size_t size;
} sizes[] = {{"2k", 2048}, {"50k", 51200}, {"1m", 1048576}, {"10m", 10485760}};
#define SIZE_COUNT (sizeof(sizes) / sizeof(sizes[0]))

static const struct {
    const char *name;
    const struct bench_subject *bare, *engine;
} works[] = {
    {"verify", &bench_bare_verify, &bench_engine_verify},
    {"sign", &bench_bare_sign, &bench_engine_sign},
};
#define WORK_COUNT (sizeof(works) / sizeof(works[0]))

/* What every command needs. */
struct bench {
    struct am_arena *arena;
    struct dkim_private_key *key;
    struct bench_mail plain[SIZE_COUNT], mails[SIZE_COUNT]; /* the second ones signed */
    struct am_problem problem;
};

static bool set_up(struct bench *bench)
{
    bench->arena = am_arena_new(4096, 0);
    if (bench->arena == NULL)
        return am_problem_set(&bench->problem, "out of memory");
    bench->key = dkim_private_key_generate(DKIM_KEY_RSA, KEY_BITS, &bench->problem);
    if (bench->key == NULL)
        return false;
    for (size_t i = 0; i < SIZE_COUNT; i++)
        if (!bench_mail_make(&bench->plain[i], bench->arena, sizes[i].size) ||
            !bench_mail_sign(&bench->mails[i], &bench->plain[i], bench->arena, bench->key,
                             &bench->problem))
            return false;
    return true;
}

static void tear_down(struct bench *bench)
{
    dkim_private_key_free(bench->key);
    am_arena_free(bench->arena);
}

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Runs one for so long; returns the microseconds of each time, or -1 when it came out wrong. */
static double time_once(const struct bench_subject *subject, void *state, double for_us)
{
    double start_us = cpu_us(), now_us;
    unsigned long count = 0, step = 1;

    do {
        for (unsigned long i = 0; i < step; i++)
            if (!subject->run(state))
                return -1;
        count += step;
        now_us = cpu_us();
        step = now_us - start_us < 1000 ? step * 2 : step;
    } while (now_us - start_us < for_us);
    return (now_us - start_us) / (double)count;
}

/* Times a mail with one or two subjects by turns. */
static bool time_by_turns(struct bench *bench, size_t size,
                          const struct bench_subject *const *which, size_t count, double seconds,
                          double *least_us)
{
    void *states[2] = {NULL, NULL};
    bool ok = true;

    for (size_t i = 0; i < count && ok; i++) {
        states[i] = which[i]->open(&bench->mails[size], bench->key, &bench->problem);
        ok = states[i] != NULL;
    }
    for (int round = 0; round < ROUNDS && ok; round++)
        for (size_t i = 0; i < count && ok; i++) {
            double us = time_once(which[i], states[i], seconds * 1e6 / ROUNDS);
            least_us[i] = round == 0 || us < least_us[i] ? us : least_us[i];
            ok = us >= 0 || am_problem_set(&bench->problem, "%s came out wrong", which[i]->name);
        }
    for (size_t i = 0; i < count; i++)
        if (states[i] != NULL)
            which[i]->close(states[i]);
    return ok;
}

static bool time_all(struct bench *bench, double seconds)
{
    printf("%-8s %10s %10s %7s   CPU us per mail\n", "", "bare", "engine", "ratio");
    for (size_t w = 0; w < WORK_COUNT; w++)
        for (size_t i = 0; i < SIZE_COUNT; i++) {
            const struct bench_subject *which[] = {works[w].bare, works[w].engine};
            double us[2];
            if (!time_by_turns(bench, i, which, 2, seconds, us))
                return false;
            printf("%-6s %-4s %7.1f %10.1f %7.3f\n", works[w].name, sizes[i].name, us[0], us[1],
                   us[1] / us[0]);
        }
    return true;
}

static bool time_bare(struct bench *bench, double seconds)
{
    for (size_t w = 0; w < WORK_COUNT; w++)
        for (size_t i = 0; i < SIZE_COUNT; i++) {
            double us;
            if (!time_by_turns(bench, i, &works[w].bare, 1, seconds, &us))
                return false;
            printf("%s_%s=%.1f\n", works[w].name, sizes[i].name, us);
        }
    return true;
}

static bool loop(struct bench *bench, const char *name, const char *size, unsigned long count)
{
    for (size_t w = 0; w < WORK_COUNT; w++)
        for (size_t i = 0; i < SIZE_COUNT; i++) {
            if (strcmp(sizes[i].name, size) != 0 || strncmp(name, works[w].name, strlen(name)) != 0)
                continue;
            void *state = works[w].engine->open(&bench->mails[i], bench->key, &bench->problem);
            while (state != NULL && count-- > 0)
                if (!works[w].engine->run(state))
                    return am_problem_set(&bench->problem, "it came out wrong");
            if (state != NULL)
                works[w].engine->close(state);
            return state != NULL;
        }
    return am_problem_set(&bench->problem, "there is no such thing");
}

/* Writes one file. Returns false with a sentence. */
static bool save(struct bench *bench, const char *dir, const char *name,
                 const struct bench_mail *mail, const char *text)
{
    const char *path = am_arena_printf(bench->arena, "%s/%s", dir, name);
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    bool ok =
        file != NULL && (mail != NULL ? bench_mail_write(mail, file) : fputs(text, file) >= 0);

    if (file != NULL && fclose(file) != 0)
        ok = false;
    return ok || am_problem_set(&bench->problem, "%s/%s cannot be written", dir, name);
}

static bool make(struct bench *bench, const char *dir)
{
    struct am_buf pem;
    const char *zone = bench_mail_zone(bench->arena, bench->key);
    bool ok;

    am_buf_init(&pem, 0);
    ok = zone != NULL && dkim_private_key_write_pem(bench->key, &pem);
    am_buf_add_char(&pem, '\0');
    ok = ok && !pem.failed && save(bench, dir, "zone", NULL, zone) &&
         save(bench, dir, "key.pem", NULL, pem.data);
    am_buf_fini(&pem);
    for (size_t i = 0; i < SIZE_COUNT && ok; i++)
        ok = save(bench, dir, am_arena_printf(bench->arena, "signed-%s", sizes[i].name),
                  &bench->mails[i], NULL) &&
             save(bench, dir, am_arena_printf(bench->arena, "plain-%s", sizes[i].name),
                  &bench->plain[i], NULL);
    return ok;
}

int main(int argc, char **argv)
{
    struct bench bench = {.problem = {""}};
    const char *command = argc > 2 ? argv[1] : "";
    bool ok = set_up(&bench);

    if (!ok)
        ;
    else if (strcmp(command, "make") == 0)
        ok = make(&bench, argv[2]);
    else if (strcmp(command, "time") == 0)
        ok = time_all(&bench, strtod(argv[2], NULL));
    else if (strcmp(command, "bare") == 0)
        ok = time_bare(&bench, strtod(argv[2], NULL));
    else if (strcmp(command, "loop") == 0 && argc > 4)
        ok = loop(&bench, argv[2], argv[3], strtoul(argv[4], NULL, 10));
    else
        ok = am_problem_set(&bench.problem, "wrong usage; see the head of its source");
    if (!ok)
        fprintf(stderr, "bench-dkim: %s\n", bench.problem.text);
    tear_down(&bench);
    return ok ? 0 : 1;
}
