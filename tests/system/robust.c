/*
 * What a milter lives through in a year, in a minute.
 *
 *     robust SPF-MILTER TEST...
 */
#include "tests/system/robust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool (*run)(struct rig *rig);
} tests[] = {
    {"probes", test_probes},
    {"half-sent", test_half_sent},
    {"reload", test_reload},
    {"drain", test_drain},
    {"second-instance", test_second_instance},
    {"stale-socket", test_stale_socket},
};

static bool run(const char *program, bool (*test)(struct rig *rig))
{
    struct rig rig;
    bool ok = rig_prepare(&rig, program) && test(&rig);
    if (rig.daemon.pid > 0 && !mta_daemon_stop(&rig.daemon))
        ok = rig_fail("no clean end: status 0x%x", (unsigned)rig.daemon.status);
    char *log = ok ? NULL : mta_daemon_read_log(&rig.daemon);
    if (log != NULL) {
        size_t len = strlen(log);
        printf("  --- the end of the log\n%s\n  ---\n", log + (len > 3000 ? len - 3000 : 0));
    }
    free(log);
    mta_daemon_discard(&rig.daemon);
    return ok;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    for (int i = 2; i < argc; i++) {
        for (size_t k = 0; k < sizeof(tests) / sizeof(tests[0]); k++) {
            if (strcmp(argv[i], tests[k].name) != 0)
                continue;
            bool ok = run(argv[1], tests[k].run);
            printf("%s  %s\n", ok ? "pass" : "FAIL", tests[k].name);
            fflush(stdout);
            passed += ok;
            failed += !ok;
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
