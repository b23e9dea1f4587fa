#include <stddef.h>

#include "dkim-milter/dkim_engine_libopendkim.h"
#include "dkim-milter/dkim_engines.h"

const struct dkim_engine *const dkim_engines[] = {&dkim_engine_builtin, &dkim_engine_libopendkim,
                                                  NULL};
