#include "spf-milter/spf_finding.h"

const char *spf_identity_word(enum spf_identity identity)
{
    return identity == SPF_HELO ? "helo" : "mailfrom";
}
