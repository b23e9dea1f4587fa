#include <stdlib.h>
#include <string.h>

#include "authmilter/spf_report.h"
#include "common/base/log.h"

/* The columns of the table; between the DNS and the outcome stand the counts. */
enum column { COLUMN_TERM, COLUMN_ASKED, COLUMN_DNS, COLUMN_OUTCOME, COLUMN_COUNT };

/* Wider cells push the rest of their line instead of widening the table. */
static const size_t widest[COLUMN_OUTCOME] = {44, 40, 48};
static const char *const headings[COLUMN_COUNT] = {"term", "asked", "DNS", "outcome"};

static void write_cell(const struct spf_step *step, enum column column, struct am_buf *out)
{
    am_buf_clear(out);
    switch (column) {
    case COLUMN_TERM:
        for (unsigned i = 0; i < step->depth; i++)
            am_buf_add_str(out, "  ");
        am_log_escape(out, step->term);
        break;
    case COLUMN_ASKED:
        if (step->target != NULL) /* printable already: odd octets stand as \DDD */
            am_buf_add_str(out, step->target);
        break;
    case COLUMN_DNS:
        spf_step_dns(step, out);
        break;
    default:
        am_log_escape(out, am_span_str(step->outcome));
    }
}

static void measure(const struct spf_outcome *outcome, struct am_buf *cell,
                    size_t width[COLUMN_OUTCOME])
{
    for (int column = 0; column < COLUMN_OUTCOME; column++) {
        width[column] = strlen(headings[column]);
        for (size_t i = 0; i < outcome->step_count; i++) {
            write_cell(&outcome->steps[i], (enum column)column, cell);
            size_t len = cell->len < widest[column] ? cell->len : widest[column];
            if (len > width[column])
                width[column] = len;
        }
    }
}

static void write_table(const struct spf_outcome *outcome, FILE *out)
{
    struct am_buf cell;
    size_t width[COLUMN_OUTCOME];
    am_buf_init(&cell, 0);
    measure(outcome, &cell, width);
    fputs("    ", out);
    for (int column = 0; column < COLUMN_OUTCOME; column++)
        fprintf(out, "%-*s  ", (int)width[column], headings[column]);
    fprintf(out, "terms  voids  %s\n", headings[COLUMN_OUTCOME]);
    for (size_t i = 0; i < outcome->step_count; i++) {
        const struct spf_step *step = &outcome->steps[i];
        fputs("    ", out);
        for (int column = 0; column < COLUMN_OUTCOME; column++) {
            write_cell(step, (enum column)column, &cell);
            fprintf(out, "%-*s  ", (int)width[column], am_buf_str(&cell));
        }
        write_cell(step, COLUMN_OUTCOME, &cell);
        fprintf(out, "%5u  %5u  %s\n", step->terms_used, step->voids_used, am_buf_str(&cell));
    }
    am_buf_fini(&cell);
}

static void write_line(FILE *out, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    struct am_buf text;
    am_buf_init(&text, 0);
    am_log_escape(&text, am_span_str(value));
    fprintf(out, "    %-12s %s\n", name, am_buf_str(&text));
    am_buf_fini(&text);
}

static void write_entry(const struct spf_report_entry *entry, FILE *out)
{
    const struct spf_outcome *outcome = entry->outcome;
    struct am_buf sender;
    am_buf_init(&sender, 0);
    am_log_escape(&sender, am_span_str(outcome->sender));
    fprintf(out, "%s %s: %s\n", entry->identity == SPF_HELO ? "HELO" : "MAIL FROM",
            am_buf_str(&sender), spf_result_word(outcome->result));
    am_buf_fini(&sender);
    write_line(out, "domain", outcome->domain);
    write_line(out, "decided by", outcome->term);
    write_line(out, "reason", outcome->reason);
    write_line(out, "explanation", outcome->explanation);
    fprintf(out, "    %-12s %u DNS terms, %u void, %u look-ups, %.1f ms waited%s\n\n", "work",
            outcome->terms_used, outcome->voids_used, outcome->queries,
            (double)outcome->waited_us / 1000, outcome->secure ? ", DNSSEC-validated" : "");
    if (outcome->step_count > 0) {
        write_table(outcome, out);
        fputc('\n', out);
    }
}

void spf_report_text(const struct spf_report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++)
        write_entry(&report->entries[i], out);
    if (report->no_field)
        return;
    char *field = spf_report_field(report, true);
    if (field == NULL)
        fputs("No Authentication-Results field can hold these texts.\n", out);
    else
        fprintf(out, "Authentication-Results: %s\n", field);
    free(field);
}
