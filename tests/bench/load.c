/*
 * load --socket S [--connections N] [--messages M | --seconds S] [--rate R] [--size BYTES]
 *      [--message FILE | --message DIRECTORY] [--sender PATTERN] [--senders N] [--random]
 *      [--client ADDRESS] [--helo NAME]
 *      [--stuck N --stuck-sender PATTERN] [--idle N] [--pid PID] [--report SECONDS]
 *      [--then SOCKET [--pid PID] [--with FILE | --with DIRECTORY]]...
 * load --socket S --terms        prints what the milter asks for in negotiation
 *
 * --then names a further milter in a row, which gets what the one before it has let through; --pid
 * is that of the milter named last. No edit is carried out: --with names the message as the milters
 * before the one named last make it. Of a directory each message is drawn. Prints one line of
 * name=value pairs.
 */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flag {
    const char *name;
    unsigned *number;
    const char **text;
};

/* Takes what was just read: a further milter, or the process of the last one. */
static bool add_milter(struct load_options *options, const char **socket, unsigned *pid,
                       const char **with)
{
    if (*socket != NULL && options->row_count == LOAD_ROW_MAX)
        return false;
    if (*socket != NULL)
        options->row[options->row_count++].socket = *socket;
    if ((*pid != 0 || *with != NULL) && options->row_count == 0)
        return false;
    if (*pid != 0)
        options->row[options->row_count - 1].pid = (pid_t)*pid;
    if (*with != NULL)
        options->row[options->row_count - 1].message = *with;
    *socket = NULL;
    *with = NULL;
    *pid = 0;
    return true;
}

static bool parse(int argc, char **argv, struct load_options *options, bool *terms)
{
    const char *socket = NULL, *with = NULL;
    unsigned pid = 0;
    const struct flag flags[] = {
        {"--socket", NULL, &socket},
        {"--then", NULL, &socket},
        {"--connections", &options->connections, NULL},
        {"--messages", &options->messages, NULL},
        {"--seconds", &options->seconds, NULL},
        {"--rate", &options->rate, NULL},
        {"--size", &options->size, NULL},
        {"--sender", NULL, &options->sender},
        {"--senders", &options->senders, NULL},
        {"--client", NULL, &options->client},
        {"--helo", NULL, &options->helo},
        {"--stuck", &options->stuck, NULL},
        {"--stuck-sender", NULL, &options->stuck_sender},
        {"--idle", &options->idle, NULL},
        {"--pid", &pid, NULL},
        {"--with", NULL, &with},
        {"--report", &options->report_s, NULL},
        {"--message", NULL, &options->message},
    };
    for (int i = 1; i < argc; i++) {
        size_t k = 0;
        if (strcmp(argv[i], "--terms") == 0) {
            *terms = true;
            continue;
        }
        if (strcmp(argv[i], "--random") == 0) {
            options->random_sender = true;
            continue;
        }
        while (k < sizeof(flags) / sizeof(flags[0]) && strcmp(flags[k].name, argv[i]) != 0)
            k++;
        if (k == sizeof(flags) / sizeof(flags[0]) || i + 1 == argc)
            return false;
        i++;
        if (flags[k].text != NULL)
            *flags[k].text = argv[i];
        else
            *flags[k].number = (unsigned)strtoul(argv[i], NULL, 10);
        if (!add_milter(options, &socket, &pid, &with))
            return false;
    }
    return options->row_count > 0 && options->senders > 0;
}

static int print_terms(const struct load_options *options)
{
    struct am_problem problem = {""};
    struct mta_options mta = {.socket = options->row[0].socket};
    struct mta_session *session = mta_open(&mta, &problem);
    if (session == NULL) {
        fprintf(stderr, "load: %s\n", problem.text);
        return 1;
    }
    printf("0x%x 0x%x\n", mta_terms(session)->steps, mta_terms(session)->actions);
    mta_close(session);
    return 0;
}

int main(int argc, char **argv)
{
    struct load_options options = {.connections = 8,
                                   .seconds = 2,
                                   .size = 1400,
                                   .sender = "user@example.com",
                                   .senders = 1,
                                   .client = "192.0.2.1",
                                   .helo = "client.example",
                                   .stuck_sender = "user@silent.example"};
    struct load_result result;
    struct am_problem problem = {""};
    bool terms = false;
    if (!parse(argc, argv, &options, &terms)) {
        fprintf(stderr, "load: wrong usage; see the head of its source\n");
        return 64;
    }
    if (terms)
        return print_terms(&options);
    if (!load_run(&options, &result, &problem)) {
        fprintf(stderr, "load: %s\n", problem.text);
        return 1;
    }
    printf("messages=%llu seconds=%.2f rate=%.0f p50_us=%ld p90_us=%ld p99_us=%ld max_us=%ld "
           "cpu_us=%.1f rss_kb=%ld fds=%ld threads=%ld accepted=%llu refused=%llu deferred=%llu "
           "edits=%llu errors=%llu\n",
           (unsigned long long)result.messages, result.seconds,
           (double)result.messages / result.seconds, result.p50_us, result.p90_us, result.p99_us,
           result.max_us, result.cpu_us, result.rss_kb, result.descriptors, result.threads,
           (unsigned long long)result.accepted, (unsigned long long)result.refused,
           (unsigned long long)result.deferred, (unsigned long long)result.edits,
           (unsigned long long)result.errors);
    return result.errors == 0 ? 0 : 1;
}
