#include "contrib/attachment-milter/attachment.h"

#include "common/base/log.h"
#include "contrib/mime/mime_edit.h"

/* What a name or reason may take of a line. */
enum { SHOWN_MAX = 120, HEAD_MAX = 33 * 1024 };

struct look {
    unsigned level; /* of messages that had to be decoded */
    struct am_arena *arena;
    const struct attachment_rules *rules;
    struct am_archive_budget budget;
    struct attachment_report *report;
    bool failed; /* memory was short */
};

/* Names of strangers for a text that people read: no control characters, and not without end. */
static const char *shown(struct look *look, struct am_span name)
{
    struct am_buf text;
    bool cut = name.len > SHOWN_MAX;
    am_buf_init(&text, 0);
    am_log_escape(&text, cut ? am_span_of(name.ptr, SHOWN_MAX) : name);
    const char *copy = am_arena_printf(look->arena, "%s%s", am_buf_str(&text), cut ? "[...]" : "");
    am_buf_fini(&text);
    look->failed = look->failed || copy == NULL;
    return copy == NULL ? "" : copy;
}

/* --- archives --- */

/* One archive in hand. */
struct opening {
    struct look *look;
    struct am_span name; /* its own, for a compressed file's */
    unsigned level;      /* 0: an attachment, 1: within one */
    const char *why;     /* the first reason against it */
};

static const char *look_into(struct look *look, struct am_span name, struct am_span file,
                             unsigned level);

/* "report.exe.gz" unpacks to "report.exe". */
static struct am_span name_within(const struct opening *opening,
                                  const struct am_archive_entry *entry)
{
    size_t dot = am_span_find_last(opening->name, '.');
    return entry->is_file ? am_span_of(opening->name.ptr, dot) : entry->name;
}

/* An archive within an archive. */
static const char *judge_nested(const struct opening *opening, const struct am_archive_entry *entry)
{
    const struct attachment_rules *rules = opening->look->rules;
    if (rules->nested == ATTACHMENT_KEEP)
        return NULL;
    if (rules->nested == ATTACHMENT_REMOVE)
        return "an archive within an archive";
    if (opening->level > 0)
        return rules->unreadable == ATTACHMENT_REMOVE ? "archives within archives within archives"
                                                      : NULL;
    if (entry->content.len == 0)
        return NULL; /* the reader says that it ended here */
    return look_into(opening->look, name_within(opening, entry), entry->content, 1);
}

static bool take_entry(void *user, const struct am_archive_entry *entry)
{
    struct opening *opening = user;
    struct look *look = opening->look;
    struct am_span name = name_within(opening, entry);
    const char *why = am_danger_of_name(look->rules->danger, look->arena, name);
    if (why == NULL && look->rules->contents)
        why = am_danger_of_content(entry->head);
    if (why == NULL && entry->is_archive)
        why = judge_nested(opening, entry);
    if (why == NULL)
        return true;
    opening->why =
        am_arena_printf(look->arena, "in the archive, \"%s\": %s", shown(look, name), why);
    look->failed = look->failed || opening->why == NULL;
    return false;
}

/* Returns why an archive is dangerous, or NULL. */
static const char *look_into(struct look *look, struct am_span name, struct am_span file,
                             unsigned level)
{
    struct opening opening = {.look = look, .name = name, .level = level};
    const struct am_archive_taker taker = {take_entry, &opening};
    bool nested = level == 0 && look->rules->nested == ATTACHMENT_LOOK;
    switch (am_archive_list(file, &look->budget, nested, &taker)) {
    case AM_ARCHIVE_ENCRYPTED:
        return look->rules->encrypted == ATTACHMENT_REMOVE ? "an archive whose names are encrypted"
                                                           : NULL;
    case AM_ARCHIVE_BROKEN:
        return look->rules->unreadable == ATTACHMENT_REMOVE ? "an archive that cannot be read"
                                                            : NULL;
    case AM_ARCHIVE_BEYOND:
        return look->rules->unreadable == ATTACHMENT_REMOVE
                   ? "an archive that is too large to be looked into"
                   : NULL;
    default:
        return opening.why;
    }
}

/* --- parts --- */

/* Kinds of names that promise an archive, whatever the content begins with. */
static bool promises_archive(const struct am_mime_part *part)
{
    static const char *const kinds[] = {".zip", ".7z",  ".rar", ".tar", ".tgz", ".gz",
                                        ".bz2", ".tbz", ".txz", ".xz",  ".zst", ".cab",
                                        ".lzh", ".lha", ".z",   ".lz",  ".lz4", ".lzma"};
    for (size_t i = 0; i < part->names.count; i++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            if (am_span_ends_nocase(am_span_str(part->names.items[i]), am_span_str(kinds[k])))
                return true;
        }
    }
    return false;
}

static bool look_at_message(struct look *look, struct am_span fields, struct am_span body);

/* Returns where the empty line behind a header begins. */
static size_t header_len(struct am_span text)
{
    size_t len = 0;
    while (len < text.len) {
        struct am_span rest = am_span_of(text.ptr + len, text.len - len);
        if (rest.ptr[0] == '\n' || am_span_starts_nocase(rest, am_span_str("\r\n")))
            break;
        size_t line = am_span_find(rest, '\n');
        len += line + (line < rest.len);
    }
    return len;
}

/* A message that is encoded, which none may be, but which clients show. */
static const char *judge_message(struct look *look, struct am_span content)
{
    enum { LEVELS = 3 };
    struct attachment_report report = {.count = 0};
    struct look inner = *look;
    size_t len = header_len(content);
    if (look->level == LEVELS) {
        look->report->unseen = "encoded messages within encoded messages";
        return NULL;
    }
    inner.level++;
    inner.report = &report;
    /* The empty line between is the first of the body, where it harms nobody. */
    look->failed = !look_at_message(&inner, am_span_of(content.ptr, len),
                                    am_span_of(content.ptr + len, content.len - len)) ||
                   look->failed;
    look->budget = inner.budget;
    if (report.unseen != NULL)
        look->report->unseen = report.unseen;
    if (report.malformed != NULL)
        look->report->malformed = report.malformed;
    if (report.hidden != NULL)
        look->report->hidden = report.hidden;
    if (report.count == 0)
        return NULL;
    const char *why = am_arena_printf(look->arena, "in the message, \"%s\": %s",
                                      report.findings[0].name, report.findings[0].why);
    look->failed = look->failed || why == NULL;
    return why;
}

/* Judges a content that is there as a whole or by its head. */
static const char *judge_content(struct look *look, const struct am_mime *mime, size_t index)
{
    const struct am_mime_part *part = am_mime_at(mime, index);
    const struct attachment_rules *rules = look->rules;
    const char *name = part->names.count > 0 ? part->names.items[0] : "";
    const char *why = NULL;
    struct am_buf content;
    am_buf_init(&content, HEAD_MAX);
    (void)am_mime_decode(mime, index, &content);
    if (rules->contents)
        why = am_danger_of_content(am_buf_span(&content));
    bool is_archive = rules->archives && why == NULL && content.len > 0 &&
                      (am_archive_is(am_buf_span(&content)) || promises_archive(part));
    bool is_message =
        am_span_starts_nocase(am_span_str(part->type), am_span_str("message/")) && !part->is_piece;
    am_buf_fini(&content);
    if (why != NULL || (!is_archive && !is_message))
        return why;
    am_buf_init(&content, 0);
    if (!am_mime_decode(mime, index, &content))
        look->failed = true;
    else if (is_archive)
        why = look_into(look, am_span_str(name), am_buf_span(&content), 0);
    else
        why = judge_message(look, am_buf_span(&content));
    am_buf_fini(&content);
    return why;
}

static const char *judge_names(struct look *look, const struct am_mime_part *part, size_t *which)
{
    for (size_t i = 0; i < part->names.count; i++) {
        const char *why =
            am_danger_of_name(look->rules->danger, look->arena, am_span_str(part->names.items[i]));
        *which = i;
        if (why != NULL)
            return why;
    }
    *which = 0;
    return NULL;
}

static bool add_finding(struct look *look, const struct am_mime_part *part, size_t which,
                        const char *why)
{
    struct attachment_report *report = look->report;
    const char *name = part->names.count > which ? part->names.items[which] : "";
    report->findings[report->count++] =
        (struct attachment_finding){part, shown(look, am_span_str(name)), why};
    return !look->failed;
}

static void look_at(struct look *look, const struct am_mime *mime, size_t index)
{
    const struct am_mime_part *part = am_mime_at(mime, index);
    size_t which;
    /* A multipart with a name is still a multipart; what is in it is looked at. */
    bool multipart = part->is_container &&
                     am_span_starts_nocase(am_span_str(part->type), am_span_str("multipart/"));
    if (multipart)
        return;
    const char *why = judge_names(look, part, &which);
    if (why == NULL && part->is_piece)
        look->report->unseen = "a part whose content is elsewhere";
    if (why == NULL && !part->is_container)
        why = judge_content(look, mime, index);
    if (why != NULL)
        add_finding(look, part, which, why);
}

/* The names that were judged with their parts are not judged again. */
static bool is_known(const struct am_mime *mime, const char *name)
{
    for (size_t i = 0; i < am_mime_count(mime); i++) {
        const struct am_strlist *names = &am_mime_at(mime, i)->names;
        for (size_t k = 0; k < names->count; k++) {
            if (strcmp(names->items[k], name) == 0)
                return true;
        }
    }
    return false;
}

static void look_for_strays(struct look *look, const struct am_mime *mime)
{
    struct am_strlist names = {NULL, 0};
    if (!am_mime_stray_names(mime, &names))
        look->report->unseen = "more names than are looked at";
    for (size_t i = 0; i < names.count && look->report->hidden == NULL; i++) {
        struct am_span name = am_span_str(names.items[i]);
        const char *why = is_known(mime, names.items[i])
                              ? NULL
                              : am_danger_of_name(look->rules->danger, look->arena, name);
        if (why == NULL)
            continue;
        look->report->hidden = am_arena_printf(look->arena, "\"%s\", outside of all parts: %s",
                                               shown(look, name), why);
        look->failed = look->failed || look->report->hidden == NULL;
    }
}

static bool look_at_message(struct look *look, struct am_span fields, struct am_span body)
{
    struct attachment_report *report = look->report;
    struct am_problem why = {""};
    struct am_mime *mime = am_mime_open(look->arena, fields, body, &look->rules->limits, &why);
    if (mime == NULL) {
        report->unseen = am_arena_copy(look->arena, am_span_str(why.text));
        return report->unseen != NULL;
    }
    report->findings =
        am_arena_alloc(look->arena, (am_mime_count(mime) + 1) * sizeof(*report->findings));
    if (report->findings == NULL)
        return false;
    for (size_t i = 0; i < am_mime_count(mime); i++)
        look_at(look, mime, i);
    look_for_strays(look, mime);
    if (am_mime_defects(mime) != 0)
        report->malformed = am_mime_defect_text(am_mime_defects(mime));
    if (am_mime_is_cut(mime))
        report->unseen = "more parts, names or levels than are looked at";
    return !look->failed;
}

bool attachment_look(struct attachment_report *report, struct am_arena *arena,
                     const struct attachment_rules *rules, struct am_span fields,
                     struct am_span body)
{
    struct look look = {.arena = arena, .rules = rules, .budget = rules->budget, .report = report};
    *report = (struct attachment_report){.count = 0};
    return look_at_message(&look, fields, body);
}

bool attachment_replace(struct am_buf *out, struct am_arena *arena,
                        const struct attachment_report *report, struct am_span body,
                        const char *notice, const char *by)
{
    struct am_mime_cut *cuts = am_arena_alloc(arena, (report->count + 1) * sizeof(*cuts));
    if (cuts == NULL)
        return false;
    for (size_t i = 0; i < report->count; i++) {
        const struct attachment_finding *finding = &report->findings[i];
        cuts[i].part = finding->part;
        cuts[i].text = am_arena_printf(
            arena, "An attachment was removed from this message by %s.\n\nName: %s\nWhy: %s\n%s%s",
            by, finding->name[0] == '\0' ? "(none)" : finding->name, finding->why,
            notice[0] == '\0' ? "" : "\n", notice);
        if (cuts[i].text == NULL)
            return false;
    }
    return am_mime_splice(out, body, cuts, report->count);
}

bool attachment_is_whole(const struct attachment_report *report)
{
    return report->count > 0 && report->findings[0].part->depth == 1;
}
