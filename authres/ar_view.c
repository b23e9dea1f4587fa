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

const char *ar_pardon_text(enum ar_pardon pardon)
{
    static const char *const texts[] = {
        [AR_PARDON_NO_ID] = "no authserv-id",
        [AR_PARDON_ID_FORM] = "authserv-id neither token nor quoted string",
        [AR_PARDON_VERSION] = "no version behind the authserv-id",
        [AR_PARDON_INSTANCE] = "ARC instance missing, misplaced or out of range",
        [AR_PARDON_NO_RESULT] = "no result, read as \"none\"",
        [AR_PARDON_NONE] = "\"none\" beside results",
        [AR_PARDON_EMPTY] = "stray semicolon",
        [AR_PARDON_NO_BLANK] = "missing blank",
        [AR_PARDON_NAME_FORM] = "name that is no keyword",
        [AR_PARDON_NO_PTYPE] = "property without ptype",
        [AR_PARDON_VALUE_FORM] = "value that needs quotes",
        [AR_PARDON_EMPTY_VALUE] = "empty value",
        [AR_PARDON_REASON] = "late or second reason",
        [AR_PARDON_OPEN_QUOTE] = "quoted string without end",
        [AR_PARDON_OPEN_COMMENT] = "comment without end",
        [AR_PARDON_STRAY] = "stray characters",
        [AR_PARDON_LINE_END] = "line end without a blank behind it",
        [AR_PARDON_CONTROL] = "control character",
        [AR_PARDON_ENCODING] = "malformed UTF-8",
        [AR_PARDON_SKIPPED] = "part that is no result",
        [AR_PARDON_UNREGISTERED] = "unregistered property",
    };

    if ((unsigned)pardon >= sizeof(texts) / sizeof(texts[0]) || texts[pardon] == NULL)
        return "unknown pardon";
    return texts[pardon];
}

size_t ar_header_forgiven_count(const struct ar_header *header)
{
    return header->forgiven_count;
}

struct ar_forgiven ar_header_forgiven(const struct ar_header *header, size_t index)
{
    if (index >= header->forgiven_count)
        return (struct ar_forgiven){0, 0};
    return header->forgiven[index];
}

unsigned ar_header_instance(const struct ar_header *header)
{
    return header->instance;
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
