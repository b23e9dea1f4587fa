#include "common/milter/figures.h"

#include <inttypes.h>

#include "common/dns/dns_live.h"
#include "common/milter/runtime.h"

static void add(struct am_buf *out, const char *name, const char *type, const char *help,
                uint64_t value)
{
    am_buf_printf(out,
                  "# HELP authmilter_%s %s\n# TYPE authmilter_%s %s\nauthmilter_%s %" PRIu64 "\n",
                  name, help, name, type, name, value);
}

static void add_resolver(struct am_buf *out, const struct am_resolver *resolver)
{
    struct am_dns_live_stats stats = {0};
    am_dns_live_read_stats(resolver, &stats);
    add(out, "dns_lookups_total", "counter", "Names asked for.", stats.lookups);
    add(out, "dns_cache_hits_total", "counter", "Names answered from the cache.", stats.cache_hits);
    add(out, "dns_joined_total", "counter", "Names for which a query was under way already.",
        stats.joined);
    add(out, "dns_queries_udp_total", "counter", "Queries sent over UDP.", stats.queries_udp);
    add(out, "dns_queries_tcp_total", "counter", "Queries sent over TCP.", stats.queries_tcp);
    add(out, "dns_timeouts_total", "counter", "Attempts that got no answer in time.",
        stats.timeouts);
    add(out, "dns_spoofed_total", "counter", "Datagrams dropped because they were no answer.",
        stats.spoofed);
    add(out, "dns_servfails_total", "counter", "Answers that said the server failed.",
        stats.servfails);
    add(out, "dns_cache_entries", "gauge", "Names in the cache now.", stats.cache_entries);
    add(out, "dns_cache_bytes", "gauge", "Bytes of the cache now.", stats.cache_bytes);
    add(out, "dns_cache_evicted_total", "counter", "Names put out of the cache to make room.",
        stats.cache_evicted);
}

static void add_runtime(void *user, struct am_buf *out)
{
    struct am_runtime *runtime = (struct am_runtime *)am_snapshot_take(user);
    if (runtime == NULL)
        return;
    add(out, "config_generation", "gauge", "Number of the configuration in force, 1 at the start.",
        runtime->generation);
    if (runtime->resolver != NULL && runtime->resolver_is_live)
        add_resolver(out, runtime->resolver);
    am_snapshot_drop(&runtime->snapshot);
}

void am_figures_metrics(struct am_snapshot_holder *runtime, const struct am_counters *counters,
                        struct am_buf *out)
{
    am_counters_print(counters, out, add_runtime, runtime);
}

void am_figures_stats(struct am_snapshot_holder *runtime, const struct am_counters *counters,
                      struct am_buf *out)
{
    static const char prefix[] = "authmilter_";
    struct am_buf text;
    am_buf_init(&text, 0);
    am_figures_metrics(runtime, counters, &text);
    struct am_span rest = am_buf_span(&text);
    while (rest.len > 0) {
        size_t end = am_span_find(rest, '\n');
        struct am_span line = am_span_of(rest.ptr, end);
        if (am_span_starts_nocase(line, am_span_str(prefix))) {
            am_buf_add(out, am_span_of(line.ptr + sizeof(prefix) - 1, end - sizeof(prefix) + 1));
            am_buf_add_char(out, '\n');
        }
        size_t taken = end < rest.len ? end + 1 : end;
        rest = am_span_of(rest.ptr + taken, rest.len - taken);
    }
    out->failed = out->failed || text.failed;
    am_buf_fini(&text);
}
