#include "authmilter/check_findings.h"

#include <string.h>

#include "authmilter/tool_json.h"
#include "common/base/log.h"

void check_findings_init(struct check_findings *findings, struct am_arena *arena)
{
    *findings = (struct check_findings){.arena = arena};
}

void check_found(struct check_findings *findings, enum check_id id, const char *where,
                 const char *format, ...)
{
    struct check_finding *finding = am_arena_alloc(findings->arena, sizeof(*finding));
    va_list args;

    if (finding != NULL) {
        va_start(args, format);
        finding->id = id;
        finding->where = am_arena_copy(findings->arena, am_span_str(where));
        finding->what = am_arena_vprintf(findings->arena, format, args);
        va_end(args);
    }
    if (finding == NULL || finding->where == NULL || finding->what == NULL) {
        findings->failed = true;
        return;
    }
    if (findings->last == NULL)
        findings->first = finding;
    else
        findings->last->next = finding;
    findings->last = finding;
    findings->counts[check_kinds[id].severity]++;
}

void check_mend(struct check_findings *findings, const char *format, ...)
{
    va_list args;

    if (findings->last == NULL)
        return;
    va_start(args, format);
    findings->last->mend = am_arena_vprintf(findings->arena, format, args);
    va_end(args);
    if (findings->last->mend == NULL)
        findings->failed = true;
}

bool check_is_found(const struct check_findings *findings, enum check_id id, const char *where)
{
    for (const struct check_finding *found = findings->first; found != NULL; found = found->next)
        if (found->id == id && strcmp(found->where, where) == 0)
            return true;
    return false;
}

const char *check_severity_word(enum check_severity severity)
{
    static const char *const words[CHECK_SEVERITY_COUNT] = {"ok", "note", "warning", "error"};

    return words[severity];
}

static void print_escaped(const char *before, const char *text, FILE *out)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, am_span_str(text));
    fprintf(out, "%s%s\n", before, am_buf_str(&escaped));
    am_buf_fini(&escaped);
}

static void print_finding(const struct check_finding *finding, FILE *out)
{
    const struct check_kind *kind = &check_kinds[finding->id];

    fprintf(out, "%s %s: ", check_severity_word(kind->severity), kind->name);
    print_escaped("", finding->where, out);
    print_escaped("    ", finding->what, out);
    if (finding->mend != NULL)
        print_escaped("    mend: ", finding->mend, out);
}

static void print_count(size_t count, const char *word, const char *after, FILE *out)
{
    fprintf(out, "%zu %s%s%s", count, word, count == 1 ? "" : "s", after);
}

void check_print_text(const struct check_findings *findings, bool verbose, FILE *out)
{
    for (const struct check_finding *found = findings->first; found != NULL; found = found->next)
        if (verbose || check_kinds[found->id].severity != CHECK_OK)
            print_finding(found, out);
    print_count(findings->counts[CHECK_ERROR], "error", ", ", out);
    print_count(findings->counts[CHECK_WARNING], "warning", ", ", out);
    print_count(findings->counts[CHECK_NOTE], "note", "; ", out);
    fprintf(out, "%zu in order\n", findings->counts[CHECK_OK]);
}

static json_t *finding_object(const struct check_finding *finding)
{
    const struct check_kind *kind = &check_kinds[finding->id];

    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "id", kind->name, "severity",
                     check_severity_word(kind->severity), "where", tool_json_str(finding->where),
                     "what", tool_json_str(finding->what), "mend", tool_json_str(finding->mend));
}

bool check_print_json(const struct check_findings *findings, FILE *out)
{
    json_t *list = json_array();
    bool complete = list != NULL;

    for (const struct check_finding *found = findings->first; found != NULL; found = found->next)
        complete = json_array_append_new(list, finding_object(found)) == 0 && complete;
    json_t *object = json_pack(
        "{s:i, s:i, s:i, s:i, s:o}", "errors", (int)findings->counts[CHECK_ERROR], "warnings",
        (int)findings->counts[CHECK_WARNING], "notes", (int)findings->counts[CHECK_NOTE],
        "in_order", (int)findings->counts[CHECK_OK], "findings", list);
    return tool_json_print(object, out) && complete;
}

void check_print_kinds(FILE *out)
{
    for (size_t i = 0; i < CHECK_ID_COUNT; i++)
        fprintf(out, "%s\t%s\t%s\n", check_kinds[i].name,
                check_severity_word(check_kinds[i].severity), check_kinds[i].meaning);
}
