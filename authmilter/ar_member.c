#include "authmilter/ar_member.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool ar_member_refuse(struct ar_reader *reader, enum ar_status status, const char *member,
                      const char *reason)
{
    char part[80] = "";
    int len = 0;

    if (reader->result != AR_NOWHERE)
        len = snprintf(part, sizeof(part), "results[%zu]", reader->result);
    if (reader->property != AR_NOWHERE)
        snprintf(part + len, sizeof(part) - (size_t)len, ".properties[%zu]", reader->property);
    const char *dot = *part != '\0' && *member != '\0' ? "." : "";
    const char *colon = *part != '\0' || *member != '\0' ? ": " : "";
    am_problem_set(reader->problem, "%s%s%s%s%s", part, dot, member, colon, reason);
    reader->status = status;
    return false;
}

bool ar_member_took(struct ar_reader *reader, enum ar_status status, const char *member,
                    struct ar_text text)
{
    bool ascii = true;

    if (status == AR_OK)
        return true;
    for (size_t i = 0; i < text.len; i++)
        ascii = ascii && (unsigned char)text.ptr[i] < 128;
    if (status == AR_BAD_VALUE && !ascii && !reader->utf8)
        return ar_member_refuse(reader, status, member,
                                "UTF-8 needs --utf8, for a message that is sent with SMTPUTF8");
    return ar_member_refuse(reader, status, member, ar_status_text(status));
}

/* Gets a member that may be left out: NULL, as with null. */
static json_t *get(json_t *object, const char *member)
{
    json_t *value = json_object_get(object, member);

    return json_is_null(value) ? NULL : value;
}

bool ar_member_text(struct ar_reader *reader, json_t *object, const char *member,
                    struct ar_text *out)
{
    json_t *value = get(object, member);

    *out = (struct ar_text){NULL, 0};
    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return ar_member_refuse(reader, AR_SYNTAX, member, "not a string");
    *out = (struct ar_text){json_string_value(value), json_string_length(value)};
    return true;
}

bool ar_member_needed(struct ar_reader *reader, json_t *object, const char *member,
                      struct ar_text *out)
{
    if (!ar_member_text(reader, object, member, out))
        return false;
    return out->ptr != NULL || ar_member_refuse(reader, AR_SYNTAX, member,
                                                "missing, and nothing can be written without it");
}

bool ar_member_word(struct ar_reader *reader, json_t *object, const char *member, const char **out)
{
    struct ar_text text;

    if (!ar_member_needed(reader, object, member, &text))
        return false;
    *out = text.ptr;
    return strlen(text.ptr) == text.len ||
           ar_member_refuse(reader, AR_BAD_TOKEN, member, ar_status_text(AR_BAD_TOKEN));
}

bool ar_member_number(struct ar_reader *reader, json_t *object, const char *member, long none,
                      long *out)
{
    json_t *value = get(object, member);

    *out = none;
    if (value == NULL)
        return true;
    if (!json_is_integer(value))
        return ar_member_refuse(reader, AR_SYNTAX, member, "not an integer");
    json_int_t number = json_integer_value(value);
    if (number <= none || number > INT_MAX)
        return ar_member_refuse(reader, AR_BAD_VALUE, member, "out of range");
    *out = (long)number;
    return true;
}

bool ar_member_array(struct ar_reader *reader, json_t *object, const char *member, json_t **out)
{
    *out = get(object, member);
    return *out == NULL || json_is_array(*out) ||
           ar_member_refuse(reader, AR_SYNTAX, member, "not an array");
}

bool ar_member_known(struct ar_reader *reader, json_t *part, const char *const *known)
{
    const char *member;
    json_t *value;

    if (!json_is_object(part))
        return ar_member_refuse(reader, AR_SYNTAX, "", "not an object");
    json_object_foreach(part, member, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], member) != 0)
            i++;
        if (known[i] == NULL)
            return ar_member_refuse(reader, AR_SYNTAX, member, "there is no such member");
    }
    return true;
}
