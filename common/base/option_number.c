#include "common/base/option_number.h"

struct unit {
    const char *word;
    int64_t factor;
};

/* Largest first, so that printing takes the first one that divides. */
static const struct unit size_units[] = {
    {"G", (int64_t)1 << 30}, {"M", (int64_t)1 << 20}, {"k", (int64_t)1 << 10}, {"", 1}, {NULL, 0}};

static const struct unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                             {"s", 1000},     {"ms", 1},      {NULL, 0}};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(const struct am_option *row)
{
    switch (row->kind) {
    case AM_OPTION_SIZE:
        return size_units;
    case AM_OPTION_DURATION:
        return duration_units;
    default:
        return no_units;
    }
}

/* Sizes are read in either letter case; "M" and "m" of durations differ too much to be forgiven. */
static const struct unit *find_unit(const struct am_option *row, const char *word, int64_t number)
{
    for (const struct unit *unit = units_of(row); unit->word != NULL; unit++)
        if (strcmp(unit->word, word) == 0 ||
            (row->kind == AM_OPTION_SIZE &&
             am_span_equal_nocase(am_span_str(unit->word), am_span_str(word))))
            return unit;
    return number == 0 && word[0] == '\0' ? &no_units[0] : NULL;
}

bool am_option_number_parse(const struct am_option *row, const char *text, int64_t *value)
{
    int base = (row->flags & AM_OPTION_OCTAL) != 0 ? 8 : 10;
    bool negative = row->kind == AM_OPTION_INT && text[0] == '-';
    const char *p = negative ? text + 1 : text;
    const char *digits = p;
    const struct unit *unit;
    int64_t number = 0;

    for (; *p >= '0' && *p < '0' + base; p++)
        if (__builtin_mul_overflow(number, (int64_t)base, &number) ||
            __builtin_add_overflow(number, (int64_t)(*p - '0'), &number))
            return false;
    unit = p == digits ? NULL : find_unit(row, p, number);
    if (unit == NULL || __builtin_mul_overflow(number, unit->factor, &number))
        return false;
    *value = negative ? -number : number;
    return true;
}

void am_option_number_print(const struct am_option *row, int64_t value, struct am_buf *out)
{
    const struct unit *unit = units_of(row);

    if ((row->flags & AM_OPTION_OCTAL) != 0 && value > 0) {
        am_buf_printf(out, "0%llo", (unsigned long long)value);
        return;
    }
    if (value == 0) {
        am_buf_add_char(out, '0');
        return;
    }
    while (unit[1].word != NULL && value % unit->factor != 0)
        unit++;
    am_buf_printf(out, "%lld%s", (long long)(value / unit->factor), unit->word);
}

void am_option_number_bounds(const struct am_option *row, int64_t *min, int64_t *max)
{
    bool open = row->min == 0 && row->max == 0;

    *min = row->min;
    *max = open ? INT64_MAX : row->max;
}
