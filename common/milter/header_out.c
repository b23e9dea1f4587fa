#include "common/milter/header_out.h"

#include <stdint.h>
#include <string.h>

#include "authres/authres.h"

static void *alloc_in_arena(void *user, size_t size)
{
    return am_arena_alloc(user, size);
}

bool am_header_out_id_ok(const char *id)
{
    size_t len = strlen(id);

    if (len == 0 || len > AR_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)id[i];
        if (!am_is_alnum(c) && c != '.' && c != '-' && c != '_' && c != ':' && c != '/' && c < 0x80)
            return false;
    }
    return true;
}

static void say_left_out(const struct am_session *session, const struct am_result *result,
                         const char *what, enum ar_status status)
{
    am_session_log(session, AM_LOG_WARNING, "%s of %s=%s left out of the header: %s", what,
                   result->method, result->result, ar_status_text(status));
}

/* Octets of a value that fit in a line for sure, each of them escaped. */
#define SURE_LEN 450

/* Adds one result; texts longer than `most` are left out. Returns false when memory is short. */
static bool add_result(struct ar_header *header, const struct am_session *session,
                       const struct am_result *result, size_t most)
{
    enum ar_status status = ar_header_add_result(header, result->method, result->result);
    if (status == AR_NO_MEMORY)
        return false;
    if (status != AR_OK) {
        say_left_out(session, result, "the whole", status);
        return true;
    }
    if (result->reason != NULL) {
        size_t len = strlen(result->reason);
        status = len > most ? AR_TOO_LONG : ar_header_set_reason(header, result->reason, len);
        if (status == AR_NO_MEMORY)
            return false;
        if (status != AR_OK)
            say_left_out(session, result, "the reason", status);
    }
    for (size_t i = 0; i < result->property_count; i++) {
        const struct am_property *property = &result->properties[i];
        status = property->value.len > most
                     ? AR_TOO_LONG
                     : ar_header_add_property(header, property->ptype, property->property,
                                              property->value.ptr, property->value.len);
        if (status == AR_NO_MEMORY)
            return false;
        if (status != AR_OK)
            say_left_out(session, result, property->property, status);
    }
    return true;
}

static bool same_method(const struct am_result *a, const struct am_result *b)
{
    return am_span_equal_nocase(am_span_str(a->method), am_span_str(b->method));
}

/* Makes the text of one field with the results of `method`, or all of them when it is NULL. */
static enum ar_status make_field(struct am_session *session, const struct am_result *method,
                                 size_t most, char **text)
{
    struct am_message *message = session->message;
    const struct ar_allocator allocator = {.alloc = alloc_in_arena, .user = message->arena};
    struct ar_header *header = ar_header_new(&allocator);

    if (header == NULL)
        return AR_NO_MEMORY;
    ar_header_allow_utf8(header, message->info.smtputf8);
    enum ar_status status =
        ar_header_set_id(header, session->authserv_id, strlen(session->authserv_id));
    if (status != AR_OK)
        return status;
    for (size_t i = 0; i < message->results.count; i++) {
        const struct am_result *result = &message->results.items[i];
        if ((method == NULL || same_method(method, result)) &&
            !add_result(header, session, result, most))
            return AR_NO_MEMORY;
    }
    return ar_header_format(header, NULL, text, NULL);
}

static bool send_field(struct am_session *session, const struct am_result *method)
{
    char *text;
    enum ar_status status = make_field(session, method, SIZE_MAX, &text);

    /* A value that no line can hold goes, and the field stays. */
    if (status == AR_TOO_LONG)
        status = make_field(session, method, SURE_LEN, &text);
    if (status != AR_OK) {
        am_session_log(session, AM_LOG_ERROR, "no " AM_SCRUB_FIELD " field: %s",
                       ar_status_text(status));
        return false;
    }
    return session->ops->insert_header(session->peer, 0, AM_SCRUB_FIELD, text);
}

/* Tells whether an earlier result has the method already. */
static bool is_repeated(const struct am_results *results, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (same_method(&results->items[i], &results->items[at]))
            return true;
    }
    return false;
}

bool am_header_out_send(struct am_session *session)
{
    const struct am_results *results = &session->message->results;

    if (session->runtime->authres->combine || results->count == 0)
        return send_field(session, NULL);
    /* Each goes on top of the one before: the last is sent first, so that they read in order. */
    for (size_t i = results->count; i-- > 0;) {
        if (!is_repeated(results, i) && !send_field(session, &results->items[i]))
            return false;
    }
    return true;
}
