#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/dns/dns_recording_json.h"
#include "common/dns/octets_json.h"
#include "common/milter/case.h"
#include "common/milter/listener.h"

static const struct {
    enum am_stage stage;
    const char *word;
} stages[] = {{AM_STAGE_CONNECT, "connect"}, {AM_STAGE_HELO, "helo"}, {AM_STAGE_ENVFROM, "mail"},
              {AM_STAGE_ENVRCPT, "rcpt"},    {AM_STAGE_DATA, "data"}, {AM_STAGE_HEADER, "header"},
              {AM_STAGE_EOH, "eoh"},         {AM_STAGE_BODY, "body"}, {AM_STAGE_EOM, "eom"}};
#define STAGE_COUNT (sizeof(stages) / sizeof(stages[0]))

/* --- writing --- */

/* NULL is null. */
static json_t *text(const char *value)
{
    return value == NULL ? json_null() : am_octets_to_json(am_span_str(value));
}

/* Adds an item, whose reference it takes. An array without one that it should have is none. */
static void append(json_t **array, json_t *item)
{
    if (*array != NULL && json_array_append_new(*array, item) == 0)
        return;
    if (*array == NULL)
        json_decref(item);
    json_decref(*array);
    *array = NULL;
}

static json_t *texts(const struct am_strlist *list)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < list->count; i++)
        append(&array, text(list->items[i]));
    return array;
}

static const char *stage_word(enum am_stage stage)
{
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (stages[i].stage == stage)
            return stages[i].word;
    return "eom";
}

static json_t *macros_array(const struct am_case *kept)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < kept->macro_count; i++)
        append(&array,
               json_pack("{s:s, s:o, s:o}", "stage", stage_word(kept->macros[i].stage), "name",
                         text(kept->macros[i].name), "value", text(kept->macros[i].value)));
    return array;
}

static json_t *fields_array(const struct am_case *kept)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < kept->field_count; i++)
        append(&array,
               json_pack("[o, o]", text(kept->fields[i].name), text(kept->fields[i].value)));
    return array;
}

static json_t *results_array(const struct am_results *results)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < results->count; i++) {
        const struct am_result *result = &results->items[i];
        json_t *properties = json_array();

        for (size_t j = 0; properties != NULL && j < result->property_count; j++)
            append(&properties, json_pack("[o, o, o]", text(result->properties[j].ptype),
                                          text(result->properties[j].property),
                                          am_octets_to_json(result->properties[j].value)));
        append(&array, json_pack("{s:o, s:o, s:o, s:o, s:o}", "module", text(results->modules[i]),
                                 "method", text(result->method), "result", text(result->result),
                                 "reason", text(result->reason), "properties", properties));
    }
    return array;
}

static json_t *notes_array(const struct am_outcome *outcome)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < outcome->note_count; i++)
        append(&array,
               json_pack("[o, o]", text(outcome->notes[i].key), text(outcome->notes[i].value)));
    return array;
}

static json_t *outcome_object(const struct am_outcome *outcome)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "action",
                     text(outcome->action), "module", text(outcome->module), "stage",
                     text(outcome->stage), "why", text(outcome->why), "reply", text(outcome->reply),
                     "observed", text(outcome->observed), "quarantine", text(outcome->quarantine),
                     "refused", texts(&outcome->refused), "edits", texts(&outcome->edits),
                     "results", results_array(&outcome->results), "notes", notes_array(outcome));
}

static json_t *envelope_object(const struct am_case *kept)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:o}", "client",
                     text(kept->client), "client_name", text(kept->client_name), "helo",
                     text(kept->helo), "sender", text(kept->sender), "sender_params",
                     texts(&kept->sender_params), "recipients", texts(&kept->recipients),
                     "addresses_kept", (int)kept->addresses_kept, "role",
                     am_role_words[kept->role].word, "listener", text(kept->listener), "queue_id",
                     text(kept->queue_id));
}

json_t *am_case_to_json(const struct am_case *kept)
{
    char digest[24];

    snprintf(digest, sizeof(digest), "%016" PRIx64, kept->config_digest);
    return json_pack(
        "{s:s, s:i, s:o, s:o, s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:I, s:o, "
        "s:b, s:o, s:o, s:o}",
        "format", AM_CASE_FORMAT, "version", AM_CASE_VERSION, "program", text(kept->program),
        "release", text(kept->release), "time", (json_int_t)kept->time_s, "config",
        text(kept->config), "config_digest", digest, "modules", texts(&kept->modules),
        "authserv_id", text(kept->authserv_id), "envelope", envelope_object(kept), "macros",
        macros_array(kept), "header_kept", kept->header_kept, "header", fields_array(kept),
        "body_kept", kept->body_kept, "body", am_octets_to_json(kept->body), "body_octets",
        (json_int_t)kept->body_octets, "body_sha256", text(kept->body_sha256), "dns_complete",
        (int)!(kept->dns.cut || kept->conn_dns.cut), "connection_dns",
        am_dns_recording_to_json(&kept->conn_dns), "dns", am_dns_recording_to_json(&kept->dns),
        "outcome", outcome_object(&kept->outcome));
}

/* --- reading --- */

struct reader {
    struct am_arena *arena;
    bool failed;
};

/* Returns the text, NULL for null and for a member that is not there. */
static const char *read_text(struct reader *reader, const json_t *value)
{
    struct am_span span;

    if (value == NULL || json_is_null(value))
        return NULL;
    /* A text with a NUL in it is none of ours. */
    if (!am_octets_from_json(reader->arena, value, &span) || strlen(span.ptr) != span.len) {
        reader->failed = true;
        return NULL;
    }
    return span.ptr;
}

static const char *member(struct reader *reader, const json_t *object, const char *key)
{
    return read_text(reader, json_object_get(object, key));
}

/* One that has to be there. */
static const char *need(struct reader *reader, const json_t *object, const char *key)
{
    const char *value = member(reader, object, key);

    if (value == NULL)
        reader->failed = true;
    return value == NULL ? "" : value;
}

/* Returns room for as many items as an array has; their number goes to `count`. */
static void *room(struct reader *reader, const json_t *array, size_t size, size_t *count)
{
    *count = json_array_size(array);
    void *items =
        *count > AM_CASE_ITEMS_MAX ? NULL : am_arena_alloc(reader->arena, (*count + 1) * size);

    if (!json_is_array(array) || items == NULL) {
        reader->failed = true;
        *count = 0;
    }
    return items;
}

static struct am_strlist read_texts(struct reader *reader, const json_t *array)
{
    struct am_strlist list;

    list.items = room(reader, array, sizeof(*list.items), &list.count);
    for (size_t i = 0; i < list.count; i++) {
        list.items[i] = read_text(reader, json_array_get(array, i));
        if (list.items[i] == NULL)
            reader->failed = true;
    }
    return reader->failed ? (struct am_strlist){NULL, 0} : list;
}

static void read_macros(struct reader *reader, struct am_case *kept, const json_t *array)
{
    kept->macros = room(reader, array, sizeof(*kept->macros), &kept->macro_count);
    for (size_t i = 0; i < kept->macro_count; i++) {
        const json_t *item = json_array_get(array, i);
        const char *word = need(reader, item, "stage");

        for (size_t j = 0; j < STAGE_COUNT; j++)
            if (strcmp(stages[j].word, word) == 0)
                kept->macros[i].stage = stages[j].stage;
        if (kept->macros[i].stage == 0)
            reader->failed = true;
        kept->macros[i].name = need(reader, item, "name");
        kept->macros[i].value = need(reader, item, "value");
    }
}

/* Reads "[name, value]". */
static void read_pair(struct reader *reader, const json_t *item, const char **name,
                      const char **value)
{
    *name = read_text(reader, json_array_get(item, 0));
    *value = read_text(reader, json_array_get(item, 1));
    if (*name == NULL || *value == NULL)
        reader->failed = true;
}

static void read_fields(struct reader *reader, struct am_case *kept, const json_t *array)
{
    kept->fields = room(reader, array, sizeof(*kept->fields), &kept->field_count);
    for (size_t i = 0; i < kept->field_count; i++)
        read_pair(reader, json_array_get(array, i), &kept->fields[i].name, &kept->fields[i].value);
}

static void read_result(struct reader *reader, struct am_results *results, const json_t *item)
{
    const json_t *properties = json_object_get(item, "properties");
    struct am_result result = {.method = need(reader, item, "method"),
                               .result = need(reader, item, "result"),
                               .reason = member(reader, item, "reason")};

    for (size_t i = 0; i < json_array_size(properties) && !reader->failed; i++) {
        const json_t *property = json_array_get(properties, i);
        const char *ptype = read_text(reader, json_array_get(property, 0));
        const char *name = read_text(reader, json_array_get(property, 1));
        struct am_span value;

        if (ptype == NULL || name == NULL ||
            !am_octets_from_json(reader->arena, json_array_get(property, 2), &value) ||
            !am_result_add_property(&result, ptype, name, value))
            reader->failed = true;
    }
    const char *module = need(reader, item, "module");
    if (!reader->failed && !am_results_add(results, reader->arena, module, &result))
        reader->failed = true;
}

static void read_outcome(struct reader *reader, struct am_outcome *outcome, const json_t *object)
{
    const json_t *results = json_object_get(object, "results");
    const json_t *notes = json_object_get(object, "notes");

    outcome->action = need(reader, object, "action");
    outcome->module = member(reader, object, "module");
    outcome->stage = member(reader, object, "stage");
    outcome->why = member(reader, object, "why");
    outcome->reply = member(reader, object, "reply");
    outcome->observed = member(reader, object, "observed");
    outcome->quarantine = member(reader, object, "quarantine");
    outcome->refused = read_texts(reader, json_object_get(object, "refused"));
    outcome->edits = read_texts(reader, json_object_get(object, "edits"));
    for (size_t i = 0; i < json_array_size(results); i++)
        read_result(reader, &outcome->results, json_array_get(results, i));
    outcome->notes = room(reader, notes, sizeof(*outcome->notes), &outcome->note_count);
    for (size_t i = 0; i < outcome->note_count; i++)
        read_pair(reader, json_array_get(notes, i), &outcome->notes[i].key,
                  &outcome->notes[i].value);
}

static void read_envelope(struct reader *reader, struct am_case *kept, const json_t *object)
{
    const char *role = need(reader, object, "role");
    bool known = false;

    kept->client = need(reader, object, "client");
    kept->client_name = member(reader, object, "client_name");
    kept->helo = member(reader, object, "helo");
    kept->sender = need(reader, object, "sender");
    kept->sender_params = read_texts(reader, json_object_get(object, "sender_params"));
    kept->recipients = read_texts(reader, json_object_get(object, "recipients"));
    kept->addresses_kept = json_is_true(json_object_get(object, "addresses_kept"));
    kept->listener = member(reader, object, "listener");
    kept->queue_id = member(reader, object, "queue_id");
    for (const struct am_choice *word = am_role_words; word->word != NULL; word++)
        if (strcmp(word->word, role) == 0) {
            kept->role = word->value;
            known = true;
        }
    reader->failed = reader->failed || !known;
}

static bool read_case(struct am_case *kept, struct am_arena *arena, const json_t *root,
                      struct am_problem *problem)
{
    struct reader reader = {.arena = arena};

    kept->program = need(&reader, root, "program");
    kept->release = need(&reader, root, "release");
    kept->time_s = json_integer_value(json_object_get(root, "time"));
    kept->config = need(&reader, root, "config");
    kept->config_digest = strtoull(need(&reader, root, "config_digest"), NULL, 16);
    kept->modules = read_texts(&reader, json_object_get(root, "modules"));
    kept->authserv_id = need(&reader, root, "authserv_id");
    read_envelope(&reader, kept, json_object_get(root, "envelope"));
    read_macros(&reader, kept, json_object_get(root, "macros"));
    kept->header_kept = need(&reader, root, "header_kept");
    read_fields(&reader, kept, json_object_get(root, "header"));
    kept->body_kept = need(&reader, root, "body_kept");
    if (!am_octets_from_json(arena, json_object_get(root, "body"), &kept->body))
        reader.failed = true;
    kept->body_octets = (uint64_t)json_integer_value(json_object_get(root, "body_octets"));
    kept->body_sha256 = member(&reader, root, "body_sha256");
    read_outcome(&reader, &kept->outcome, json_object_get(root, "outcome"));
    am_dns_recording_init(&kept->dns, arena);
    am_dns_recording_init(&kept->conn_dns, arena);
    if (reader.failed)
        return am_problem_set(problem, "it is not of the form of a case");
    const json_t *conn_dns = json_object_get(root, "connection_dns");
    if (!am_dns_recording_from_json(&kept->dns, json_object_get(root, "dns"), problem) ||
        (conn_dns != NULL && !am_dns_recording_from_json(&kept->conn_dns, conn_dns, problem)))
        return false;
    kept->dns.cut = !json_is_true(json_object_get(root, "dns_complete"));
    return true;
}

bool am_case_parse(struct am_case *kept, struct am_arena *arena, struct am_span source,
                   const char *name, struct am_problem *problem)
{
    json_error_t error;
    struct am_problem inner;
    json_t *root = json_loadb(source.ptr, source.len, JSON_REJECT_DUPLICATES, &error);
    const char *format = json_string_value(json_object_get(root, "format"));
    bool good = false;

    *kept = (struct am_case){0};
    if (root == NULL)
        return am_problem_set(problem, "%s:%d: no JSON: %s", name, error.line, error.text);
    if (format == NULL || strcmp(format, AM_CASE_FORMAT) != 0)
        am_problem_set(problem, "%s: no case: \"format\" is not \"%s\"", name, AM_CASE_FORMAT);
    else if (json_integer_value(json_object_get(root, "version")) != AM_CASE_VERSION)
        am_problem_set(problem, "%s: of another version; this program reads version %d", name,
                       AM_CASE_VERSION);
    else if (!read_case(kept, arena, root, &inner))
        am_problem_set(problem, "%s: %s", name, inner.text);
    else
        good = true;
    json_decref(root);
    return good;
}

bool am_case_load(struct am_case *kept, struct am_arena *arena, const char *path,
                  struct am_problem *problem)
{
    FILE *file = fopen(path, "re");
    char block[16384];
    struct am_buf content;
    size_t len;
    bool good;

    if (file == NULL)
        return am_problem_set(problem, "%s: cannot be opened: %m", path);
    am_buf_init(&content, AM_CASE_FILE_MAX);
    while ((len = fread(block, 1, sizeof(block), file)) > 0 && !content.failed)
        am_buf_add(&content, am_span_of(block, len));
    if (ferror(file))
        good = am_problem_set(problem, "%s: cannot be read: %m", path);
    else if (content.failed)
        good = am_problem_set(problem, "%s: larger than %zu MiB", path, AM_CASE_FILE_MAX >> 20);
    else
        good = am_case_parse(kept, arena, am_buf_span(&content), path, problem);
    am_buf_fini(&content);
    fclose(file);
    return good;
}
