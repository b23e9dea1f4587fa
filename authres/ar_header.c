#include <string.h>

#include "authres/ar_chars.h"
#include "authres/ar_internal.h"

/* The builder: every text is checked before it is taken, so a header can always be written. */

void ar_header_allow_utf8(struct ar_header *header, bool allow)
{
    header->utf8 = allow;
}

struct ar_result *ar_latest(const struct ar_header *header)
{
    return header->results.count == 0 ? NULL : header->results.items[header->results.count - 1];
}

enum ar_status ar_header_set_id(struct ar_header *header, const char *id, size_t len)
{
    if (len > AR_ID_MAX)
        return AR_TOO_LONG;
    if (len == 0 || !ar_is_text(id, len, header->utf8))
        return AR_BAD_VALUE;
    if (!ar_copy(header, id, len, &header->id))
        return AR_NO_MEMORY;
    header->id_form = ar_is_token(id, len) ? AR_FORM_PLAIN : AR_FORM_QUOTED;
    return AR_OK;
}

enum ar_status ar_header_set_instance(struct ar_header *header, unsigned instance)
{
    if (instance > AR_INSTANCE_MAX)
        return AR_BAD_VALUE;
    header->instance = instance;
    header->arc = instance > 0;
    return AR_OK;
}

enum ar_status ar_header_set_version(struct ar_header *header, long version)
{
    if (version < -1 || version > AR_VERSION_MAX)
        return AR_BAD_VALUE;
    header->version = version;
    return AR_OK;
}

struct ar_result *ar_append_result(struct ar_header *header, const char *method, size_t method_len,
                                   const char *word, size_t word_len)
{
    struct ar_result *result = ar_take(header, sizeof(*result));
    struct ar_text method_copy, word_copy;

    if (result == NULL || !ar_copy(header, method, method_len, &method_copy) ||
        !ar_copy(header, word, word_len, &word_copy))
        return NULL;
    *result = (struct ar_result){.method = method_copy.ptr,
                                 .word = word_copy.ptr,
                                 .method_version = -1,
                                 .last = AR_AFTER_RESULT};
    return ar_list_push(header, &header->results, result) ? result : NULL;
}

enum ar_status ar_header_add_result(struct ar_header *header, const char *method,
                                    const char *result)
{
    size_t method_len = strlen(method), word_len = strlen(result);

    if (!ar_is_keyword(method, method_len) || !ar_is_keyword(result, word_len))
        return AR_BAD_TOKEN;
    if (ar_append_result(header, method, method_len, result, word_len) == NULL)
        return AR_NO_MEMORY;
    return AR_OK;
}

enum ar_status ar_header_set_method_version(struct ar_header *header, long version)
{
    struct ar_result *result = ar_latest(header);

    if (result == NULL)
        return AR_NO_RESULT;
    if (version < -1 || version > AR_VERSION_MAX)
        return AR_BAD_VALUE;
    result->method_version = version;
    return AR_OK;
}

enum ar_status ar_header_set_reason(struct ar_header *header, const char *text, size_t len)
{
    struct ar_result *result = ar_latest(header);

    if (result == NULL)
        return AR_NO_RESULT;
    if (!ar_is_text(text, len, header->utf8))
        return AR_BAD_VALUE;
    if (!ar_copy(header, text, len, &result->reason))
        return AR_NO_MEMORY;
    result->last = AR_AFTER_REASON;
    return AR_OK;
}

enum ar_status ar_append_property(struct ar_header *header, struct ar_result *result,
                                  struct ar_text ptype, struct ar_text name, struct ar_text value,
                                  enum ar_form form)
{
    struct ar_property *property = ar_take(header, sizeof(*property));

    if (property == NULL)
        return AR_NO_MEMORY;
    *property = (struct ar_property){ptype.ptr, name.ptr, value, form};
    if (!ar_list_push(header, &result->properties, property))
        return AR_NO_MEMORY;
    result->last = AR_AFTER_PROPERTY;
    return AR_OK;
}

enum ar_status ar_header_add_property(struct ar_header *header, const char *ptype,
                                      const char *property, const char *value, size_t len)
{
    struct ar_result *result = ar_latest(header);
    size_t ptype_len = strlen(ptype), name_len = strlen(property);
    struct ar_text ptype_copy, name_copy, value_copy;

    if (result == NULL)
        return AR_NO_RESULT;
    if (!ar_is_keyword(ptype, ptype_len) || !ar_is_keyword(property, name_len))
        return AR_BAD_TOKEN;
    if (!ar_is_text(value, len, header->utf8))
        return AR_BAD_VALUE;
    if (!ar_copy(header, ptype, ptype_len, &ptype_copy) ||
        !ar_copy(header, property, name_len, &name_copy) ||
        !ar_copy(header, value, len, &value_copy))
        return AR_NO_MEMORY;
    return ar_append_property(header, result, ptype_copy, name_copy, value_copy,
                              ar_is_best_plain(value, len) ? AR_FORM_PLAIN : AR_FORM_QUOTED);
}

enum ar_status ar_attach_comment(struct ar_header *header, struct ar_result *result,
                                 enum ar_place place, struct ar_text text)
{
    struct ar_comment *comment = ar_take(header, sizeof(*comment));
    size_t property = place == AR_AFTER_PROPERTY ? result->properties.count - 1 : 0;

    if (comment == NULL)
        return AR_NO_MEMORY;
    *comment = (struct ar_comment){text, place, property};
    struct ar_list *list = result == NULL ? &header->comments : &result->comments;
    return ar_list_push(header, list, comment) ? AR_OK : AR_NO_MEMORY;
}

/* Checks and copies a comment for `place`. */
static enum ar_status add_comment(struct ar_header *header, struct ar_result *result,
                                  enum ar_place place, const char *text, size_t len)
{
    struct ar_text copy;

    if (!ar_is_text(text, len, header->utf8))
        return AR_BAD_VALUE;
    if (!ar_copy(header, text, len, &copy))
        return AR_NO_MEMORY;
    return ar_attach_comment(header, result, place, copy);
}

enum ar_status ar_header_add_comment(struct ar_header *header, const char *text, size_t len)
{
    struct ar_result *result = ar_latest(header);

    if (result == NULL)
        return AR_NO_RESULT;
    return add_comment(header, result, result->last, text, len);
}

enum ar_status ar_header_add_comment_at(struct ar_header *header, enum ar_place place,
                                        const char *text, size_t len)
{
    struct ar_result *result = NULL;

    if (place == AR_BEFORE_METHOD) {
        if ((result = ar_latest(header)) == NULL)
            return AR_NO_RESULT;
    } else if (place != AR_BEFORE_ID && place != AR_AFTER_ID && place != AR_AFTER_VERSION &&
               place != AR_AFTER_NONE)
        return AR_BAD_VALUE;
    return add_comment(header, result, place, text, len);
}
