/* trace-milter: every event of the milter protocol in the log, as a program of its own. */

#include "common/milter/app.h"
#include "trace-milter/trace_module.h"

AM_APP_MAIN("trace-milter",
            "Logs what the mail server tells a milter, event by event. It decides and\n"
            "changes nothing.",
            &am_trace_module)
