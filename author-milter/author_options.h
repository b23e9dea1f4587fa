#ifndef AUTHOR_AUTHOR_OPTIONS_H
#define AUTHOR_AUTHOR_OPTIONS_H

#include "author-milter/author.h"
#include "common/base/netset.h"
#include "common/mail/pattern.h"
#include "common/map/map.h"
#include "common/milter/module.h"
#include "common/milter/policy.h"

/* The section "author": what the file says, and what is made of it. */

/* What may be refused. */
enum author_policy {
    AUTHOR_POLICY_NOT_OWNER,
    AUTHOR_POLICY_FOREIGN,
    AUTHOR_POLICY_MISALIGNED,
    AUTHOR_POLICY_MISSING,
    AUTHOR_POLICY_SEVERAL,
    AUTHOR_POLICY_UNCHECKED,
    AUTHOR_POLICY_SPOOFED,
};
#define AUTHOR_POLICY_COUNT 7

/* Which fields count. */
enum author_fields {
    AUTHOR_FIELDS_BOTH, /* From, and Sender where there is one */
    AUTHOR_FIELDS_FROM,
    AUTHOR_FIELDS_SENDER, /* Sender where there is one, else From */
};

struct author_conf {
    struct am_policy policy; /* at enum author_policy */
    int fields;              /* enum author_fields */
    int login;               /* enum author_login */
    int alignment;           /* enum author_alignment */
    bool fix;
    struct am_strlist tables, domains, domain_tables;
    struct am_netlist networks, exempt_networks;
    struct am_strlist exempt_logins;
    bool exempt_local;
};

/* Made once, read by all connections. */
struct author_derived {
    struct am_maps tables, domain_tables;
    struct am_patterns *domains;
    struct am_netset *networks, *exempt_networks;
    bool has_lists;
};

/* The rows, ended with zeros, and the repeated sections. */
extern const struct am_option author_options[];
extern const struct am_section *const author_extra_sections[];

/* Judges the options together. Returns false with a sentence. */
bool author_conf_check(const void *conf, const struct am_config *config,
                       struct am_problem *problem);

/* Reads the tables and compiles the lists; files are watched. Returns false with a sentence. */
bool author_conf_open(const void *conf, const struct am_conf_env *env, void **derived,
                      struct am_problem *problem);

/* Releases what author_conf_open() made. */
void author_conf_close(void *derived);

#endif
