#include "common/base/option.h"

#include "common/base/option_number.h"

/* Writes an item of a comma-separated text so that it is read back as one item. */
static void print_item(const char *item, struct am_buf *out)
{
    for (; *item != '\0'; item++) {
        if (*item == ',' || *item == '\\')
            am_buf_add_char(out, '\\');
        am_buf_add_char(out, *item);
    }
}

static void print_strings(const struct am_strlist *list, struct am_buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            am_buf_add_str(out, ", ");
        print_item(list->items[i], out);
    }
}

static void print_net(const struct am_net *net, struct am_buf *out)
{
    unsigned whole = net->base.family == 4 ? 32 : 128;
    char text[AM_IP_TEXT_MAX];

    am_buf_add_str(out, am_ip_format(&net->base, text));
    if (net->prefix != whole)
        am_buf_printf(out, "/%u", net->prefix);
}

static void print_nets(const struct am_netlist *list, struct am_buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            am_buf_add_str(out, ", ");
        print_net(&list->nets[i], out);
    }
}

static const char *choice_word(const struct am_choice *choices, int value)
{
    for (; choices->word != NULL; choices++)
        if (choices->value == value)
            return choices->word;
    return "";
}

bool am_option_is_masked(const struct am_option *row, const void *section)
{
    const void *place = (const char *)section + row->offset;

    if ((row->flags & AM_OPTION_SECRET) == 0)
        return false;
    return row->kind != AM_OPTION_TEXT || (*(const char *const *)place)[0] != '\0';
}

void am_option_print(const struct am_option *row, const void *section, struct am_buf *out)
{
    const void *place = (const char *)section + row->offset;

    if (am_option_is_masked(row, section)) {
        am_buf_add_str(out, "(secret)");
        return;
    }
    switch (row->kind) {
    case AM_OPTION_BOOL:
        am_buf_add_str(out, *(const bool *)place ? "yes" : "no");
        break;
    case AM_OPTION_INT:
    case AM_OPTION_SIZE:
    case AM_OPTION_DURATION:
        am_option_number_print(row, *(const int64_t *)place, out);
        break;
    case AM_OPTION_TEXT:
        am_buf_add_str(out, *(const char *const *)place);
        break;
    case AM_OPTION_CHOICE:
        am_buf_add_str(out, choice_word(row->choices, *(const int *)place));
        break;
    case AM_OPTION_LIST:
        print_strings(place, out);
        break;
    case AM_OPTION_NETS:
        print_nets(place, out);
        break;
    }
}

static void describe_choices(const struct am_choice *choices, struct am_buf *out)
{
    for (size_t i = 0; choices[i].word != NULL; i++) {
        if (i > 0)
            am_buf_add_str(out, choices[i + 1].word == NULL ? " or " : ", ");
        am_buf_add_str(out, choices[i].word);
    }
}

static void describe_range(const struct am_option *row, struct am_buf *out)
{
    int64_t min, max;

    am_option_number_bounds(row, &min, &max);
    am_option_number_print(row, min, out);
    if (max == INT64_MAX) {
        am_buf_add_str(out, " or more");
        return;
    }
    am_buf_add_str(out, " to ");
    am_option_number_print(row, max, out);
}

void am_option_describe(const struct am_option *row, struct am_buf *out)
{
    switch (row->kind) {
    case AM_OPTION_BOOL:
        am_buf_add_str(out, "yes or no");
        break;
    case AM_OPTION_INT:
    case AM_OPTION_SIZE:
    case AM_OPTION_DURATION:
        describe_range(row, out);
        break;
    case AM_OPTION_TEXT:
        am_buf_add_str(out, "text");
        break;
    case AM_OPTION_CHOICE:
        describe_choices(row->choices, out);
        break;
    case AM_OPTION_LIST:
        am_buf_add_str(out, "list of texts");
        break;
    case AM_OPTION_NETS:
        am_buf_add_str(out, "list of networks");
        break;
    }
}
