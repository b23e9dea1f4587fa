/* spf-milter: the SPF check as a program of its own. */

#include "common/milter/app.h"
#include "spf-milter/spf_module.h"

AM_APP_MAIN("spf-milter", "Checks SPF (RFC 7208) and reports it in Authentication-Results.",
            &spf_module)
