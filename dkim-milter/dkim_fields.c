#include "dkim-milter/dkim_fields.h"

#include <stdlib.h>

#include "dkim-milter/dkim_fields_name.h"

static size_t without_blanks(struct am_span name)
{
    while (name.len > 0 && (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t'))
        name.len--;
    return name.len;
}

/* One piece of memory: the structure, the field as it came, its name in lower case. */
static struct dkim_field *make(struct am_arena *arena, struct am_span name, struct am_span value,
                               bool supply_blank)
{
    size_t name_len = without_blanks(name);

    if (name.len > SIZE_MAX / 8 || value.len > SIZE_MAX / 8)
        return NULL;
    size_t raw_len = name.len + 1 + (supply_blank ? 1 : 0) + value.len;
    struct dkim_field *field = am_arena_alloc(arena, sizeof(*field) + raw_len + name_len + 1);
    if (field == NULL)
        return NULL;

    char *raw = (char *)(field + 1);
    char *put = raw;
    if (name.len > 0)
        memcpy(put, name.ptr, name.len);
    put += name.len;
    *put++ = ':';
    field->value.ptr = put;
    if (supply_blank)
        *put++ = ' ';
    if (value.len > 0)
        memcpy(put, value.ptr, value.len);
    put += value.len;
    field->value.len = (size_t)(put - field->value.ptr);
    field->raw = am_span_of(raw, raw_len);
    field->name = am_span_of(raw, name_len);
    field->lower = am_span_of(put, name_len + 1);
    for (size_t i = 0; i < name_len; i++)
        put[i] = am_lower(raw[i]);
    put[name_len] = ':';
    field->sort_key = dkim_name_key(field->name);
    return field;
}

struct dkim_field *dkim_field_new(struct am_arena *arena, struct am_span name, struct am_span value)
{
    return make(arena, name, value, false);
}

bool dkim_field_is(const struct dkim_field *field, const char *name)
{
    size_t len = strlen(name);

    return len == field->name.len && memcmp(field->lower.ptr, name, len) == 0;
}

void dkim_fields_init(struct dkim_fields *fields, struct am_arena *arena, bool supply_blank)
{
    *fields = (struct dkim_fields){.arena = arena, .supply_blank = supply_blank};
}

struct dkim_field *dkim_fields_add(struct dkim_fields *fields, struct am_span name,
                                   struct am_span value)
{
    /* MTAs take one SP, never a TAB: before that there was hardly any. */
    bool supply_blank = fields->supply_blank && !(value.len > 0 && value.ptr[0] == '\t');
    struct dkim_field *field = make(fields->arena, name, value, supply_blank);

    if (field == NULL)
        return NULL;
    field->position = fields->count;
    if (fields->last != NULL)
        fields->last->below = field;
    else
        fields->first = field;
    fields->last = field;
    fields->count++;
    fields->bytes += field->raw.len + 2;
    return field;
}

static int compare_fields(const void *a, const void *b)
{
    const struct dkim_field *left = *(const struct dkim_field *const *)a;
    const struct dkim_field *right = *(const struct dkim_field *const *)b;
    int order = dkim_name_compare(left->sort_key, left->name, right);

    if (order != 0)
        return order;
    return (left->position > right->position) - (left->position < right->position);
}

bool dkim_fields_prepare(struct dkim_fields *fields)
{
    size_t count = fields->count;

    fields->name_count = 0;
    if (count == 0)
        return true;
    fields->sorted = am_arena_alloc(fields->arena, count * sizeof(*fields->sorted));
    fields->names = am_arena_alloc(fields->arena, count * sizeof(*fields->names));
    if (fields->sorted == NULL || fields->names == NULL)
        return false;

    const struct dkim_field *field = fields->first;
    for (size_t i = 0; i < count; i++, field = field->below)
        fields->sorted[i] = field;
    /* Sorted rather than hashed: nobody can choose names that make this slow. */
    qsort(fields->sorted, count, sizeof(*fields->sorted), compare_fields);
    for (size_t i = 0; i < count; i++) {
        const struct dkim_field *this = fields->sorted[i];
        if (i == 0 || dkim_name_compare(this->sort_key, this->name, fields->sorted[i - 1]) != 0)
            fields->names[fields->name_count++] = (struct dkim_name){this->sort_key, i, 0};
        fields->names[fields->name_count - 1].count++;
    }
    return true;
}

size_t dkim_fields_name_find(const struct dkim_fields *fields, struct am_span name)
{
    uint64_t key = dkim_name_key(name);
    size_t low = 0, high = fields->name_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct dkim_name *there = &fields->names[middle];
        int order = key < there->key ? -1 : 1;
        if (key == there->key)
            order = dkim_name_compare(key, name, fields->sorted[there->first]);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return DKIM_NAME_NONE;
}

const struct dkim_field *const *dkim_fields_find(const struct dkim_fields *fields,
                                                 struct am_span name, size_t *count)
{
    size_t found = dkim_fields_name_find(fields, name);

    *count = 0;
    if (found == DKIM_NAME_NONE)
        return NULL;
    *count = fields->names[found].count;
    return &fields->sorted[fields->names[found].first];
}
