#include <stdlib.h>

#include "authmilter/verify_report.h"
#include "authres/authres.h"

/* Adds a property, unless there is none or a field cannot carry it; the result stays then. */
static bool add(struct ar_header *header, const char *ptype, const char *property,
                struct am_span value)
{
    if (value.len == 0)
        return true;
    enum ar_status status = ar_header_add_property(header, ptype, property, value.ptr, value.len);
    return status == AR_OK || status == AR_BAD_VALUE;
}

/* RFC 8616 section 5: U-labels stand in internationalised mail only. */
static struct am_span shown(struct am_span written, const char *ascii, bool utf8)
{
    return utf8 || ascii == NULL ? written : am_span_str(ascii);
}

/* What only we know: facts of the key, as dkim-milter publishes them. */
static bool add_policy(struct ar_header *header, const struct dkim_outcome *outcome)
{
    char bits[16];

    snprintf(bits, sizeof(bits), "%u", outcome->key_bits);
    bool weak = outcome->key_bits > 0 && outcome->parts->key_type == DKIM_KEY_RSA &&
                outcome->key_bits < DKIM_RSA_BITS_GOOD;
    return (!weak || add(header, "policy", "key-bits", am_span_str(bits))) &&
           (!outcome->secure || add(header, "policy", "dnssec", am_span_str("yes"))) &&
           (!outcome->testing || add(header, "policy", "testing", am_span_str("yes")));
}

/* RFC 8601 section 2.7.1, RFC 6008. */
static bool add_outcome(struct ar_header *header, const struct dkim_outcome *outcome,
                        size_t signature_len, bool utf8)
{
    const struct dkim_signature *parts = outcome->parts;
    const char *reason = dkim_reason_text(outcome->reason);
    struct am_span digits = parts->signature_text;

    if (digits.len > signature_len)
        digits.len = signature_len;
    return ar_header_add_result(header, "dkim", dkim_result_word(outcome->result)) == AR_OK &&
           (*reason == '\0' || ar_header_set_reason(header, reason, strlen(reason)) == AR_OK) &&
           add(header, "header", "d", shown(parts->domain, parts->ascii_domain, utf8)) &&
           add(header, "header", "s", shown(parts->selector, parts->ascii_selector, utf8)) &&
           add(header, "header", "i", parts->identity) &&
           add(header, "header", "a", parts->algorithm) && add(header, "header", "b", digits) &&
           add_policy(header, outcome);
}

static bool add_outcomes(struct ar_header *header, const struct dkim_report *report, bool utf8)
{
    struct ar_text signatures[DKIM_OUTCOMES_MAX];

    for (size_t i = 0; i < report->count; i++) {
        struct am_span text = report->outcomes[i].parts->signature_text;
        signatures[i] = (struct ar_text){text.ptr, text.len};
    }
    size_t len = ar_signature_prefix(signatures, report->count);
    for (size_t i = 0; i < report->count; i++)
        if (!add_outcome(header, &report->outcomes[i], len, utf8))
            return false;
    return report->count > 0 || ar_header_add_result(header, "dkim", "none") == AR_OK;
}

char *verify_report_field(const struct verify_report *report, bool fold)
{
    struct ar_header *header = ar_header_new(NULL);
    char *text = NULL;
    const struct ar_format format = {
        .width = fold ? 0 : AR_LINE_MAX,
        .name_len = sizeof("Authentication-Results: ") - 1,
    };

    if (header == NULL)
        return NULL;
    ar_header_allow_utf8(header, report->utf8);
    if (ar_header_set_id(header, report->receiver, strlen(report->receiver)) != AR_OK ||
        !add_outcomes(header, report->dkim, report->utf8) ||
        ar_header_format(header, &format, &text, NULL) != AR_OK)
        text = NULL;
    ar_header_free(header);
    return text;
}
