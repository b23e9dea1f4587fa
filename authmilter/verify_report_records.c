#include "authmilter/verify_report.h"

struct tool_record *verify_report_find_records(const struct dkim_verify_env *env,
                                               const struct dkim_report *report)
{
    struct tool_record *records =
        am_arena_alloc(env->arena, (report->count + 1) * sizeof(*records));

    for (size_t i = 0; records != NULL && i < report->count; i++) {
        const struct dkim_outcome *outcome = &report->outcomes[i];
        const struct dkim_signature *parts = outcome->parts;

        if (!outcome->evaluated || parts->ascii_domain == NULL || parts->ascii_selector == NULL ||
            outcome->reason == DKIM_REASON_TOO_MANY_KEYS)
            continue;
        if (!tool_record_find(&records[i], env->arena, env->resolver, parts->ascii_domain,
                              parts->ascii_selector, env->lookup_deadline_us))
            return NULL;
    }
    return records;
}
