#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "authmilter/tool_clock.h"
#include "authmilter/verify_report.h"
#include "common/base/log.h"
#include "dkim-milter/dkim_base64.h"

const char *verify_report_canon_word(enum dkim_canon canon)
{
    return canon == DKIM_CANON_RELAXED ? "relaxed" : "simple";
}

/* A line of two columns; the second is printable already. */
static void line(FILE *out, const char *name, const char *format, ...) AM_PRINTF(3, 4);

static void line(FILE *out, const char *name, const char *format, ...)
{
    va_list args;

    fprintf(out, "    %-13s ", name);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}

/* Writes text of strangers in one line. */
static void print(FILE *out, const char *before, struct am_span text)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, text);
    fprintf(out, "%s%s", before, am_buf_str(&escaped));
    am_buf_fini(&escaped);
}

static void print_if(FILE *out, const char *before, struct am_span text)
{
    if (text.len > 0)
        print(out, before, text);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* --- the message --- */

static void write_notes(const struct tool_mail_notes *notes, FILE *out)
{
    if (notes->mbox)
        line(out, "note", "a first line \"From \" (mbox) was passed over");
    if (notes->no_separator > 0)
        line(out, "note", "line %zu is no header field and no empty line: the body begins there",
             notes->no_separator);
    if (notes->mixed_ends && notes->lf_ends)
        line(out, "note", "some lines end in CRLF, some in LF; all were read as CRLF");
    else if (notes->mixed_ends)
        line(out, "note", "there are bare LFs; those in the body were taken as they are");
    if (notes->bare_cr)
        line(out, "note", "the body has bare CRs, taken as they are");
    if (notes->nul)
        line(out, "note", "the body has NULs, which an MTA would take out");
}

static void write_message(const struct verify_report *report, FILE *out)
{
    const struct tool_mail_notes *notes = report->notes;
    const struct dkim_report *dkim = report->dkim;

    fprintf(out, "message: %s", dkim_result_word(dkim->best));
    if (dkim->best == DKIM_PASS)
        fputs(dkim->aligned_pass ? ", with a signature that is aligned with From"
                                 : ", but with no signature that is aligned with From",
              out);
    fputc('\n', out);
    line(out, "read", "%zu header field%s, %" PRIu64 " octets of body, line ends %s",
         report->field_count, plural(report->field_count), notes->body_octets,
         notes->lf_ends ? "LF, read as CRLF" : "CRLF");
    if (dkim->author.len > 0)
        print(out, "    author        ", dkim->author);
    else
        fprintf(out, "    author        %s",
                dkim->several_from ? "none: there are several From fields"
                                   : "none: no From field with one address");
    fputc('\n', out);
    line(out, "signatures", "%zu%s", dkim->count + dkim->more,
         dkim->more > 0 ? ", not all of them listed" : "");
    write_notes(notes, out);
}

/* --- one signature --- */

static void write_tags(const struct dkim_signature *parts, FILE *out)
{
    fputs("    tags         ", out);
    print_if(out, " d=", parts->domain);
    print_if(out, " s=", parts->selector);
    print_if(out, " a=", parts->algorithm);
    fprintf(out, " c=%s/%s", verify_report_canon_word(parts->header_canon),
            verify_report_canon_word(parts->body_canon));
    print_if(out, " i=", parts->identity);
    if (parts->has_length)
        fprintf(out, " l=%" PRIu64, parts->length);
    if (parts->has_timestamp)
        fprintf(out, " t=%" PRId64, parts->timestamp);
    if (parts->has_expiry)
        fprintf(out, " x=%" PRId64, parts->expiry);
    fputc('\n', out);
}

static void write_times(const struct dkim_signature *parts, FILE *out)
{
    char text[TOOL_CLOCK_TEXT_MAX];

    if (parts->has_timestamp)
        line(out, "signed at", "%s", tool_clock_format(parts->timestamp, text));
    if (parts->has_expiry)
        line(out, "expires at", "%s", tool_clock_format(parts->expiry, text));
}

static void write_names(const struct dkim_signature *parts, FILE *out)
{
    if (parts->name_count == 0)
        return;
    line(out, "fields", "%zu name%s in h=", parts->name_count, plural(parts->name_count));
    fputs("                  ", out);
    for (size_t i = 0, column = 18; i < parts->name_count; i++) {
        if (column > 18 && column + parts->names[i].len > 78) {
            fputs("\n                  ", out);
            column = 18;
        }
        print(out, "", parts->names[i]);
        fputs(i + 1 < parts->name_count ? ":" : "", out);
        column += parts->names[i].len + 1;
    }
    fputc('\n', out);
}

static void write_key(const struct tool_record *record, FILE *out)
{
    if (record->name == NULL) {
        line(out, "key", "not looked up");
        return;
    }
    line(out, "key", "%s: %s", record->name, tool_record_dns_text(record));
    if (record->text.len == 0)
        return;
    print(out, "                  ", record->text);
    fputs("\n                  ", out);
    if (record->key != NULL)
        fprintf(out, "%s, %u bits, ", dkim_key_type_word(record->parsed.type), record->bits);
    if (record->parsed.testing)
        fputs("t=y: the domain is testing, ", out);
    if (record->parsed.strict)
        fputs("t=s: i= must not be below d=, ", out);
    fprintf(out, "%s\n", tool_record_security_text(record));
}

static void write_hash(const char *name, const uint8_t hash[DKIM_HASH_LEN], FILE *out)
{
    struct am_buf digits;

    am_buf_init(&digits, 0);
    dkim_base64_encode(&digits, am_span_of((const char *)hash, DKIM_HASH_LEN));
    line(out, name, "%s", am_buf_str(&digits));
    am_buf_fini(&digits);
}

static bool is_hash_known(const struct dkim_signature *parts)
{
    static const uint8_t none[DKIM_HASH_LEN];

    return memcmp(parts->body_hash, none, sizeof(none)) != 0;
}

static void write_body(const struct dkim_outcome *outcome, FILE *out)
{
    const struct dkim_signature *parts = outcome->parts;

    if (is_hash_known(parts))
        write_hash("body, signed", parts->body_hash, out);
    if (outcome->body_hashed)
        write_hash("body, found", outcome->body_hash, out);
    if (outcome->unsigned_octets > 0)
        line(out, "length", "%" PRIu64 " octets of the canonical body are not signed",
             outcome->unsigned_octets);
}

/* The octets that were hashed; of the body a part of its begin and of its end. */
static void write_hashed(const struct dkim_hashed *hashed, FILE *out)
{
    line(out, "hashed", "header: %zu field%s and the signature, %zu octets", hashed->field_count,
         plural(hashed->field_count), hashed->header.len);
    line(out, "", "body: %" PRIu64 " octets, canonical%s", hashed->body_octets,
         hashed->canonical_octets > hashed->body_octets ? ", up to l=" : "");
    if (hashed->head_len == 0)
        return;
    print(out, "                  ", am_span_of(hashed->head, hashed->head_len));
    if (hashed->body_octets > hashed->head_len + hashed->tail_len)
        fputs(" ... ", out);
    print(out, "", am_span_of(hashed->tail, hashed->tail_len));
    fputc('\n', out);
}

static void write_outcome(const struct verify_report *report, size_t index, FILE *out)
{
    const struct dkim_outcome *outcome = &report->dkim->outcomes[index];
    const char *reason = dkim_reason_text(outcome->reason);

    fprintf(out, "\nsignature %zu of %zu: %s", index + 1, report->dkim->count,
            dkim_result_word(outcome->result));
    fprintf(out, *reason == '\0' ? "%s\n" : " (%s)\n", reason);
    line(out, "field", "number %zu of the header", outcome->field + 1);
    write_tags(outcome->parts, out);
    write_times(outcome->parts, out);
    write_names(outcome->parts, out);
    write_key(&report->records[index], out);
    write_body(outcome, out);
    line(out, "aligned", "%s",
         outcome->aligned ? "yes: d= and the domain of From agree"
                          : "no: d= and the domain of From do not agree");
    if (report->hashed != NULL && report->hashed[index].is_known)
        write_hashed(&report->hashed[index], out);
    for (size_t i = 0; report->diagnoses != NULL && i < report->diagnoses[index].count; i++) {
        print(out,
              report->diagnoses[index].sentences[i].confirmed ? "    changed       "
                                                              : "    perhaps       ",
              am_span_str(report->diagnoses[index].sentences[i].text));
        fputc('\n', out);
    }
}

void verify_report_text(const struct verify_report *report, FILE *out)
{
    write_message(report, out);
    for (size_t i = 0; i < report->dkim->count; i++)
        write_outcome(report, i, out);
    if (report->no_field)
        return;
    char *field = verify_report_field(report, true);
    if (field == NULL)
        fputs("\nNo Authentication-Results field can hold these texts.\n", out);
    else
        fprintf(out, "\nAuthentication-Results: %s\n", field);
    free(field);
}
