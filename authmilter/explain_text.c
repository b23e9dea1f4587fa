#include <string.h>

#include "authmilter/explain.h"
#include "common/base/log.h"

static void print(FILE *out, const char *before, const char *text)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, am_span_str(text));
    fprintf(out, "%s%s", before, am_buf_str(&escaped));
    am_buf_fini(&escaped);
}

static void write_fact(FILE *out, const char *name, const struct explain_fact *fact)
{
    fprintf(out, "    %-12s ", name);
    if (fact->value == NULL) {
        fputs("not known\n", out);
        return;
    }
    print(out, "", *fact->value == '\0' ? "<>" : fact->value);
    fprintf(out, "  (%s)\n", fact->source);
}

static void write_envelope(const struct explain_envelope *envelope, FILE *out)
{
    fputs("envelope\n", out);
    write_fact(out, "client", &envelope->client);
    write_fact(out, "its name", &envelope->client_name);
    write_fact(out, "HELO", &envelope->helo);
    write_fact(out, "sender", &envelope->sender);
    if (envelope->user != NULL) {
        print(out, "    login        ", envelope->user);
        fputc('\n', out);
    }
}

/* "insert 0 Name: value" with its folds, a step to the right. */
static void write_edit(const char *edit, FILE *out)
{
    fputs("    ", out);
    while (*edit != '\0') {
        size_t len = strcspn(edit, "\n");
        struct am_buf escaped;

        am_buf_init(&escaped, 0);
        am_log_escape(&escaped, am_span_of(edit, len));
        fputs(am_buf_str(&escaped), out);
        am_buf_fini(&escaped);
        fputs(edit[len] == '\n' ? "\n    " : "", out);
        edit += len + (edit[len] == '\n');
    }
    fputc('\n', out);
}

static void write_optional(FILE *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    fprintf(out, "    %-12s ", name);
    print(out, "", text);
    fputc('\n', out);
}

static void write_outcome(const struct explain_report *report, FILE *out)
{
    const struct am_outcome *outcome = report->outcome;

    fprintf(out, "\nwhat would become of it: %s\n", outcome->action);
    write_optional(out, "by",
                   report->config == NULL ? "defaults; no configuration was read" : report->config);
    write_optional(out, "modules", report->modules);
    write_optional(out, "decided by", outcome->module);
    write_optional(out, "at", outcome->stage);
    write_optional(out, "why", outcome->why);
    write_optional(out, "reply", outcome->reply);
    write_optional(out, "observed", outcome->observed);
    write_optional(out, "quarantine", outcome->quarantine);
    for (size_t i = 0; i < outcome->refused.count; i++)
        write_optional(out, "refused", outcome->refused.items[i]);
    for (size_t i = 0; i < outcome->note_count; i++)
        write_optional(out, outcome->notes[i].key, outcome->notes[i].value);
    if (outcome->edits.count > 0)
        fputs("\nedits\n", out);
    for (size_t i = 0; i < outcome->edits.count; i++)
        write_edit(outcome->edits.items[i], out);
}

void explain_text(const struct explain_report *report, FILE *out)
{
    write_envelope(report->envelope, out);
    fputc('\n', out);
    if (report->spf_unchecked != NULL)
        fprintf(out, "SPF: not checked: %s\n\n", report->spf_unchecked);
    else
        spf_report_text(&report->spf, out);
    fputs("DKIM ", out);
    verify_report_text(&report->dkim, out);
    write_outcome(report, out);
}
