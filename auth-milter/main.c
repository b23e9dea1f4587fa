/* auth-milter: what the mail server knows of login and encryption, as a program of its own. */

#include "auth-milter/auth_module.h"
#include "common/milter/app.h"

AM_APP_MAIN("auth-milter",
            "Reports in Authentication-Results whether the client logged in (RFC 8601,\n"
            "auth), and logs how its connection is encrypted.",
            &auth_module)
