/*
 * Runs scenario files against the real programs.
 *
 *     run-scenario FILE... --binary-dir DIR
 *
 * Exit status: 0 when every scenario passed, 1 when one failed, 64 on wrong usage.
 */
#include <stdio.h>
#include <string.h>

#include "tests/scenarios/play.h"

static bool run(const char *path, const char *binary_dir)
{
    struct scenario scenario;
    struct am_problem problem = {""};
    bool passed = scenario_read(&scenario, path, &problem);
    if (!passed)
        printf("  %s\n", problem.text);
    else
        passed = play_scenario(&scenario, binary_dir);
    printf("%s  %s: %s\n", passed ? "pass" : "FAIL", path,
           scenario.title == NULL ? "" : scenario.title);
    fflush(stdout);
    scenario_fini(&scenario);
    return passed;
}

int main(int argc, char **argv)
{
    const char *binary_dir = NULL;
    unsigned passed = 0, failed = 0;
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--binary-dir") == 0)
            binary_dir = argv[i + 1];
    }
    if (binary_dir == NULL || argc < 4) {
        fprintf(stderr, "usage: run-scenario FILE... --binary-dir DIR\n");
        return 64;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--binary-dir") == 0)
            i++;
        else if (run(argv[i], binary_dir))
            passed++;
        else
            failed++;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
