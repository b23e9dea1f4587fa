#include <string.h>

#include "dkim-milter/dkim_engines.h"

const struct dkim_engine *dkim_engine_find(const char *name)
{
    for (const struct dkim_engine *const *engine = dkim_engines; *engine != NULL; engine++)
        if (strcmp((*engine)->name, name) == 0)
            return *engine;
    return NULL;
}
