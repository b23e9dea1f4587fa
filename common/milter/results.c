#include "common/milter/results.h"

#include <string.h>

bool am_result_add_property(struct am_result *result, const char *ptype, const char *property,
                            struct am_span value)
{
    if (result->property_count >= AM_RESULT_PROPERTIES_MAX)
        return false;
    result->properties[result->property_count++] = (struct am_property){ptype, property, value};
    return true;
}

/* Makes room for one more; what the arena gave for the smaller table stays there until it is reset.
 */
static bool grow(struct am_results *results, struct am_arena *arena)
{
    size_t capacity = results->capacity == 0 ? 4 : results->capacity * 2;
    if (capacity > AM_RESULTS_MAX)
        capacity = AM_RESULTS_MAX;

    struct am_result *items = am_arena_alloc(arena, capacity * sizeof(*items));
    const char **modules = am_arena_alloc(arena, capacity * sizeof(*modules));
    if (items == NULL || modules == NULL)
        return false;
    if (results->count > 0) {
        memcpy(items, results->items, results->count * sizeof(*items));
        memcpy(modules, results->modules, results->count * sizeof(*modules));
    }
    results->items = items;
    results->modules = modules;
    results->capacity = capacity;
    return true;
}

static const char *copy_text(struct am_arena *arena, const char *text)
{
    return am_arena_copy(arena, am_span_str(text));
}

static bool copy_property(struct am_property *out, struct am_arena *arena,
                          const struct am_property *from)
{
    out->ptype = copy_text(arena, from->ptype);
    out->property = copy_text(arena, from->property);
    out->value = am_span_of(am_arena_copy(arena, from->value), from->value.len);
    return out->ptype != NULL && out->property != NULL && out->value.ptr != NULL;
}

static bool copy_result(struct am_result *out, struct am_arena *arena, const struct am_result *from)
{
    out->method = copy_text(arena, from->method);
    out->result = copy_text(arena, from->result);
    out->reason = from->reason == NULL ? NULL : copy_text(arena, from->reason);
    if (out->method == NULL || out->result == NULL || (from->reason != NULL && out->reason == NULL))
        return false;
    out->property_count = from->property_count < AM_RESULT_PROPERTIES_MAX
                              ? from->property_count
                              : AM_RESULT_PROPERTIES_MAX;
    for (size_t i = 0; i < out->property_count; i++) {
        if (!copy_property(&out->properties[i], arena, &from->properties[i]))
            return false;
    }
    return true;
}

bool am_results_add(struct am_results *results, struct am_arena *arena, const char *module,
                    const struct am_result *result)
{
    if (results->count == AM_RESULTS_MAX ||
        (results->count == results->capacity && !grow(results, arena)) ||
        !copy_result(&results->items[results->count], arena, result)) {
        results->dropped++;
        return false;
    }
    results->modules[results->count++] = module;
    return true;
}

const struct am_result *am_results_next(const struct am_results *results, const char *method,
                                        size_t *index)
{
    for (size_t i = *index; i < results->count; i++) {
        if (am_span_equal_nocase(am_span_str(results->items[i].method), am_span_str(method))) {
            *index = i + 1;
            return &results->items[i];
        }
    }
    *index = results->count;
    return NULL;
}
