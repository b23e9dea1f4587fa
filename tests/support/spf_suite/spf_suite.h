#ifndef TESTS_SUPPORT_SPF_SUITE_H
#define TESTS_SUPPORT_SPF_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem.h"
#include "common/base/span.h"

/*
 * The published RFC 7208 test suite (rfc7208-tests.yml), read from where it
 * lies: scenarios of zone data and cases. The zone data comes as the text of a
 * master file, so that the engine's tests (am_dns_zone_parse()) and the
 * milter's (option dns.zone) see the very same DNS.
 */

struct spf_suite_case {
    const char *name;
    const char *host;           /* the client's address */
    struct am_span helo;        /* may hold any byte */
    struct am_span mailfrom;    /* without brackets; empty for the null sender */
    const char *const *results; /* the allowed words; ends with NULL */
    const char *explanation;    /* expected text, "DEFAULT" = the receiver's own; NULL = not said */
};

struct spf_suite_scenario {
    const char *description;
    /* Names that no master file can hold (labels over 63 octets) are left out: nobody can ask them.
     */
    const char *zone;
    const struct spf_suite_case *cases;
    size_t case_count;
};

struct spf_suite {
    const struct spf_suite_scenario *scenarios;
    size_t scenario_count;
};

/*
 * Reads the suite for a test's main(): rfc7208-tests.yml in the directory of the environment
 * variable AUTHMILTER_SUITES, or the one set when the tests were built. Says on the terminal why
 * there is none.
 *
 * Returns: NULL, and in `status` what to exit with: 77 where the suite is absent (skipped), 1 where
 *   it cannot be read.
 * Ownership: the caller frees it with spf_suite_free().
 */
const struct spf_suite *spf_suite_open(int *status) AM_MUST_USE;

/* Frees a suite. NULL is allowed. */
void spf_suite_free(const struct spf_suite *suite);

/* Tells whether a result word is among the allowed ones. */
bool spf_suite_allows(const struct spf_suite_case *test, const char *result);

#endif
