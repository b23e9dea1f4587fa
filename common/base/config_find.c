#include "common/base/config_internal.h"

/* Longest name that is compared letter by letter; no option has one as long. */
#define NAME_MAX_COMPARED 40

const struct am_section *am_schema_find(am_schema schema, const char *name)
{
    for (; *schema != NULL; schema++)
        if (strcmp((*schema)->name, name) == 0)
            return *schema;
    return NULL;
}

const struct am_option *am_section_find(const struct am_section *section, const char *name)
{
    for (const struct am_option *row = section->options; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Counts the letters to change, add or drop to come from one name to the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    size_t row[NAME_MAX_COMPARED + 1];

    if (a_len > NAME_MAX_COMPARED || b_len > NAME_MAX_COMPARED)
        return NAME_MAX_COMPARED;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = diagonal + (am_lower(a[i - 1]) != am_lower(b[j - 1]));
            diagonal = row[j];
            row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

struct nearest {
    const char *name;
    size_t distance;
};

static void consider(struct nearest *best, const char *wanted, const char *candidate)
{
    size_t found = distance(wanted, candidate);

    if (found < best->distance)
        *best = (struct nearest){candidate, found};
}

const char *am_schema_nearest(am_schema schema, const struct am_section *section, const char *name)
{
    /* Two letters changed places count as two; more than that, in a short name, is another word. */
    size_t allowed = strlen(name) < 4 ? 1 : strlen(name) < 9 ? 2 : 3;
    struct nearest best = {NULL, allowed + 1};

    if (section != NULL)
        for (const struct am_option *row = section->options; row->name != NULL; row++)
            consider(&best, name, row->name);
    else
        for (; *schema != NULL; schema++)
            consider(&best, name, (*schema)->name);
    return best.name;
}

struct am_config_slot *am_config_slot(const struct am_config *config, const char *name)
{
    for (size_t i = 0; i < config->slot_count; i++)
        if (strcmp(config->slots[i].section->name, name) == 0)
            return &config->slots[i];
    return NULL;
}
