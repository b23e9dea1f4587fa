#include "authmilter/run_modules.h"

#include "auth-milter/auth_module.h"
#include "author-milter/author_module.h"
#include "dkim-milter/dkim_module.h"
#include "dmarc-milter/dmarc_module.h"
#include "iprev-milter/iprev_module.h"
#include "spf-milter/spf_module.h"
#include "srs-milter/srs_module.h"
#include "trace-milter/trace_module.h"

/* The trace stands first: it tells of an event before what the others make of it. What changes the
 * header stands before what signs it. */
const struct am_module *const am_run_modules[] = {&am_trace_module, &spf_module,   &author_module,
                                                  &dkim_module,     &dmarc_module, &iprev_module,
                                                  &auth_module,     &srs_module,   NULL};
