/*
 * Times authres on the header field in a file.
 *
 *     bench_ar FILE WHAT COUNT [arena]
 *
 * WHAT is "parse" (text to header), "format" (header to text), or "build" (a header of the same
 * four results from its parts to text, as a milter does it). Prints the nanoseconds of processor
 * time, the calls of the allocator and the octets it gave, each for one header. With "arena" the
 * memory is cut from one block that is used again for the next header.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authres/authres.h"

struct bench {
    struct ar_allocator allocator;
    unsigned long calls, octets;
    const char *value;
    size_t len;
    struct ar_header *parsed;
};

static _Alignas(max_align_t) char block[16384];
static size_t block_used;

static void *count_alloc(void *user, size_t size)
{
    struct bench *bench = user;

    bench->calls++;
    bench->octets += size;
    return malloc(size);
}

static void count_free(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

static void *arena_alloc(void *user, size_t size)
{
    size_t start = block_used;

    (void)user;
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (size > sizeof(block) - start)
        return NULL;
    block_used += size;
    return block + start;
}

static bool parse(struct bench *bench)
{
    struct ar_header *header =
        ar_header_parse(&bench->allocator, bench->value, bench->len, NULL, NULL);

    if (header == NULL)
        return false;
    ar_header_free(header);
    return true;
}

static bool format_header(struct bench *bench, const struct ar_header *header)
{
    char *text;

    if (ar_header_format(header, NULL, &text, NULL) != AR_OK)
        return false;
    ar_free(&bench->allocator, text);
    return true;
}

static bool format(struct bench *bench)
{
    return format_header(bench, bench->parsed);
}

static bool build(struct bench *bench)
{
    static const struct ar_dkim dkim[] = {{"pass", "2048-bit key", NULL, "example.com", "20240601",
                                           NULL, "rsa-sha256", "kXq1mD0f3Tz9sWq1LpQ="},
                                          {"fail", "1024-bit key", "body hash did not verify",
                                           "lists.example.net", "s1", NULL, NULL,
                                           "pY/3+aQkZx7Lm2Rt0Vw="}};
    static const struct ar_spf spf = {"pass", "203.0.113.41 is allowed", NULL, "alice@example.com",
                                      "mail.example.com"};
    static const struct ar_dmarc dmarc = {"pass", "p=reject", NULL, "example.com", NULL};
    struct ar_header *header = ar_header_new(&bench->allocator);
    bool good = header != NULL && ar_header_set_id(header, "mx.example.org", 14) == AR_OK &&
                ar_add_spf(header, &spf) == AR_OK && ar_add_dkim_each(header, dkim, 2) == AR_OK &&
                ar_add_dmarc(header, &dmarc) == AR_OK && format_header(bench, header);

    ar_header_free(header);
    return good;
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int run(struct bench *bench, bool (*work)(struct bench *), unsigned long count)
{
    size_t kept = block_used;

    bench->calls = bench->octets = 0;
    double start = now_ns();
    for (unsigned long i = 0; i < count; i++) {
        if (!work(bench)) {
            fputs("bench_ar: a call failed\n", stderr);
            return 1;
        }
        block_used = kept;
    }
    printf("%.1f %.2f %.0f\n", (now_ns() - start) / (double)count,
           (double)bench->calls / (double)count, (double)bench->octets / (double)count);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*work)(struct bench *);
    } works[] = {{"parse", parse}, {"format", format}, {"build", build}};
    static char field[8192];
    struct bench bench = {.allocator = {count_alloc, count_free, &bench}};
    FILE *file = argc >= 4 ? fopen(argv[1], "r") : NULL;

    if (file == NULL) {
        fputs("usage: bench_ar FILE parse|format|build COUNT [arena]\n", stderr);
        return 64;
    }
    size_t len = fread(field, 1, sizeof(field), file), start;
    fclose(file);
    ar_field_kind(field, len, &start);
    bench.value = field + start;
    bench.len = len - start;
    if (argc > 4)
        bench.allocator = (struct ar_allocator){arena_alloc, NULL, NULL};
    bench.parsed = ar_header_parse(&bench.allocator, bench.value, bench.len, NULL, NULL);
    for (size_t i = 0; bench.parsed != NULL && i < sizeof(works) / sizeof(*works); i++) {
        if (strcmp(argv[2], works[i].name) == 0) {
            int status = run(&bench, works[i].work, strtoul(argv[3], NULL, 10));
            ar_header_free(bench.parsed);
            return status;
        }
    }
    fputs("bench_ar: the field cannot be read, or no such work\n", stderr);
    return 1;
}
