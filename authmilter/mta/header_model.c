#include "authmilter/mta/header_model.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void header_free(struct mta_header *header)
{
    free(header->name);
    free(header->value);
}

void mta_headers_clear(struct mta_header_model *model)
{
    for (size_t i = 0; i < model->count; i++)
        header_free(&model->items[i]);
    free(model->items);
    *model = (struct mta_header_model){0};
}

/* Opens a gap at `position` and fills it. */
static void put(struct mta_header_model *model, size_t position, const char *name,
                const char *value, bool own)
{
    if (model->count == model->capacity) {
        size_t capacity = model->capacity == 0 ? 16 : 2 * model->capacity;
        struct mta_header *items = reallocarray(model->items, capacity, sizeof(*items));
        if (items == NULL) {
            model->failed = true;
            return;
        }
        model->items = items;
        model->capacity = capacity;
    }
    struct mta_header header = {strdup(name), strdup(value), own};
    if (header.name == NULL || header.value == NULL) {
        header_free(&header);
        model->failed = true;
        return;
    }
    memmove(&model->items[position + 1], &model->items[position],
            (model->count - position) * sizeof(*model->items));
    model->items[position] = header;
    model->count++;
}

void mta_headers_append(struct mta_header_model *model, const char *name, const char *value,
                        bool own)
{
    put(model, model->count, name, value, own);
}

void mta_headers_insert(struct mta_header_model *model, uint32_t position, const char *name,
                        const char *value)
{
    put(model, position < model->count ? position : model->count, name, value, false);
}

/* Finds an instance among the fields the milter was shown; `count` when it is not there. */
static size_t find_shown(const struct mta_header_model *model, const char *name, uint32_t index)
{
    size_t i;
    for (i = 0; i < model->count; i++) {
        const struct mta_header *header = &model->items[i];
        if (!header->own && strcasecmp(header->name, name) == 0 && --index == 0)
            break;
    }
    return i;
}

void mta_headers_change(struct mta_header_model *model, uint32_t index, const char *name,
                        const char *value)
{
    size_t at = find_shown(model, name, index == 0 ? 1 : index);
    if (at == model->count) {
        if (value[0] != '\0')
            mta_headers_append(model, name, value, false);
        return;
    }
    header_free(&model->items[at]);
    memmove(&model->items[at], &model->items[at + 1],
            (model->count - at - 1) * sizeof(*model->items));
    model->count--;
    if (value[0] != '\0')
        put(model, at, name, value, false);
}

const struct mta_header *mta_headers_find(const struct mta_header_model *model, const char *name,
                                          size_t index)
{
    for (size_t i = 0; i < model->count; i++) {
        if (strcasecmp(model->items[i].name, name) == 0 && --index == 0)
            return &model->items[i];
    }
    return NULL;
}

void mta_headers_print(const struct mta_header_model *model, struct am_buf *out)
{
    for (size_t i = 0; i < model->count; i++) {
        am_buf_add_str(out, model->items[i].name);
        am_buf_add_char(out, ':');
        am_buf_add_str(out, model->items[i].value);
        am_buf_add_char(out, '\n');
    }
}
