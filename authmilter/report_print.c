#include "authmilter/report_print.h"

#include <string.h>

#include "authmilter/tool_clock.h"
#include "authmilter/tool_json.h"
#include "common/base/log.h"
#include "dmarc-milter/dmarc_report.h"

bool report_print_begin(struct report_print *print)
{
    if (!print->json)
        return true;
    print->reports = json_array();
    print->without = json_array();
    return print->reports != NULL && print->without != NULL;
}

/* Names of domains and what sendmail said come from strangers. */
static void line(struct report_print *print, const char *format, ...) AM_PRINTF(2, 3);

static void line(struct report_print *print, const char *format, ...)
{
    struct am_buf text;
    char raw[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    am_buf_init(&text, 0);
    am_log_escape(&text, am_span_str(raw));
    fprintf(print->out, "%s\n", am_buf_str(&text));
    am_buf_fini(&text);
}

static void append(struct report_print *print, json_t *array, json_t *object)
{
    if (object == NULL || json_array_append_new(array, object) != 0)
        print->failed = true;
}

void report_print_report(struct report_print *print, const struct report_print_report *report)
{
    char day[DMARC_REPORT_ID_MAX];

    if (strcmp(print->report_id, report->report_id) == 0)
        return;
    print->report_id[0] = '\0';
    strncat(print->report_id, report->report_id, sizeof(print->report_id) - 1);
    dmarc_report_day(report->day, day);
    if (!print->json) {
        line(print, "%s %s: messages %lld, records %lld", report->domain, day,
             (long long)report->messages, (long long)report->records);
        line(print, "    %s", report->file);
        return;
    }
    print->deliveries = json_array();
    append(print, print->reports,
           json_pack("{s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:o}", "domain",
                     tool_json_str(report->domain), "day", day, "report_id",
                     tool_json_str(report->report_id), "file", tool_json_str(report->file),
                     "messages", (json_int_t)report->messages, "records",
                     (json_int_t)report->records, "octets", (json_int_t)report->octets,
                     "deliveries", print->deliveries));
}

static json_t *addresses_of(const char *addresses)
{
    struct am_span rest = am_span_str(addresses);
    json_t *array = json_array();

    while (array != NULL && rest.len > 0) {
        size_t len = am_span_find(rest, ' ');
        (void)json_array_append_new(array, tool_json_text(am_span_of(rest.ptr, len)));
        len += len < rest.len;
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    return array;
}

static const char *word_of(const struct report_print *print, enum dmarc_delivery_state state)
{
    if (print->dry_run && state == DMARC_DELIVERY_SENT)
        return "would_be_sent";
    return dmarc_delivery_word(state);
}

void report_print_delivery(struct report_print *print, const char *to,
                           const struct dmarc_delivery_end *end)
{
    char until[TOOL_CLOCK_TEXT_MAX];
    bool again = end->state == DMARC_DELIVERY_WAITING && !print->dry_run;

    tool_clock_format(end->next_try_s, until);
    if (!print->json) {
        const char *word = end->state == DMARC_DELIVERY_GIVEN_UP ? "given up"
                           : strcmp(word_of(print, end->state), "would_be_sent") == 0
                               ? "would be sent"
                               : word_of(print, end->state);
        bool other = end->addresses[0] != '\0' && strcmp(end->addresses, to) != 0;
        line(print, "    %s: %s%s%s%s%s%s%s", to, word, other ? " to " : "",
             other ? end->addresses : "", end->reason[0] == '\0' ? "" : ": ", end->reason,
             again ? "; next try " : "", again ? until : "");
        return;
    }
    append(print, print->deliveries,
           json_pack("{s:o, s:s, s:o, s:o, s:o}", "to", tool_json_str(to), "state",
                     word_of(print, end->state), "addresses", addresses_of(end->addresses),
                     "reason", end->reason[0] == '\0' ? json_null() : tool_json_str(end->reason),
                     "next_try", again ? json_integer(end->next_try_s) : json_null()));
}

void report_print_without(struct report_print *print, const char *domain, int64_t day,
                          int64_t messages, const char *why)
{
    char text[DMARC_REPORT_ID_MAX];

    dmarc_report_day(day, text);
    if (!print->json)
        line(print, "%s %s: messages in no report: %lld: %s", domain, text, (long long)messages,
             why);
    else
        append(print, print->without,
               json_pack("{s:o, s:s, s:I, s:s}", "domain", tool_json_str(domain), "day", text,
                         "messages", (json_int_t)messages, "reason", why));
}

bool report_print_end(struct report_print *print, const struct report_print_end *end)
{
    if (!print->json) {
        if (end->drained != NULL)
            line(print, "taken from the stream: rows %lld; entries that are no rows: %lld",
                 (long long)end->drained->rows, (long long)end->drained->strange);
        if (end->waiting > 0)
            line(print, "deliveries that wait: %lld", (long long)end->waiting);
        if (end->more)
            line(print, "a limit was reached: the next run goes on");
        return fflush(print->out) == 0;
    }
    json_t *stream = end->drained == NULL
                         ? json_null()
                         : json_pack("{s:I, s:I}", "rows", (json_int_t)end->drained->rows,
                                     "strange", (json_int_t)end->drained->strange);
    json_t *object =
        json_pack("{s:i, s:b, s:o, s:o, s:o, s:I, s:b}", "schema", 1, "dry_run", print->dry_run,
                  "stream", stream, "reports", print->reports, "without_report", print->without,
                  "waiting", (json_int_t)end->waiting, "more", end->more);
    return !print->failed && tool_json_print(object, print->out) && fflush(print->out) == 0;
}
