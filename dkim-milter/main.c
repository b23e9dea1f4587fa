/* dkim-milter: DKIM as a program of its own. */

#include "common/milter/app.h"
#include "dkim-milter/dkim_module.h"

AM_APP_MAIN("dkim-milter",
            "Verifies DKIM signatures (RFC 6376) and reports them in Authentication-Results.",
            &dkim_module)
