/* srs-milter: the Sender Rewriting Scheme as a program of its own. */

#include "common/milter/app.h"
#include "srs-milter/srs_module.h"

AM_APP_MAIN("srs-milter",
            "Rewrites the envelope sender of forwarded mail so that it passes SPF, and\n"
            "turns bounces back to who sent it (SRS).",
            &srs_module)
