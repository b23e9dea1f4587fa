#include "dkim-milter/dkim_module_result.h"

#include "authres/authres.h"
#include "common/mail/domain.h"
#include "dkim-milter/dkim_crypto.h"

static bool is_ascii(struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* Adds a property unless it is empty, or cannot stand in the header of this message. */
static void add(struct am_result *result, const char *ptype, const char *name, struct am_span value,
                bool utf8)
{
    if (value.len > 0 && (utf8 || is_ascii(value)))
        am_result_add_property(result, ptype, name, value);
}

/* RFC 8616 section 5: U-labels stand in internationalised mail only. */
static struct am_span shown_domain(struct am_span written, const char *ascii, bool utf8)
{
    return utf8 || ascii == NULL ? written : am_span_str(ascii);
}

/* i=; without SMTPUTF8 its domain is given in A-labels. */
static struct am_span shown_identity(struct am_arena *arena, const struct dkim_signature *parts,
                                     bool utf8)
{
    const char *ascii = NULL, *text = NULL;

    if (utf8 || !parts->has_identity || is_ascii(parts->identity_domain))
        return parts->identity;
    ascii = am_domain_to_ascii(arena, parts->identity_domain);
    if (ascii != NULL)
        text = am_arena_printf(arena, "%.*s@%s", (int)parts->identity_local.len,
                               parts->identity_local.ptr, ascii);
    return am_span_str(text);
}

size_t dkim_module_signature_prefix(const struct dkim_report *report)
{
    struct ar_text texts[DKIM_OUTCOMES_MAX];

    for (size_t i = 0; i < report->count; i++) {
        struct am_span text = report->outcomes[i].parts->signature_text;

        texts[i] = (struct ar_text){text.ptr, text.len};
    }
    return ar_signature_prefix(texts, report->count);
}

/* "policy" is what only we know: facts of the key. */
static void add_policy(struct am_result *result, struct am_arena *arena,
                       const struct dkim_outcome *outcome)
{
    if (outcome->key_bits > 0 && outcome->parts->key_type == DKIM_KEY_RSA &&
        outcome->key_bits < DKIM_RSA_BITS_GOOD)
        add(result, "policy", "key-bits",
            am_span_str(am_arena_printf(arena, "%u", outcome->key_bits)), false);
    if (outcome->secure)
        add(result, "policy", "dnssec", am_span_str("yes"), false);
    if (outcome->testing)
        add(result, "policy", "testing", am_span_str("yes"), false);
}

void dkim_module_result(struct am_result *result, struct am_arena *arena,
                        const struct dkim_outcome *outcome, size_t prefix, bool utf8)
{
    const struct dkim_signature *parts = outcome->parts;
    const char *reason = dkim_reason_text(outcome->reason);
    struct am_span b = parts->signature_text;

    *result = (struct am_result){.method = "dkim", .result = dkim_result_word(outcome->result)};
    if (reason[0] != '\0')
        result->reason = reason;
    add(result, "header", "d", shown_domain(parts->domain, parts->ascii_domain, utf8), utf8);
    add(result, "header", "s", shown_domain(parts->selector, parts->ascii_selector, utf8), utf8);
    add(result, "header", "i", shown_identity(arena, parts, utf8), utf8);
    add(result, "header", "a", parts->algorithm, utf8);
    add(result, "header", "b", am_span_of(b.ptr, b.len < prefix ? b.len : prefix), utf8);
    add_policy(result, arena, outcome);
}
