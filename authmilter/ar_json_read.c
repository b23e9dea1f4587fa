#include <stdio.h>
#include <stdlib.h>

#include "authmilter/ar_json.h"
#include "authmilter/ar_member.h"
#include "authmilter/ar_placed.h"

#define ELEMENT_MAX 48 /* room for the name of an element, as in "comments_at[123]" */

/* Comments in the order written, and the next one to be added. */
struct queue {
    struct ar_placed *items;
    size_t count, next;
};

static bool read_comment(struct ar_reader *reader, const json_t *text, const json_t *place,
                         struct ar_placed *out)
{
    char member[ELEMENT_MAX];

    if (!json_is_string(text)) {
        snprintf(member, sizeof(member), "comments[%zu]", out->index);
        return ar_member_refuse(reader, AR_SYNTAX, member, "not a string");
    }
    out->text = (struct ar_text){json_string_value(text), json_string_length(text)};
    if (place == NULL || ar_placed_read(out, place, reader->result != AR_NOWHERE))
        return true;
    snprintf(member, sizeof(member), "comments_at[%zu]", out->index);
    return ar_member_refuse(reader, AR_SYNTAX, member, "not a place where a comment can stand");
}

/* Reads "comments" and "comments_at" of a result or the header. The caller frees the items. */
static bool read_comments(struct ar_reader *reader, json_t *object, enum ar_place usual,
                          struct queue *queue)
{
    json_t *texts, *places;

    *queue = (struct queue){NULL, 0, 0};
    if (!ar_member_array(reader, object, "comments", &texts) ||
        !ar_member_array(reader, object, "comments_at", &places))
        return false;
    if (places != NULL && json_array_size(places) != json_array_size(texts))
        return ar_member_refuse(reader, AR_SYNTAX, "comments_at", "not as long as \"comments\"");
    queue->count = json_array_size(texts);
    queue->items = calloc(queue->count + 1, sizeof(*queue->items));
    if (queue->items == NULL)
        return ar_member_took(reader, AR_NO_MEMORY, "comments", (struct ar_text){NULL, 0});
    for (size_t i = 0; i < queue->count; i++) {
        queue->items[i] = (struct ar_placed){.place = usual, .index = i};
        if (!read_comment(reader, json_array_get(texts, i), json_array_get(places, i),
                          &queue->items[i]))
            return false;
    }
    ar_placed_sort(queue->items, queue->count);
    return true;
}

/* Adds the comments of one place. */
static bool add_comments(struct ar_reader *reader, struct queue *queue, enum ar_place place,
                         size_t property)
{
    char member[ELEMENT_MAX];
    bool at_end =
        place == AR_AFTER_RESULT || place == AR_AFTER_REASON || place == AR_AFTER_PROPERTY;

    for (; queue->next < queue->count; queue->next++) {
        const struct ar_placed *item = &queue->items[queue->next];
        if (item->place != place || item->property != property)
            break;
        enum ar_status status =
            at_end
                ? ar_header_add_comment(reader->header, item->text.ptr, item->text.len)
                : ar_header_add_comment_at(reader->header, place, item->text.ptr, item->text.len);
        snprintf(member, sizeof(member), "comments[%zu]", item->index);
        if (!ar_member_took(reader, status, member, item->text))
            return false;
    }
    return true;
}

/* Tells whether all comments have found their place. */
static bool all_added(struct ar_reader *reader, const struct queue *queue)
{
    char member[ELEMENT_MAX];

    if (queue->next == queue->count)
        return true;
    snprintf(member, sizeof(member), "comments_at[%zu]", queue->items[queue->next].index);
    return ar_member_refuse(reader, AR_SYNTAX, member, "there is nothing at this place");
}

static bool read_property(struct ar_reader *reader, json_t *object)
{
    static const char *const known[] = {"ptype", "property", "value", NULL};
    const char *ptype, *name;
    struct ar_text value;

    if (!ar_member_known(reader, object, known) ||
        !ar_member_word(reader, object, "ptype", &ptype) ||
        !ar_member_word(reader, object, "property", &name) ||
        !ar_member_needed(reader, object, "value", &value))
        return false;
    enum ar_status status =
        ar_header_add_property(reader->header, ptype, name, value.ptr, value.len);
    if (status != AR_BAD_TOKEN)
        return ar_member_took(reader, status, "value", value);
    bool ptype_is_bad = ar_header_add_property(reader->header, ptype, "x", "", 0) == AR_BAD_TOKEN;
    return ar_member_refuse(reader, status, ptype_is_bad ? "ptype" : "property",
                            ar_status_text(status));
}

static bool read_properties(struct ar_reader *reader, json_t *object, struct queue *comments)
{
    json_t *properties;

    if (!ar_member_array(reader, object, "properties", &properties))
        return false;
    for (size_t i = 0; i < json_array_size(properties); i++) {
        reader->property = i;
        if (!read_property(reader, json_array_get(properties, i)))
            return false;
        reader->property = AR_NOWHERE;
        if (!add_comments(reader, comments, AR_AFTER_PROPERTY, i))
            return false;
    }
    return true;
}

static bool add_result(struct ar_reader *reader, const char *method, const char *word)
{
    enum ar_status status = ar_header_add_result(reader->header, method, word);

    if (status != AR_BAD_TOKEN)
        return ar_member_took(reader, status, "method", (struct ar_text){NULL, 0});
    bool method_is_bad = ar_header_add_result(reader->header, method, "x") == AR_BAD_TOKEN;
    return ar_member_refuse(reader, status, method_is_bad ? "method" : "result",
                            ar_status_text(status));
}

static bool set_version(struct ar_reader *reader, json_t *object,
                        enum ar_status (*set)(struct ar_header *, long))
{
    long version;

    if (!ar_member_number(reader, object, "version", -1, &version))
        return false;
    return set(reader->header, version) == AR_OK ||
           ar_member_refuse(reader, AR_BAD_VALUE, "version", "out of range");
}

static bool set_reason(struct ar_reader *reader, json_t *object)
{
    struct ar_text reason;

    if (!ar_member_text(reader, object, "reason", &reason))
        return false;
    return reason.ptr == NULL ||
           ar_member_took(reader, ar_header_set_reason(reader->header, reason.ptr, reason.len),
                          "reason", reason);
}

/* Adds the parts in the order in which they are written: a comment follows the part before it. */
static bool read_result(struct ar_reader *reader, json_t *object)
{
    static const char *const known[] = {"method",     "version",  "result",      "reason",
                                        "properties", "comments", "comments_at", NULL};
    const char *method, *word;
    struct queue comments;

    if (!ar_member_known(reader, object, known) ||
        !ar_member_word(reader, object, "method", &method) ||
        !ar_member_word(reader, object, "result", &word) || !add_result(reader, method, word) ||
        !set_version(reader, object, ar_header_set_method_version))
        return false;
    bool whole = read_comments(reader, object, AR_AFTER_RESULT, &comments) &&
                 add_comments(reader, &comments, AR_BEFORE_METHOD, 0) &&
                 add_comments(reader, &comments, AR_AFTER_RESULT, 0) &&
                 set_reason(reader, object) &&
                 (ar_result_reason(ar_header_result(reader->header, reader->result)).ptr == NULL ||
                  add_comments(reader, &comments, AR_AFTER_REASON, 0)) &&
                 read_properties(reader, object, &comments) && all_added(reader, &comments);
    free(comments.items);
    return whole;
}

static bool read_results(struct ar_reader *reader, json_t *object)
{
    json_t *results;

    if (!ar_member_array(reader, object, "results", &results))
        return false;
    for (size_t i = 0; i < json_array_size(results); i++) {
        reader->result = i;
        if (!read_result(reader, json_array_get(results, i)))
            return false;
    }
    reader->result = AR_NOWHERE;
    return true;
}

static bool read_header_comments(struct ar_reader *reader, json_t *object)
{
    struct queue comments;
    bool whole = read_comments(reader, object, AR_AFTER_ID, &comments) &&
                 add_comments(reader, &comments, AR_BEFORE_ID, 0) &&
                 add_comments(reader, &comments, AR_AFTER_ID, 0) &&
                 (ar_header_version(reader->header) < 0 ||
                  add_comments(reader, &comments, AR_AFTER_VERSION, 0)) &&
                 (ar_header_result_count(reader->header) > 0 ||
                  add_comments(reader, &comments, AR_AFTER_NONE, 0)) &&
                 all_added(reader, &comments);

    free(comments.items);
    return whole;
}

static bool read_header(struct ar_reader *reader, json_t *object)
{
    static const char *const known[] = {"authserv_id", "version",     "instance", "results",
                                        "comments",    "comments_at", "forgiven", NULL};
    struct ar_text id;
    long instance;

    if (!ar_member_known(reader, object, known) ||
        !ar_member_needed(reader, object, "authserv_id", &id) ||
        !ar_member_took(reader, ar_header_set_id(reader->header, id.ptr, id.len), "authserv_id",
                        id) ||
        !set_version(reader, object, ar_header_set_version) ||
        !ar_member_number(reader, object, "instance", 0, &instance))
        return false;
    if (ar_header_set_instance(reader->header, (unsigned)instance) != AR_OK)
        return ar_member_refuse(reader, AR_BAD_VALUE, "instance", "out of range");
    return read_results(reader, object) && read_header_comments(reader, object);
}

enum ar_status ar_json_read(json_t *object, bool utf8, struct ar_header **out,
                            struct am_problem *problem)
{
    struct ar_reader reader = {
        .header = ar_header_new(NULL),
        .problem = problem,
        .result = AR_NOWHERE,
        .property = AR_NOWHERE,
        .utf8 = utf8,
    };

    if (reader.header == NULL) {
        ar_member_refuse(&reader, AR_NO_MEMORY, "", ar_status_text(AR_NO_MEMORY));
        return AR_NO_MEMORY;
    }
    ar_header_allow_utf8(reader.header, utf8);
    if (read_header(&reader, object)) {
        *out = reader.header;
        return AR_OK;
    }
    ar_header_free(reader.header);
    return reader.status;
}
