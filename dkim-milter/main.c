/* dkim-milter: DKIM as a program of its own. */

#include "common/milter/app.h"
#include "dkim-milter/dkim_module.h"

AM_APP_MAIN("dkim-milter",
            "Signs mail with DKIM (RFC 6376), verifies signatures and reports them in\n"
            "Authentication-Results.",
            &dkim_module)
