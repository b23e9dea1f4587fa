#include "authmilter/run_modules.h"

#include "auth-milter/auth_module.h"
#include "dkim-milter/dkim_module.h"
#include "iprev-milter/iprev_module.h"
#include "spf-milter/spf_module.h"
#include "srs-milter/srs_module.h"

const struct am_module *const am_run_modules[] = {&spf_module,  &dkim_module, &iprev_module,
                                                  &auth_module, &srs_module,  NULL};
