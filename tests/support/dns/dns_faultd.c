/*
 * A name server for scenarios and benchmarks: answers from a master file,
 * prints "127.0.0.1:port" and serves until it gets SIGTERM or SIGINT.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dns/dns_server.h"

static int usage(void)
{
    fprintf(stderr, "usage: dns-faultd ZONEFILE [--port N] [--delay-ms N] [--silent NAME]\n");
    return 64;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t capacity = 0;

    if (file == NULL)
        return NULL;
    if (getdelim(&text, &capacity, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    struct am_problem problem = {""};
    unsigned port = 0, delay_ms = 0;
    sigset_t ends;
    int signal_number;

    if (argc < 2)
        return usage();
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 == argc)
            return usage();
        if (strcmp(argv[i], "--port") == 0)
            port = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--delay-ms") == 0)
            delay_ms = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--silent") != 0)
            return usage();
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    char *zone = read_file(argv[1]);
    if (zone == NULL) {
        perror(argv[1]);
        return 66;
    }
    struct dns_server *server = dns_server_new(zone, (uint16_t)port, &problem);
    free(zone);
    if (server == NULL) {
        fprintf(stderr, "%s\n", problem.text);
        return 65;
    }
    dns_server_set_delay(server, delay_ms);
    for (int i = 2; i < argc; i += 2) {
        if (strcmp(argv[i], "--silent") == 0)
            dns_server_silence(server, argv[i + 1]);
    }
    printf("%s\n", dns_server_address(server));
    fflush(stdout);
    sigwait(&ends, &signal_number);
    dns_server_free(server);
    return 0;
}
