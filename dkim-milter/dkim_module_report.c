#include "authres/authres.h"
#include "common/mail/domain.h"
#include "dkim-milter/dkim_crypto.h"
#include "dkim-milter/dkim_module_state.h"

/* Signatures that are named in the decision line; all of them stand in Authentication-Results. */
#define NOTED_MAX 10

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

/* How many octets of each b= tell the signatures of the message apart (RFC 6008). */
static size_t signature_prefix(const struct dkim_report *report)
{
    struct ar_text texts[DKIM_OUTCOMES_MAX];

    for (size_t i = 0; i < report->count; i++) {
        struct am_span text = report->outcomes[i].parts->signature_text;

        texts[i] = (struct ar_text){text.ptr, text.len};
    }
    return ar_signature_prefix(texts, report->count);
}

/* RFC 8601 section 2.7.1; "policy" is what only we know: facts of the key. */
static void publish(struct am_ctx *ctx, const struct dkim_outcome *outcome, size_t prefix)
{
    const struct dkim_signature *parts = outcome->parts;
    const char *reason = dkim_reason_text(outcome->reason);
    bool utf8 = am_ctx_msg(ctx)->smtputf8;
    struct am_span b = parts->signature_text;
    struct am_result result = {.method = "dkim", .result = dkim_result_word(outcome->result)};

    if (reason[0] != '\0')
        result.reason = reason;
    add(&result, "header", "d", shown_domain(parts->domain, parts->ascii_domain, utf8), utf8);
    add(&result, "header", "s", shown_domain(parts->selector, parts->ascii_selector, utf8), utf8);
    add(&result, "header", "i", shown_identity(am_ctx_arena(ctx), parts, utf8), utf8);
    add(&result, "header", "a", parts->algorithm, utf8);
    add(&result, "header", "b", am_span_of(b.ptr, b.len < prefix ? b.len : prefix), utf8);
    if (outcome->key_bits > 0 && parts->key_type == DKIM_KEY_RSA &&
        outcome->key_bits < DKIM_RSA_BITS_GOOD)
        add(&result, "policy", "key-bits",
            am_span_str(am_arena_printf(am_ctx_arena(ctx), "%u", outcome->key_bits)), utf8);
    if (outcome->secure)
        add(&result, "policy", "dnssec", am_span_str("yes"), utf8);
    if (outcome->testing)
        add(&result, "policy", "testing", am_span_str("yes"), utf8);
    am_ctx_publish(ctx, &result);
}

static void publish_bare(struct am_ctx *ctx, enum dkim_result word, const char *reason)
{
    struct am_result result = {
        .method = "dkim", .result = dkim_result_word(word), .reason = reason};

    am_ctx_publish(ctx, &result);
}

/* Adds "example.org/selector:fail:body-hash-mismatch" to the list for the decision line. */
static void describe(struct am_buf *out, const struct dkim_outcome *outcome)
{
    const struct dkim_signature *parts = outcome->parts;

    if (out->len > 0)
        am_buf_add_char(out, ' ');
    am_buf_printf(out, "%s/%s:%s", parts->ascii_domain == NULL ? "?" : parts->ascii_domain,
                  parts->ascii_selector == NULL ? "?" : parts->ascii_selector,
                  dkim_result_word(outcome->result));
    if (outcome->reason != DKIM_REASON_NONE)
        am_buf_printf(out, ":%s", dkim_reason_word(outcome->reason));
}

static void note_signatures(struct am_ctx *ctx, const struct dkim_report *report)
{
    size_t total = report->count + report->more;
    bool testing = false;
    struct am_buf list;

    am_buf_init(&list, 0);
    for (size_t i = 0; i < report->count; i++) {
        if (i < NOTED_MAX)
            describe(&list, &report->outcomes[i]);
        testing = testing || report->outcomes[i].testing;
    }
    if (!list.failed)
        am_ctx_note(ctx, "signatures", "%s", am_buf_str(&list));
    am_buf_fini(&list);
    if (total > NOTED_MAX)
        am_ctx_note(ctx, "more_signatures", "%zu", total - NOTED_MAX);
    if (testing)
        am_ctx_note(ctx, "testing", "yes");
    if (report->more > 0) {
        am_ctx_log(ctx, AM_LOG_NOTICE,
                   "%zu signatures in one message: %d of them are listed in the results", total,
                   DKIM_OUTCOMES_MAX);
        am_ctx_count(ctx, "signatures", "not-listed", report->more);
    }
}

void dkim_module_report(struct am_ctx *ctx, const struct dkim_msg_state *state)
{
    const struct dkim_report *report = state->verifying.report;
    size_t prefix = signature_prefix(report);
    enum dkim_result best = report->best;

    for (size_t i = 0; i < report->count; i++) {
        const struct dkim_outcome *outcome = &report->outcomes[i];

        publish(ctx, outcome, prefix);
        am_ctx_count(ctx, "signatures", dkim_result_word(outcome->result), 1);
        if (outcome->reason != DKIM_REASON_NONE)
            am_ctx_count(ctx, "reasons", dkim_reason_word(outcome->reason), 1);
    }
    if (report->count == 0 && am_ctx_msg(ctx)->headers_cut) {
        best = DKIM_POLICY;
        publish_bare(ctx, best, dkim_reason_text(DKIM_REASON_HEADER_TOO_LARGE));
    } else if (report->count == 0) {
        publish_bare(ctx, DKIM_NONE, NULL);
    }
    am_ctx_count(ctx, "messages", dkim_result_word(best), 1);
    am_ctx_note(ctx, "result", "%s", dkim_result_word(best));
    if (report->count > 0)
        note_signatures(ctx, report);
    if (report->author.len > 0)
        am_ctx_note(ctx, "author", "%.*s", (int)report->author.len, report->author.ptr);
    if (state->verifying.finish_us > 0)
        am_ctx_note(ctx, "finish_us", "%lld", (long long)state->verifying.finish_us);
}

void dkim_module_report_exempt(struct am_ctx *ctx, const char *why)
{
    am_ctx_note(ctx, "exempt", "%s", why);
    am_ctx_count(ctx, "exempt", why, 1);
}
