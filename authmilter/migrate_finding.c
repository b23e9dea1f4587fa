#include "authmilter/migrate_finding.h"

#include "authmilter/tool_json.h"
#include "common/base/log.h"

void migrate_finding_add(struct migrate_findings *findings, struct am_arena *arena,
                         const struct migrate_finding *finding)
{
    struct migrate_finding *copy = am_arena_alloc(arena, sizeof(*copy));

    findings->counts[finding->kind]++;
    if (copy == NULL || finding->text == NULL) {
        findings->lost = true;
        return;
    }
    *copy = *finding;
    copy->next = NULL;
    if (findings->last == NULL)
        findings->first = copy;
    else
        findings->last->next = copy;
    findings->last = copy;
}

const char *migrate_kind_word(enum migrate_kind kind)
{
    static const char *const words[MIGRATE_KINDS] = {"translated", "same", "changed",
                                                     "none",       "mend", "unknown"};

    return words[kind];
}

static void print_escaped(const char *text, FILE *out)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, am_span_str(text));
    fputs(escaped.failed ? "?" : am_buf_str(&escaped), out);
    am_buf_fini(&escaped);
}

void migrate_findings_print(const struct migrate_findings *findings, bool all, FILE *out)
{
    for (const struct migrate_finding *f = findings->first; f != NULL; f = f->next) {
        if (!all && (f->kind == MIGRATE_TRANSLATED || f->kind == MIGRATE_SAME))
            continue;
        print_escaped(f->file, out);
        if (f->line > 0)
            fprintf(out, ":%zu", f->line);
        fprintf(out, ": %s: ", migrate_kind_word(f->kind));
        if (*f->option != '\0') {
            print_escaped(f->option, out);
            fputs(": ", out);
        }
        print_escaped(f->text, out);
        fputc('\n', out);
    }
}

json_t *migrate_findings_json(const struct migrate_findings *findings)
{
    json_t *list = json_array();

    for (const struct migrate_finding *f = findings->first; f != NULL && list != NULL;
         f = f->next) {
        json_t *item = json_pack("{s:s,s:o,s:I,s:o,s:o,s:o}", "kind", migrate_kind_word(f->kind),
                                 "file", tool_json_str(f->file), "line", (json_int_t)f->line,
                                 "option", tool_json_str(f->option), "value",
                                 tool_json_str(f->value), "text", tool_json_str(f->text));

        if (item == NULL || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
