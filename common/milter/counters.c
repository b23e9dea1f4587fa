#include "common/milter/counters.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/span.h"

/*
 * A series never moves or goes once it is in the table, so readers need no lock: they meet a null
 * pointer or a complete series.
 */
struct series {
    _Atomic uint64_t value;
    uint64_t hash;
    const char *module; /* NULL: a published result, `name` is the method and `label` the result */
    const char *name;
    const char *label; /* NULL: none */
};

/* Twice the series, so that probing ends soon. */
#define SLOTS (AM_COUNTERS_SERIES_MAX * 2)

static const int64_t bucket_us[] = {50,     100,     250,     500,     1000,     2500,
                                    5000,   10000,   25000,   50000,   100000,   250000,
                                    500000, 1000000, 2500000, 5000000, 10000000, 30000000};
static const char *const bucket_label[] = {
    "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
    "0.05",    "0.1",    "0.25",    "0.5",    "1",     "2.5",    "5",     "10",   "30"};
#define BUCKETS (sizeof(bucket_us) / sizeof(bucket_us[0]))
_Static_assert(sizeof(bucket_label) / sizeof(bucket_label[0]) == BUCKETS, "a label per bucket");

struct am_counters {
    _Atomic int64_t fixed[AM_COUNTER_MAX];
    _Atomic uint64_t buckets[BUCKETS + 1];
    _Atomic uint64_t latency_sum_us;
    _Atomic uint64_t series_dropped;
    _Atomic size_t series_count;
    _Atomic(struct series *) slots[SLOTS];
};

struct fixed_row {
    const char *name;
    const char *type;
    const char *help;
};

static const struct fixed_row fixed_rows[AM_COUNTER_MAX] = {
    [AM_COUNT_CONNECTIONS] = {"connections_total", "counter", "Connections from the MTA."},
    [AM_COUNT_CONNECTIONS_OPEN] = {"connections_open", "gauge",
                                   "Connections from the MTA open now."},
    [AM_COUNT_MESSAGES] = {"messages_total", "counter", "Messages that reached a verdict."},
    [AM_COUNT_MESSAGES_OPEN] = {"messages_open", "gauge", "Messages under way now."},
    [AM_COUNT_ABORTED] = {"messages_aborted_total", "counter",
                          "Messages that ended before their end of data."},
    [AM_COUNT_ACCEPTED] = {"accepted_total", "counter", "Messages let through."},
    [AM_COUNT_REJECTED] = {"rejected_total", "counter", "Rejections: messages and recipients."},
    [AM_COUNT_TEMPFAILED] = {"tempfailed_total", "counter",
                             "Temporary refusals: messages and recipients."},
    [AM_COUNT_DISCARDED] = {"discarded_total", "counter", "Messages discarded."},
    [AM_COUNT_QUARANTINED] = {"quarantined_total", "counter", "Messages put on hold."},
    [AM_COUNT_OBSERVED] = {"observed_total", "counter",
                           "Verdicts held back because of observe mode."},
    [AM_COUNT_FAILURES] = {"failures_total", "counter",
                           "Checks that could not do their work, blown time budgets included."},
    [AM_COUNT_SCRUBBED] = {"forged_fields_removed_total", "counter",
                           "Forged Authentication-Results fields removed."},
    [AM_COUNT_RESULTS_DROPPED] = {"results_dropped_total", "counter",
                                  "Results beyond what one message may carry."},
    [AM_COUNT_RELOADS] = {"reloads_total", "counter", "Configurations put in force by a reload."},
    [AM_COUNT_RELOADS_FAILED] = {"reloads_failed_total", "counter",
                                 "Reloads refused; the former configuration stayed in force."},
};

struct am_counters *am_counters_new(void)
{
    return calloc(1, sizeof(struct am_counters));
}

void am_counters_free(struct am_counters *counters)
{
    if (counters == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(atomic_load(&counters->slots[i]));
    free(counters);
}

void am_counters_add(struct am_counters *counters, enum am_counter which, int64_t amount)
{
    if (counters != NULL)
        atomic_fetch_add_explicit(&counters->fixed[which], amount, memory_order_relaxed);
}

int64_t am_counters_read(const struct am_counters *counters, enum am_counter which)
{
    return counters == NULL ? 0 : atomic_load(&counters->fixed[which]);
}

void am_counters_latency(struct am_counters *counters, int64_t us)
{
    if (counters == NULL)
        return;
    if (us < 0)
        us = 0;
    size_t i = 0;
    while (i < BUCKETS && us > bucket_us[i])
        i++;
    atomic_fetch_add_explicit(&counters->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->latency_sum_us, (uint64_t)us, memory_order_relaxed);
}

/* --- series --- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (hash ^ (text == NULL ? 0x1ff : 0x100)) * UINT64_C(1099511628211);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool fits(const char *text)
{
    return text == NULL || strnlen(text, AM_COUNTERS_TEXT_MAX + 1) <= AM_COUNTERS_TEXT_MAX;
}

static const char *put_text(char **end, const char *text)
{
    if (text == NULL)
        return NULL;
    char *start = *end;
    size_t size = strlen(text) + 1;
    memcpy(start, text, size);
    *end += size;
    return start;
}

static struct series *series_new(uint64_t hash, const char *module, const char *name,
                                 const char *label)
{
    struct series *series = malloc(sizeof(*series) + 3 * (AM_COUNTERS_TEXT_MAX + 1));
    if (series == NULL)
        return NULL;
    char *end = (char *)(series + 1);
    atomic_init(&series->value, 0);
    series->hash = hash;
    series->module = put_text(&end, module);
    series->name = put_text(&end, name);
    series->label = put_text(&end, label);
    return series;
}

/* Finds the series or makes it; NULL when the table or memory is full. */
static struct series *series_get(struct am_counters *counters, const char *module, const char *name,
                                 const char *label)
{
    uint64_t hash =
        hash_text(hash_text(hash_text(UINT64_C(14695981039346656037), module), name), label);
    struct series *made = NULL;
    for (size_t probe = 0; probe < SLOTS; probe++) {
        _Atomic(struct series *) *slot = &counters->slots[(hash + probe) % SLOTS];
        struct series *there = atomic_load(slot);
        if (there == NULL) {
            if (made == NULL) {
                if (atomic_fetch_add(&counters->series_count, 1) >= AM_COUNTERS_SERIES_MAX ||
                    (made = series_new(hash, module, name, label)) == NULL) {
                    atomic_fetch_sub(&counters->series_count, 1);
                    return NULL;
                }
            }
            if (atomic_compare_exchange_strong(slot, &there, made))
                return made;
        }
        if (there->hash == hash && same_text(there->module, module) &&
            same_text(there->name, name) && same_text(there->label, label)) {
            if (made != NULL) /* another thread was faster */
                atomic_fetch_sub(&counters->series_count, 1);
            free(made);
            return there;
        }
    }
    free(made);
    return NULL;
}

static void series_add(struct am_counters *counters, const char *module, const char *name,
                       const char *label, uint64_t amount)
{
    if (counters == NULL)
        return;
    struct series *series = NULL;
    if (fits(module) && fits(name) && fits(label))
        series = series_get(counters, module, name, label);
    if (series != NULL)
        atomic_fetch_add_explicit(&series->value, amount, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&counters->series_dropped, 1, memory_order_relaxed);
}

void am_counters_result(struct am_counters *counters, const char *method, const char *result)
{
    series_add(counters, NULL, method, result, 1);
}

void am_counters_module(struct am_counters *counters, const char *module, const char *name,
                        const char *label, uint64_t amount)
{
    series_add(counters, module, name, label, amount);
}

/* --- the text --- */

static void add_head(struct am_buf *out, const char *name, const char *type, const char *help)
{
    am_buf_printf(out, "# HELP authmilter_%s %s\n# TYPE authmilter_%s %s\n", name, help, name,
                  type);
}

/* A label value as the format wants it; other control bytes cannot be told and become '?'. */
static void add_label(struct am_buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '\\' || c == '"')
            am_buf_add_char(out, '\\');
        if (c == '\n')
            am_buf_add_str(out, "\\n");
        else
            am_buf_add_char(out, c < 0x20 || c >= 0x7f ? '?' : *value);
    }
}

static void add_name(struct am_buf *out, const char *name)
{
    for (; *name != '\0'; name++)
        am_buf_add_char(out, am_is_alnum((unsigned char)*name) ? *name : '_');
}

static int compare_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int compare_series(const void *a, const void *b)
{
    const struct series *x = *(const struct series *const *)a;
    const struct series *y = *(const struct series *const *)b;
    int order = compare_text(x->module, y->module);
    if (order == 0)
        order = compare_text(x->name, y->name);
    return order != 0 ? order : compare_text(x->label, y->label);
}

static void print_result(const struct series *series, bool first, struct am_buf *out)
{
    if (first)
        add_head(out, "results_total", "counter", "Published results by method.");
    am_buf_add_str(out, "authmilter_results_total{method=\"");
    add_label(out, series->name);
    am_buf_add_str(out, "\",result=\"");
    add_label(out, series->label == NULL ? "" : series->label);
    am_buf_printf(out, "\"} %" PRIu64 "\n", atomic_load(&series->value));
}

static void print_module(const struct series *series, bool first, struct am_buf *out)
{
    struct am_buf name;
    am_buf_init(&name, 512);
    add_name(&name, series->module);
    am_buf_add_char(&name, '_');
    add_name(&name, series->name);
    am_buf_add_str(&name, "_total");
    if (first)
        add_head(out, am_buf_str(&name), "counter", "Counted by the module.");
    am_buf_printf(out, "authmilter_%s", am_buf_str(&name));
    if (series->label != NULL) {
        am_buf_add_str(out, "{label=\"");
        add_label(out, series->label);
        am_buf_add_str(out, "\"}");
    }
    am_buf_printf(out, " %" PRIu64 "\n", atomic_load(&series->value));
    am_buf_fini(&name);
}

static void print_all_series(const struct am_counters *counters, struct am_buf *out)
{
    const struct series *sorted[AM_COUNTERS_SERIES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < SLOTS && count < AM_COUNTERS_SERIES_MAX; i++) {
        sorted[count] = atomic_load(&counters->slots[i]);
        count += sorted[count] != NULL;
    }
    qsort(sorted, count, sizeof(sorted[0]), compare_series);
    for (size_t i = 0; i < count; i++) {
        if (sorted[i]->module == NULL)
            print_result(sorted[i], i == 0, out);
        else
            print_module(sorted[i],
                         i == 0 || compare_text(sorted[i - 1]->module, sorted[i]->module) != 0 ||
                             strcmp(sorted[i - 1]->name, sorted[i]->name) != 0,
                         out);
    }
}

static void print_latency(const struct am_counters *counters, struct am_buf *out)
{
    uint64_t sum_us = atomic_load(&counters->latency_sum_us);
    uint64_t below = 0;
    add_head(out, "message_seconds", "histogram", "Time spent on a message in our callbacks.");
    for (size_t i = 0; i < BUCKETS; i++) {
        below += atomic_load(&counters->buckets[i]);
        am_buf_printf(out, "authmilter_message_seconds_bucket{le=\"%s\"} %" PRIu64 "\n",
                      bucket_label[i], below);
    }
    below += atomic_load(&counters->buckets[BUCKETS]);
    am_buf_printf(out,
                  "authmilter_message_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                  "authmilter_message_seconds_sum %" PRIu64 ".%06" PRIu64 "\n"
                  "authmilter_message_seconds_count %" PRIu64 "\n",
                  below, sum_us / 1000000, sum_us % 1000000, below);
}

void am_counters_print(const struct am_counters *counters, struct am_buf *out,
                       void (*extra)(void *user, struct am_buf *out), void *user)
{
    for (size_t i = 0; i < AM_COUNTER_MAX; i++) {
        add_head(out, fixed_rows[i].name, fixed_rows[i].type, fixed_rows[i].help);
        am_buf_printf(out, "authmilter_%s %" PRId64 "\n", fixed_rows[i].name,
                      am_counters_read(counters, (enum am_counter)i));
    }
    print_latency(counters, out);
    print_all_series(counters, out);
    add_head(out, "series_dropped_total", "counter", "Additions to series that were not kept.");
    am_buf_printf(out, "authmilter_series_dropped_total %" PRIu64 "\n",
                  atomic_load(&counters->series_dropped));
    if (extra != NULL)
        extra(user, out);
}
