/* Scripts of mta-sim: read, and each line judged. */
#include "authmilter/mta/player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mta_script script = {.count = 0};
    struct am_problem problem;

    (void)!mta_script_read(&script, am_span_of((const char *)data, size), &problem);
    for (size_t i = 0; i < script.count; i++)
        mta_player_knows(&script.lines[i], &problem);
    mta_script_fini(&script);
    return 0;
}
