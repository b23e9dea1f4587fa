#include "common/base/option.h"

static const void *at(const struct am_option *row, const void *section)
{
    return (const char *)section + row->offset;
}

static bool copy_text(const char *from, const char **to, struct am_arena *arena)
{
    char *copy = am_arena_copy(arena, am_span_str(from));

    if (copy == NULL)
        return false;
    *to = copy;
    return true;
}

static bool copy_strings(const struct am_strlist *from, struct am_strlist *to,
                         struct am_arena *arena)
{
    struct am_strlist copy = {NULL, from->count};

    if (from->count > 0) {
        copy.items = am_arena_alloc(arena, from->count * sizeof(*copy.items));
        if (copy.items == NULL)
            return false;
    }
    for (size_t i = 0; i < from->count; i++)
        if (!copy_text(from->items[i], &copy.items[i], arena))
            return false;
    *to = copy;
    return true;
}

static bool copy_nets(const struct am_netlist *from, struct am_netlist *to, struct am_arena *arena)
{
    struct am_netlist copy = {NULL, from->count};

    if (from->count > 0) {
        copy.nets = am_arena_alloc(arena, from->count * sizeof(*copy.nets));
        if (copy.nets == NULL)
            return false;
        memcpy(copy.nets, from->nets, from->count * sizeof(*copy.nets));
    }
    *to = copy;
    return true;
}

bool am_option_copy(const struct am_option *row, const void *from, void *to, struct am_arena *arena)
{
    const void *source = at(row, from);
    void *target = (char *)to + row->offset;

    switch (row->kind) {
    case AM_OPTION_BOOL:
        *(bool *)target = *(const bool *)source;
        return true;
    case AM_OPTION_CHOICE:
        *(int *)target = *(const int *)source;
        return true;
    case AM_OPTION_INT:
    case AM_OPTION_SIZE:
    case AM_OPTION_DURATION:
        *(int64_t *)target = *(const int64_t *)source;
        return true;
    case AM_OPTION_TEXT:
        return copy_text(*(const char *const *)source, target, arena);
    case AM_OPTION_LIST:
        return copy_strings(source, target, arena);
    case AM_OPTION_NETS:
        return copy_nets(source, target, arena);
    }
    return false;
}

static bool equal_strings(const struct am_strlist *a, const struct am_strlist *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static bool equal_nets(const struct am_netlist *a, const struct am_netlist *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->nets[i].prefix != b->nets[i].prefix ||
            !am_ip_equal(&a->nets[i].base, &b->nets[i].base))
            return false;
    return true;
}

bool am_option_equal(const struct am_option *row, const void *a, const void *b)
{
    const void *left = at(row, a), *right = at(row, b);

    switch (row->kind) {
    case AM_OPTION_BOOL:
        return *(const bool *)left == *(const bool *)right;
    case AM_OPTION_CHOICE:
        return *(const int *)left == *(const int *)right;
    case AM_OPTION_INT:
    case AM_OPTION_SIZE:
    case AM_OPTION_DURATION:
        return *(const int64_t *)left == *(const int64_t *)right;
    case AM_OPTION_TEXT:
        return strcmp(*(const char *const *)left, *(const char *const *)right) == 0;
    case AM_OPTION_LIST:
        return equal_strings(left, right);
    case AM_OPTION_NETS:
        return equal_nets(left, right);
    }
    return false;
}

bool am_option_is_list(const struct am_option *row)
{
    return row->kind == AM_OPTION_LIST || row->kind == AM_OPTION_NETS;
}
