/* authmilter run: all checks of the suite as one milter. */

#include "authmilter/command.h"
#include "authmilter/run_modules.h"
#include "common/milter/app.h"

static int run(int argc, char **argv)
{
    static const struct am_app app = {
        .program = "authmilter",
        .command = "authmilter run",
        .summary = "The milters of the suite as one: one process, one combined\n"
                   "Authentication-Results field.",
        .modules = am_run_modules,
    };

    return am_app_main(argc, argv, &app);
}

const struct am_command am_command_run = {
    .name = "run", .summary = "run the milters of the suite as one process", .run = run};
