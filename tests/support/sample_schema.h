#ifndef TESTS_SUPPORT_SAMPLE_SCHEMA_H
#define TESTS_SUPPORT_SAMPLE_SCHEMA_H

#include "common/base/config.h"

/* A schema with every kind of option, a secret, an option for the start only and a repeated
 * section. */

struct sample_main {
    bool flag;
    int64_t count, size, wait_ms, mode;
    const char *text, *secret;
    int choice;
    struct am_strlist list;
    struct am_netlist nets;
};

struct sample_rule {
    const char *title; /* must be first */
    struct am_netlist client;
    struct am_strlist sender;
    int action;
};

static bool sample_check(const char *value, struct am_problem *problem)
{
    return strchr(value, '!') == NULL || am_problem_set(problem, "\"%s\" holds a \"!\"", value);
}

static const struct am_choice sample_words[] = {
    {"accept", 0}, {"reject", 1}, {"hold", 2}, {NULL, 0}};

#define MAIN_ROW(NAME, FIELD, KIND, FALLBACK)                                                      \
    .name = NAME, .kind = KIND, .offset = offsetof(struct sample_main, FIELD),                     \
    .fallback = FALLBACK, .help = "sample option " NAME

static const struct am_option sample_main_rows[] = {
    {MAIN_ROW("flag", flag, AM_OPTION_BOOL, "no")},
    {MAIN_ROW("count", count, AM_OPTION_INT, "3"), .min = -5, .max = 100},
    {MAIN_ROW("size", size, AM_OPTION_SIZE, "64k"), .min = 1024, .max = 1 << 30},
    {MAIN_ROW("wait", wait_ms, AM_OPTION_DURATION, "2s"), .min = 1, .max = 60000},
    {MAIN_ROW("mode", mode, AM_OPTION_INT, "0660"), .max = 0777, .flags = AM_OPTION_OCTAL},
    {MAIN_ROW("text", text, AM_OPTION_TEXT, ""), .check = sample_check},
    {MAIN_ROW("secret", secret, AM_OPTION_TEXT, ""), .flags = AM_OPTION_SECRET},
    {MAIN_ROW("choice", choice, AM_OPTION_CHOICE, "accept"), .choices = sample_words},
    {MAIN_ROW("list", list, AM_OPTION_LIST, "one, two"), .check = sample_check,
     .flags = AM_OPTION_START_ONLY},
    {MAIN_ROW("nets", nets, AM_OPTION_NETS, "127.0.0.0/8, ::1")},
    {0}};

#define RULE_ROW(NAME, FIELD, KIND, FALLBACK)                                                      \
    .name = NAME, .kind = KIND, .offset = offsetof(struct sample_rule, FIELD),                     \
    .fallback = FALLBACK, .help = "sample option " NAME

static const struct am_option sample_rule_rows[] = {
    {RULE_ROW("client", client, AM_OPTION_NETS, "")},
    {RULE_ROW("sender", sender, AM_OPTION_LIST, "")},
    {RULE_ROW("action", action, AM_OPTION_CHOICE, "reject"), .choices = sample_words},
    {0}};

static const struct am_section sample_main_section = {"main", "plain section", sample_main_rows,
                                                      sizeof(struct sample_main), false};
static const struct am_section sample_rule_section = {"rule", "repeated section", sample_rule_rows,
                                                      sizeof(struct sample_rule), true};

static const struct am_section *const sample_schema[] = {&sample_main_section, &sample_rule_section,
                                                         NULL};

#endif
