#include <strings.h>

#include "dkim-milter/dkim_module_state.h"

/* Fields that another module has changed at the end of the header: what goes out is what is signed.
 */

/* Finds the last change of a field: index `number` of its name, counted from the top. */
static bool find_change(struct am_ctx *ctx, struct am_span name, unsigned number,
                        struct am_field_change *found)
{
    struct am_field_change change;
    const void *at = NULL;
    bool any = false;

    while (am_ctx_field_changes(ctx, &at, &change))
        if (change.index == number && am_span_equal_nocase(name, am_span_str(change.name))) {
            *found = change;
            any = true;
        }
    return any;
}

static bool has_changes(struct am_ctx *ctx)
{
    struct am_field_change change;
    const void *at = NULL;

    return am_ctx_field_changes(ctx, &at, &change);
}

/* The number of a field among those of its name. */
static unsigned number_of(const struct dkim_fields *fields, const struct dkim_field *field)
{
    unsigned number = 1;

    for (const struct dkim_field *at = fields->first; at != field; at = at->below)
        number += am_span_equal_nocase(at->name, field->name);
    return number;
}

/* The framework writes one blank behind the colon, which a field without `supply_blank` has. */
static bool add(struct dkim_fields *fields, struct am_arena *arena, struct am_span name,
                const char *value)
{
    const char *text = fields->supply_blank ? value : am_arena_printf(arena, " %s", value);

    return text != NULL && dkim_fields_add(fields, name, am_span_str(text)) != NULL;
}

static bool is_changed_name(struct am_ctx *ctx, struct am_span name)
{
    struct am_field_change change;
    const void *at = NULL;

    while (am_ctx_field_changes(ctx, &at, &change))
        if (change.index > 0 && am_span_equal_nocase(name, am_span_str(change.name)))
            return true;
    return false;
}

static bool copy_changed(struct am_ctx *ctx, const struct dkim_fields *from, struct dkim_fields *to)
{
    struct am_arena *arena = am_ctx_arena(ctx);
    struct am_field_change change;
    const void *at = NULL;
    bool good = true;

    for (const struct dkim_field *field = from->first; field != NULL && good;
         field = field->below) {
        if (!is_changed_name(ctx, field->name) ||
            !find_change(ctx, field->name, number_of(from, field), &change))
            good = dkim_fields_add(to, field->name, field->value) != NULL;
        else if (change.value != NULL)
            good = add(to, arena, field->name, change.value);
    }
    while (good && am_ctx_field_changes(ctx, &at, &change))
        if (change.index == 0)
            good = add(to, arena, am_span_str(change.name), change.value);
    return good;
}

bool dkim_module_apply_changes(struct am_ctx *ctx, struct dkim_fields *fields)
{
    struct dkim_fields changed;

    if (!has_changes(ctx))
        return true;
    dkim_fields_init(&changed, am_ctx_arena(ctx), fields->supply_blank);
    if (!copy_changed(ctx, fields, &changed))
        return false;
    *fields = changed;
    return true;
}
