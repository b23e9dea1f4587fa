#include "common/milter/verdict.h"

int am_verdict_severity(enum am_verdict verdict)
{
    switch (verdict) {
    case AM_ACCEPT:
        return 1;
    case AM_QUARANTINE:
        return 2;
    case AM_TEMPFAIL:
        return 3;
    case AM_DISCARD:
        return 4;
    case AM_REJECT:
        return 5;
    case AM_CONTINUE:
    case AM_DONE:
    case AM_SKIP_BODY:
    case AM_FAIL:
        break;
    }
    return 0;
}

const char *am_verdict_word(enum am_verdict verdict)
{
    switch (verdict) {
    case AM_CONTINUE:
        return "continue";
    case AM_DONE:
        return "done";
    case AM_SKIP_BODY:
        return "skip_body";
    case AM_ACCEPT:
        return "accept";
    case AM_QUARANTINE:
        return "quarantine";
    case AM_TEMPFAIL:
        return "tempfail";
    case AM_DISCARD:
        return "discard";
    case AM_REJECT:
        return "reject";
    case AM_FAIL:
        return "fail";
    }
    return "unknown";
}

const char *am_stage_word(enum am_stage stage)
{
    switch (stage) {
    case AM_STAGE_CONNECT:
        return "connect";
    case AM_STAGE_HELO:
        return "helo";
    case AM_STAGE_ENVFROM:
        return "mail";
    case AM_STAGE_ENVRCPT:
        return "rcpt";
    case AM_STAGE_DATA:
        return "data";
    case AM_STAGE_HEADER:
        return "header";
    case AM_STAGE_EOH:
        return "eoh";
    case AM_STAGE_BODY:
        return "body";
    case AM_STAGE_EOM:
        return "eom";
    case AM_STAGE_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

void am_decision_merge(struct am_decision *into, const struct am_decision *other)
{
    if (am_verdict_severity(other->verdict) > am_verdict_severity(into->verdict))
        *into = *other;
}

bool am_verdict_takes_reply(enum am_verdict verdict, const struct am_reply *reply)
{
    if (reply == NULL)
        return false;
    return (verdict == AM_REJECT && reply->code / 100 == 5) ||
           (verdict == AM_TEMPFAIL && reply->code / 100 == 4);
}
