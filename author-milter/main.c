/* author-milter: who may write as whom, as a program of its own. */

#include "author-milter/author_module.h"
#include "common/milter/app.h"

AM_APP_MAIN("author-milter",
            "Holds users to the addresses that are theirs: the author of what they send\n"
            "must belong to their login, or be one of the site's.",
            &author_module)
