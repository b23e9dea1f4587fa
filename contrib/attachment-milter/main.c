/* attachment-milter: dangerous attachments are replaced by a text. */

#include "common/milter/app.h"
#include "contrib/attachment-milter/attachment_module.h"

AM_APP_MAIN("attachment-milter",
            "Replaces dangerous attachments by a text that says what was removed and why.",
            &attachment_module)
