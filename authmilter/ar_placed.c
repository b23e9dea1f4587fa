#include "authmilter/ar_placed.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    enum ar_place place;
    bool of_result;
    const char *word;
} words[] = {
    {AR_BEFORE_ID, false, "before-id"},        {AR_AFTER_ID, false, "id"},
    {AR_AFTER_VERSION, false, "version"},      {AR_AFTER_NONE, false, "none"},
    {AR_BEFORE_METHOD, true, "before-method"}, {AR_AFTER_RESULT, true, "result"},
    {AR_AFTER_REASON, true, "reason"},
};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

/* The numbers of the places rise in the order of the text. */
static int compare(const void *left, const void *right)
{
    const struct ar_placed *a = left, *b = right;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    if (a->property != b->property)
        return a->property < b->property ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

void ar_placed_sort(struct ar_placed *placed, size_t count)
{
    qsort(placed, count, sizeof(*placed), compare);
}

json_t *ar_placed_json(const struct ar_placed *placed)
{
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (words[i].place == placed->place)
            return json_string(words[i].word);
    return json_integer((json_int_t)placed->property);
}

bool ar_placed_read(struct ar_placed *placed, const json_t *json, bool of_result)
{
    placed->property = 0;
    if (of_result && json_is_integer(json) && json_integer_value(json) >= 0) {
        placed->place = AR_AFTER_PROPERTY;
        placed->property = (size_t)json_integer_value(json);
        return true;
    }
    for (size_t i = 0; json_is_string(json) && i < WORD_COUNT; i++) {
        if (words[i].of_result == of_result &&
            strcmp(words[i].word, json_string_value(json)) == 0) {
            placed->place = words[i].place;
            return true;
        }
    }
    return false;
}
