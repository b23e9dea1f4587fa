#include "common/milter/edits.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool am_edit_name_ok(const char *name)
{
    if (name == NULL || *name == '\0')
        return false;
    for (const char *c = name; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~' || *c == ':')
            return false;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Tells whether what follows a LF continues the field: a blank and something to see. */
static bool continues(const char *line)
{
    if (!is_blank(*line))
        return false;
    while (is_blank(*line))
        line++;
    return *line != '\0' && *line != '\n';
}

bool am_edit_value_ok(const char *value)
{
    if (value == NULL || strlen(value) > AM_EDIT_VALUE_MAX)
        return false;
    for (const char *c = value; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '\n' ? !continues(c + 1) : (byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

bool am_edit_address_ok(const char *text)
{
    if (text == NULL || *text == '\0')
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    }
    return true;
}

static bool copy_text(struct am_arena *arena, const char **text)
{
    if (*text != NULL)
        *text = am_arena_copy(arena, am_span_str(*text));
    return *text != NULL;
}

bool am_edits_add(struct am_edits *edits, struct am_arena *arena, const struct am_edit *edit)
{
    struct am_edit *copy = am_arena_alloc(arena, sizeof(*copy));
    if (copy == NULL)
        return false;
    *copy = *edit;
    copy->next = NULL;
    if ((edit->name != NULL && !copy_text(arena, &copy->name)) ||
        (edit->value != NULL && !copy_text(arena, &copy->value)))
        return false;
    if (edit->chunk.len > 0) {
        copy->chunk.ptr = am_arena_copy(arena, edit->chunk);
        if (copy->chunk.ptr == NULL)
            return false;
    }
    if (edits->last == NULL)
        edits->first = copy;
    else
        edits->last->next = copy;
    edits->last = copy;
    edits->count++;
    return true;
}

struct numbered {
    const struct am_edit *edit;
    size_t order;
};

/* Highest number first; of one number by name; of one field the edit queued last first. */
static int compare(const void *a, const void *b)
{
    const struct numbered *left = a;
    const struct numbered *right = b;

    if (left->edit->index != right->edit->index)
        return left->edit->index < right->edit->index ? 1 : -1;
    int by_name = strcasecmp(left->edit->name, right->edit->name);
    if (by_name != 0)
        return by_name;
    return left->order < right->order ? 1 : -1;
}

static bool same_field(const struct am_edit *a, const struct am_edit *b)
{
    return a->index == b->index && strcasecmp(a->name, b->name) == 0;
}

static bool send_changes(const struct am_edits *edits, struct am_arena *arena,
                         const struct am_peer_ops *ops, void *peer)
{
    size_t count = 0;
    for (const struct am_edit *edit = edits->first; edit != NULL; edit = edit->next)
        count += edit->kind == AM_EDIT_CHANGE_HEADER;
    if (count == 0)
        return true;

    struct numbered *list = am_arena_alloc(arena, count * sizeof(*list));
    if (list == NULL)
        return false;
    size_t used = 0;
    for (const struct am_edit *edit = edits->first; edit != NULL; edit = edit->next) {
        if (edit->kind == AM_EDIT_CHANGE_HEADER) {
            list[used] = (struct numbered){edit, used};
            used++;
        }
    }
    qsort(list, count, sizeof(*list), compare);
    for (size_t i = 0; i < count; i++) {
        const struct am_edit *edit = list[i].edit;
        if (i > 0 && same_field(edit, list[i - 1].edit))
            continue;
        if (!ops->change_header(peer, edit->index, edit->name, edit->value))
            return false;
    }
    return true;
}

static bool send_edit(const struct am_edit *edit, const struct am_peer_ops *ops, void *peer)
{
    switch (edit->kind) {
    case AM_EDIT_CHANGE_HEADER:
        return true;
    case AM_EDIT_ADD_HEADER:
        return ops->add_header(peer, edit->name, edit->value);
    case AM_EDIT_INSERT_HEADER:
        return ops->insert_header(peer, edit->index, edit->name, edit->value);
    case AM_EDIT_ADD_RECIPIENT:
        return ops->add_recipient(peer, edit->name, edit->value);
    case AM_EDIT_DELETE_RECIPIENT:
        return ops->delete_recipient(peer, edit->name);
    case AM_EDIT_CHANGE_SENDER:
        return ops->change_sender(peer, edit->name, edit->value);
    case AM_EDIT_REPLACE_BODY:
        return ops->replace_body(peer, edit->chunk);
    }
    return false;
}

bool am_edits_send(const struct am_edits *edits, struct am_arena *arena,
                   const struct am_peer_ops *ops, void *peer)
{
    if (!send_changes(edits, arena, ops, peer))
        return false;
    for (const struct am_edit *edit = edits->first; edit != NULL; edit = edit->next) {
        if (!send_edit(edit, ops, peer))
            return false;
    }
    return true;
}
