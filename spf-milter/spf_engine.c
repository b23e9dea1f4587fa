#include <string.h>

#include "spf-milter/spf_engines.h"

const struct spf_engine spf_engine_builtin = {"builtin", spf_evaluate};

const struct spf_engine *spf_engine_find(const char *name)
{
    for (const struct spf_engine *const *engine = spf_engines; *engine != NULL; engine++)
        if (strcmp((*engine)->name, name) == 0)
            return *engine;
    return NULL;
}
