/* dmarc-milter: the DMARC check as a program of its own. */

#include "common/milter/app.h"
#include "dmarc-milter/dmarc_module.h"

AM_APP_MAIN("dmarc-milter",
            "Checks that SPF or DKIM agree with the domain in From (DMARC, RFC 9989) and\n"
            "reports it in Authentication-Results.",
            &dmarc_module)
