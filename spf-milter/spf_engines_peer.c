#include <stddef.h>

#include "spf-milter/spf_engine_libspf2.h"
#include "spf-milter/spf_engines.h"

const struct spf_engine *const spf_engines[] = {&spf_engine_builtin, &spf_engine_libspf2, NULL};
