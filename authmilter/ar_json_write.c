#include <stdlib.h>

#include "authmilter/ar_json.h"
#include "authmilter/ar_placed.h"

/* Takes the value, NULL for one that found no memory. */
static bool put(json_t *object, const char *member, json_t *value)
{
    return json_object_set_new(object, member, value) == 0;
}

/* Hands out what was made, or drops it. */
static json_t *finish(json_t *made, bool whole)
{
    if (whole)
        return made;
    json_decref(made);
    return NULL;
}

/* What a header holds is UTF-8 without NULs: the reader saw to that. */
static json_t *text_or_null(struct ar_text text)
{
    return text.ptr == NULL ? json_null() : json_stringn(text.ptr, text.len);
}

static json_t *integer_or_null(long value, long none)
{
    return value == none ? json_null() : json_integer(value);
}

/* A lenient reader may keep comments at places that the header, as it is written, does not have. */
static enum ar_place written_place(const struct ar_header *header, enum ar_place place)
{
    if (place == AR_AFTER_NONE && ar_header_result_count(header) > 0)
        place = AR_AFTER_VERSION;
    if (place == AR_AFTER_VERSION && ar_header_version(header) < 0)
        place = AR_AFTER_ID;
    return place;
}

static bool put_placed(json_t *object, const struct ar_placed *placed, size_t count,
                       enum ar_place usual)
{
    json_t *texts = json_array(), *places = json_array();
    bool whole = true, all_usual = true;

    for (size_t i = 0; i < count && whole; i++) {
        all_usual = all_usual && placed[i].place == usual;
        whole = json_array_append_new(texts, text_or_null(placed[i].text)) == 0 &&
                json_array_append_new(places, ar_placed_json(&placed[i])) == 0;
    }
    if (all_usual) {
        json_decref(places);
        places = NULL;
    }
    bool put_texts = put(object, "comments", texts);
    bool put_places = all_usual || put(object, "comments_at", places);
    return whole && put_texts && put_places;
}

/* The comments of a result, or with NULL those of the header. */
static bool put_comments(json_t *object, const struct ar_header *header,
                         const struct ar_result *result)
{
    size_t count =
        result == NULL ? ar_header_comment_count(header) : ar_result_comment_count(result);
    struct ar_placed *placed = calloc(count + 1, sizeof(*placed));

    if (placed == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct ar_comment *comment =
            result == NULL ? ar_header_comment(header, i) : ar_result_comment(result, i);
        enum ar_place place = written_place(header, ar_comment_place(comment));
        placed[i] = (struct ar_placed){
            .text = ar_comment_text(comment),
            .place = place,
            .property = place == AR_AFTER_PROPERTY ? ar_comment_property(comment) : 0,
            .index = i,
        };
    }
    ar_placed_sort(placed, count);
    bool whole = put_placed(object, placed, count, result == NULL ? AR_AFTER_ID : AR_AFTER_RESULT);
    free(placed);
    return whole;
}

static json_t *property_object(const struct ar_property *property)
{
    const char *ptype = ar_property_ptype(property);
    json_t *object = json_object();

    return finish(object, put(object, "ptype", *ptype == '\0' ? json_null() : json_string(ptype)) &&
                              put(object, "property", json_string(ar_property_name(property))) &&
                              put(object, "value", text_or_null(ar_property_value(property))));
}

static json_t *property_array(const struct ar_result *result)
{
    json_t *array = json_array();
    bool whole = array != NULL;

    for (size_t i = 0; whole && i < ar_result_property_count(result); i++)
        whole = json_array_append_new(array, property_object(ar_result_property(result, i))) == 0;
    return finish(array, whole);
}

static json_t *result_object(const struct ar_header *header, const struct ar_result *result)
{
    json_t *object = json_object();

    return finish(
        object, put(object, "method", json_string(ar_result_method(result))) &&
                    put(object, "version", integer_or_null(ar_result_method_version(result), -1)) &&
                    put(object, "result", json_string(ar_result_word(result))) &&
                    put(object, "reason", text_or_null(ar_result_reason(result))) &&
                    put(object, "properties", property_array(result)) &&
                    put_comments(object, header, result));
}

static json_t *result_array(const struct ar_header *header)
{
    json_t *array = json_array();
    bool whole = array != NULL;

    for (size_t i = 0; whole && i < ar_header_result_count(header); i++)
        whole =
            json_array_append_new(array, result_object(header, ar_header_result(header, i))) == 0;
    return finish(array, whole);
}

static json_t *forgiven_array(const struct ar_header *header, size_t offset)
{
    json_t *array = json_array();
    bool whole = array != NULL;

    for (size_t i = 0; whole && i < ar_header_forgiven_count(header); i++) {
        struct ar_forgiven forgiven = ar_header_forgiven(header, i);
        json_t *object = json_object();
        whole = put(object, "offset", json_integer((json_int_t)(offset + forgiven.offset))) &&
                put(object, "what", json_string(ar_pardon_text(forgiven.pardon)));
        whole = json_array_append_new(array, finish(object, whole)) == 0;
    }
    return finish(array, whole);
}

json_t *ar_json_write(const struct ar_header *header, size_t offset)
{
    json_t *object = json_object();

    return finish(object,
                  put(object, "authserv_id", text_or_null(ar_header_id(header))) &&
                      put(object, "version", integer_or_null(ar_header_version(header), -1)) &&
                      put(object, "instance", integer_or_null(ar_header_instance(header), 0)) &&
                      put(object, "results", result_array(header)) &&
                      put_comments(object, header, NULL) &&
                      put(object, "forgiven", forgiven_array(header, offset)));
}
