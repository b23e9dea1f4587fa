#include "dkim-milter/dkim_selection.h"

#include "dkim-milter/dkim_fields_name.h"

/* How many fields of a name are left; of the signature with this number only. */
struct left {
    uint64_t signature;
    size_t count;
};

struct dkim_selection {
    const struct dkim_fields *fields;
    const struct dkim_field *self;
    uint64_t signature; /* counts calls of begin, so that nothing need be cleared */
    struct left left[]; /* by number of the name */
};

struct dkim_selection *dkim_selection_new(struct am_arena *arena, const struct dkim_fields *fields)
{
    struct dkim_selection *selection =
        am_arena_alloc(arena, sizeof(*selection) + fields->name_count * sizeof(struct left));

    if (selection == NULL)
        return NULL;
    selection->fields = fields;
    selection->signature = 1;
    return selection;
}

void dkim_selection_begin(struct dkim_selection *selection, const struct dkim_field *self)
{
    selection->signature++;
    selection->self = self;
}

const struct dkim_field *dkim_selection_take(struct dkim_selection *selection, struct am_span name)
{
    const struct dkim_fields *fields = selection->fields;
    size_t number = dkim_fields_name_find(fields, name);

    if (number == DKIM_NAME_NONE)
        return NULL;
    struct left *left = &selection->left[number];
    if (left->signature != selection->signature)
        *left = (struct left){selection->signature, fields->names[number].count};
    while (left->count > 0) {
        const struct dkim_field *field =
            fields->sorted[fields->names[number].first + --left->count];
        if (field != selection->self)
            return field;
    }
    return NULL;
}
