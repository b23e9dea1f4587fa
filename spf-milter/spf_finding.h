#ifndef SPF_SPF_FINDING_H
#define SPF_SPF_FINDING_H

#include "spf-milter/spf.h"

#define SPF_IDENTITY_COUNT 2

/* What SPF found about one identity of a message. */
struct spf_finding {
    enum spf_identity identity; /* whose options apply */
    const struct spf_outcome *outcome;
};

/* Returns an identity's word in logs: "mailfrom", "helo". */
const char *spf_identity_word(enum spf_identity identity);

#endif
