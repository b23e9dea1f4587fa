#include "common/milter/scrub.h"

#include <string.h>

#include "authres/authres.h"

static bool writes_method(const struct am_scrub_policy *policy, const struct ar_result *result)
{
    for (size_t i = 0; i < policy->method_count; i++) {
        if (ar_result_is(result, policy->methods[i], NULL))
            return true;
    }
    return false;
}

/* Tells whether a text names one of the methods, in whatever place and letter case. */
static bool mentions_method(const struct am_scrub_policy *policy, struct am_span text)
{
    for (size_t i = 0; i < policy->method_count; i++) {
        struct am_span method = am_span_str(policy->methods[i]);
        for (size_t at = 0; at + method.len <= text.len; at++) {
            if (am_span_equal_nocase((struct am_span){text.ptr + at, method.len}, method))
                return true;
        }
    }
    return false;
}

static bool has_any(struct ar_text text, const char *octets)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\0' && strchr(octets, text.ptr[i]) != NULL)
            return true;
    }
    return false;
}

static bool is_odd_comment(const struct ar_comment *comment)
{
    return has_any(ar_comment_text(comment), "()\\\"");
}

static bool is_odd_result(const struct ar_result *result)
{
    bool odd = has_any(ar_result_reason(result), "\\\"");

    for (size_t i = 0; !odd && i < ar_result_property_count(result); i++)
        odd = has_any(ar_property_value(ar_result_property(result, i)), "\\\"");
    for (size_t i = 0; !odd && i < ar_result_comment_count(result); i++)
        odd = is_odd_comment(ar_result_comment(result, i));
    return odd;
}

/*
 * Tells whether comments or quoted strings hold what ends them for readers that know no nesting
 * or no escapes: what stands in them may be a result to these.
 */
static bool is_odd(const struct ar_header *header)
{
    bool odd = false;

    for (size_t i = 0; !odd && i < ar_header_comment_count(header); i++)
        odd = is_odd_comment(ar_header_comment(header, i));
    for (size_t i = 0; !odd && i < ar_header_result_count(header); i++)
        odd = is_odd_result(ar_header_result(header, i));
    return odd;
}

/* Tells whether a field that is ours holds a result of this program, for whatever reader, or
 * cannot be read. */
static bool holds_own_method(const struct am_scrub_policy *policy, struct am_span value)
{
    const struct ar_parse_options options = {.kind = AR_KIND_AR};
    struct ar_header *header = ar_header_parse(NULL, value.ptr, value.len, &options, NULL);
    if (header == NULL)
        return true;

    bool found = false;
    for (size_t i = 0; !found && i < ar_header_result_count(header); i++)
        found = writes_method(policy, ar_header_result(header, i));
    found = found || (is_odd(header) && mentions_method(policy, value));
    ar_header_free(header);
    return found;
}

bool am_scrub_is_forged(const struct am_scrub_policy *policy, struct am_span value)
{
    if (policy->mode == AM_SCRUB_NONE)
        return false;
    if (!ar_claims_id(value.ptr, value.len, policy->ids, policy->id_count))
        return false;
    return policy->mode == AM_SCRUB_ALL || holds_own_method(policy, value);
}

static bool remember(struct am_scrub_list *list, struct am_arena *arena, uint32_t index)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        uint32_t *indexes = am_arena_alloc(arena, capacity * sizeof(*indexes));
        if (indexes == NULL)
            return false;
        if (list->count > 0)
            memcpy(indexes, list->indexes, list->count * sizeof(*indexes));
        list->indexes = indexes;
        list->capacity = capacity;
    }
    list->indexes[list->count++] = index;
    return true;
}

void am_scrub_take(struct am_scrub_list *list, struct am_arena *arena,
                   const struct am_scrub_policy *policy, struct am_span name, struct am_span value)
{
    /* A blank before the colon is obsolete syntax (RFC 5322 section 4.5) that some MTAs pass on. */
    if (!am_span_equal_nocase(am_span_trim(name), am_span_str(AM_SCRUB_FIELD)))
        return;
    list->seen++;
    if (am_scrub_is_forged(policy, value) && !list->all && !remember(list, arena, list->seen))
        list->all = true;
}

size_t am_scrub_count(const struct am_scrub_list *list)
{
    return list->all ? list->seen : list->count;
}

uint32_t am_scrub_nth(const struct am_scrub_list *list, size_t nth)
{
    return list->all ? list->seen - (uint32_t)nth : list->indexes[list->count - 1 - nth];
}
