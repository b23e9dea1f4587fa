#ifndef AM_MILTER_OVERRIDE_H
#define AM_MILTER_OVERRIDE_H

#include "common/mail/pattern.h"
#include "common/milter/module.h"
#include "common/milter/policy.h"
#include "common/milter/recipients.h"

/*
 * Overrides: another policy for some clients, senders or recipients, from the
 * configuration's repeated sections and from a map file. For each option, the first rule
 * that matches and says something other than `inherit` decides: sections in file order,
 * then the rows of the map, then the milter's own section. Of the map's rows only the most specific
 * one for the client, for the sender and for the recipient count, taken in the order they stand in.
 *
 * A milter makes the section of rows, from the same list as its own ones:
 *
 *     #define X_POLICIES(ROW) ROW(X_FAIL, "fail", "what to do with fail"), ...
 *     static const struct am_option override_options[] = {
 *         AM_OVERRIDE_CONDITIONS, X_POLICIES(AM_OVERRIDE_OPTION), {0}};
 *     const struct am_section x_override_section =
 *         AM_OVERRIDE_SECTION("x_override", override_options);
 *
 * Threads: opening one; reading any.
 */
struct am_overrides;

/* One section, as the configuration holds it. */
struct am_override_conf {
    const char *title;
    struct am_netlist client;
    struct am_strlist sender, recipient;
    struct am_policy policy; /* AM_POLICY_INHERIT where nothing is said */
};

/* The rows that say whom an override is for. */
#define AM_OVERRIDE_CONDITIONS                                                                     \
    {.name = "client",                                                                             \
     .kind = AM_OPTION_NETS,                                                                       \
     .offset = offsetof(struct am_override_conf, client),                                          \
     .fallback = "",                                                                               \
     .help = "client networks it applies to"},                                                     \
        {.name = "sender",                                                                         \
         .kind = AM_OPTION_LIST,                                                                   \
         .offset = offsetof(struct am_override_conf, sender),                                      \
         .fallback = "",                                                                           \
         .check = am_pattern_check,                                                                \
         .help = "envelope senders it applies to"},                                                \
    {                                                                                              \
        .name = "recipient", .kind = AM_OPTION_LIST,                                               \
        .offset = offsetof(struct am_override_conf, recipient), .fallback = "",                    \
        .check = am_pattern_check, .help = "envelope recipients it applies to"                     \
    }

/* The row of one policy option: those of a section, and the words of a map's rows. */
#define AM_OVERRIDE_OPTION(INDEX, NAME, HELP)                                                      \
    AM_POLICY_ROW(struct am_override_conf, policy, INDEX, NAME, am_policy_override_choices,        \
                  "inherit", HELP)

/* A repeated section of these rows. */
#define AM_OVERRIDE_SECTION(NAME, OPTIONS)                                                         \
    {                                                                                              \
        .name = (NAME), .help = "another policy for some clients, senders or recipients",          \
        .options = (OPTIONS), .size = sizeof(struct am_override_conf), .repeated = true            \
    }

/* Where the policy of a milter comes from. */
struct am_override_source {
    const struct am_policy *policy;   /* of the milter's own section; no `inherit` in it */
    const struct am_section *section; /* AM_OVERRIDE_SECTION() */
    const char *map_option;           /* "x.override_map": the option that names the map file */
    const char *map_path;             /* its value; "" = no map */
    const char *no_recipients; /* why rules for recipients cannot work and what to set, the end of a
                                  sentence; NULL: they can */
};

/*
 * Judges the sections: each must name somebody and change something. The part of a module's
 * conf_check. Returns false with a sentence.
 */
bool am_overrides_check(const struct am_override_source *source, const struct am_config *config,
                        struct am_problem *problem);

/*
 * Compiles the sections, reads the map file and has it watched. The part of a module's conf_open.
 *
 * Returns: NULL with a sentence; for the map it begins with "path:line:".
 * Ownership: lives as long as env->arena; keeps what `source` points to.
 * Blocking: reads the file.
 */
struct am_overrides *am_overrides_open(const struct am_conf_env *env,
                                       const struct am_override_source *source,
                                       struct am_problem *problem) AM_MUST_USE;

/*
 * Returns the set of actions that the milter's own policy or any rule may ask for with one of
 * the options in `asked` (bits 1 << index; UINT32_MAX: all).
 */
unsigned am_overrides_possible(const struct am_overrides *overrides, uint32_t asked);

/* One rule: a section or a row of the map. */
struct am_override_rule {
    const char *source;                  /* title of the section, or path of the map */
    unsigned line;                       /* of the map; 0 for a section */
    unsigned char action[AM_POLICY_MAX]; /* enum am_policy_action */
};

/* What rules are matched against. */
struct am_override_facts {
    struct am_arena *arena; /* for short-lived conversions of names */
    struct am_ip client;
    const struct am_address *sender;
    const struct am_address *recipient; /* NULL: not known; rules with recipients do not match */
};

/* What follows from a policy. */
struct am_policy_decision {
    enum am_policy_action action;        /* ACCEPT when nothing is to be done */
    unsigned index;                      /* of the option that asks for it */
    const char *option;                  /* its name; NULL when no option was asked */
    const struct am_override_rule *rule; /* that gave it this value; NULL: the milter's section */
};

/*
 * Decides what to do when what was found calls for the options in `asked` (bits 1 << index): the
 * severest of their actions, among equals that of the lowest index. A place of the policy that no
 * row stands for is never asked and always accepts.
 *
 * Ownership: the decision points into `overrides`.
 */
struct am_policy_decision am_overrides_decide(const struct am_overrides *overrides,
                                              const struct am_override_facts *facts,
                                              uint32_t asked);

/*
 * The same for all recipients of a message at once: the severest of what is decided for each.
 * Exempt ones are left out; with none but those the message is accepted (no option). The recipient
 * in `facts` is not looked at.
 */
struct am_policy_decision am_overrides_decide_all(const struct am_overrides *overrides,
                                                  const struct am_override_facts *facts,
                                                  const struct am_recipients *recipients,
                                                  uint32_t asked);

/* Writes the name of a rule for logs ("partners", "/etc/map:12"); NULL when memory is short. */
const char *am_override_rule_name(struct am_arena *arena, const struct am_override_rule *rule);

/*
 * Returns the place in the policy that a row of an override section stands for, or AM_POLICY_MAX
 * for a condition.
 */
size_t am_override_index(const struct am_option *row);

/* Returns the first row of a section that stands for a policy option: an example in sentences. */
const struct am_option *am_override_first_row(const struct am_section *section);

#endif
