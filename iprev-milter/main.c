/* iprev-milter: the reverse DNS check as a program of its own. */

#include "common/milter/app.h"
#include "iprev-milter/iprev_module.h"

AM_APP_MAIN("iprev-milter",
            "Checks that the client's address has a name that leads back to it (RFC 8601,\n"
            "iprev) and reports it in Authentication-Results.",
            &iprev_module)
