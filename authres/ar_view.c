#include "authres/ar_internal.h"

/* The accessors: what a header holds, never changed through them. */

static const void *item(const struct ar_list *list, size_t index)
{
    return index < list->count ? list->items[index] : NULL;
}

const char *ar_status_text(enum ar_status status)
{
    static const char *const texts[] = {
        [AR_OK] = "no error",
        [AR_NO_MEMORY] = "out of memory",
        [AR_BAD_TOKEN] = "not a keyword (letters, digits and inner hyphens)",
        [AR_BAD_VALUE] = "the text holds characters that the field cannot carry",
        [AR_TOO_LONG] = "longer than allowed",
        [AR_NO_RESULT] = "there is no result it could belong to",
        [AR_SYNTAX] = "not an Authentication-Results value",
        [AR_NO_ID] = "no authserv-id is set",
    };

    if ((unsigned)status >= sizeof(texts) / sizeof(texts[0]))
        return "unknown status";
    return texts[status];
}

struct ar_text ar_header_id(const struct ar_header *header)
{
    return header->id;
}

long ar_header_version(const struct ar_header *header)
{
    return header->version;
}

size_t ar_header_result_count(const struct ar_header *header)
{
    return header->results.count;
}

const struct ar_result *ar_header_result(const struct ar_header *header, size_t index)
{
    return item(&header->results, index);
}

size_t ar_header_comment_count(const struct ar_header *header)
{
    return header->comments.count;
}

const struct ar_comment *ar_header_comment(const struct ar_header *header, size_t index)
{
    return item(&header->comments, index);
}

const char *ar_result_method(const struct ar_result *result)
{
    return result->method;
}

long ar_result_method_version(const struct ar_result *result)
{
    return result->method_version;
}

const char *ar_result_word(const struct ar_result *result)
{
    return result->word;
}

struct ar_text ar_result_reason(const struct ar_result *result)
{
    return result->reason;
}

size_t ar_result_property_count(const struct ar_result *result)
{
    return result->properties.count;
}

const struct ar_property *ar_result_property(const struct ar_result *result, size_t index)
{
    return item(&result->properties, index);
}

size_t ar_result_comment_count(const struct ar_result *result)
{
    return result->comments.count;
}

const struct ar_comment *ar_result_comment(const struct ar_result *result, size_t index)
{
    return item(&result->comments, index);
}

const char *ar_property_ptype(const struct ar_property *property)
{
    return property->ptype;
}

const char *ar_property_name(const struct ar_property *property)
{
    return property->name;
}

struct ar_text ar_property_value(const struct ar_property *property)
{
    return property->value;
}

struct ar_text ar_comment_text(const struct ar_comment *comment)
{
    return comment->text;
}

enum ar_place ar_comment_place(const struct ar_comment *comment)
{
    return comment->place;
}

size_t ar_comment_property(const struct ar_comment *comment)
{
    return comment->property;
}
