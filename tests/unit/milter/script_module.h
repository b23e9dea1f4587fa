#ifndef TESTS_UNIT_MILTER_SCRIPT_MODULE_H
#define TESTS_UNIT_MILTER_SCRIPT_MODULE_H

#include "fixture.h"

/*
 * Modules that do what a test tells them: a script is the module's configuration. Every call is
 * written down as "<name>.<stage>\n" in `calls` of the fixture that the scripts share.
 */
struct script {
    enum am_verdict at_connect, at_helo, at_mail, at_rcpt, at_data, at_header, at_eoh, at_body,
        at_eom, at_unknown;
    int code; /* of a reply; 0 = none */
    const char *xcode, *text;
    const char *publish_at_helo, *publish_at_mail, *publish_at_eom; /* "method=result" */
    const char *quarantine;
    const char *observe; /* am_ctx_observe(REJECT) at MAIL with this reason */
    int64_t takes_us;    /* how far the clock goes in each callback */
    void (*edit)(struct am_eom_ctx *eom);
    struct fixture *fixture;
    struct am_buf *calls;
    unsigned rejected_rcpts; /* seen */
    char last_header[256];   /* "Name#index:value" */
};

/* Three modules with every callback, named a, b and c, and one without `header`, `body` and the
 * like. */
extern const struct am_module script_a, script_b, script_c;

/* Adds a scripted module to a fixture; it wants `wants` only and answers at `answers`. */
void script_add(struct fixture *fixture, const struct am_module *module, struct script *script,
                struct am_buf *calls, unsigned wants, unsigned answers);

#define ALL_STAGES 0x3ffu

#endif
