#ifndef AM_DNS_DNS_ZONE_FILE_H
#define AM_DNS_DNS_ZONE_FILE_H

#include "common/base/problem.h"
#include "common/base/span.h"

/* Who takes what a master file holds. Both return false with the reason (no place). */
struct am_dns_zone_sink {
    void *context;
    /* One record on one line, comments and parentheses resolved. */
    bool (*record)(void *context, const char *line, struct am_problem *problem);
    /* "$ORIGIN example.com." or, of a comment ";!servfail name", "servfail name". */
    bool (*directive)(void *context, struct am_span text, struct am_problem *problem);
};

/*
 * Cuts a master file (RFC 1035 section 5.1) into records and directives.
 *
 * name: stands for the file in messages.
 * Returns: false with file, line and sentence.
 */
bool am_dns_zone_file_read(const char *text, const char *name, const struct am_dns_zone_sink *sink,
                           struct am_problem *problem) AM_MUST_USE;

#endif
