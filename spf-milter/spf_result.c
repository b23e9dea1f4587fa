#include "spf-milter/spf.h"

const char *spf_result_word(enum spf_result result)
{
    switch (result) {
    case SPF_NONE:
        return "none";
    case SPF_NEUTRAL:
        return "neutral";
    case SPF_PASS:
        return "pass";
    case SPF_FAIL:
        return "fail";
    case SPF_SOFTFAIL:
        return "softfail";
    case SPF_TEMPERROR:
        return "temperror";
    case SPF_PERMERROR:
        return "permerror";
    }
    return "none";
}

const char *spf_limit_word(enum spf_limit limit)
{
    switch (limit) {
    case SPF_LIMIT_NONE:
        return "none";
    case SPF_LIMIT_TERMS:
        return "DNS terms";
    case SPF_LIMIT_VOIDS:
        return "void look-ups";
    case SPF_LIMIT_MX_NAMES:
        return "mail servers";
    case SPF_LIMIT_RECORD:
        return "record size";
    case SPF_LIMIT_TIME:
        return "time";
    case SPF_LIMIT_MEMORY:
        return "memory";
    }
    return "none";
}
