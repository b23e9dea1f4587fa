#ifndef AUTHMILTER_REPORT_CONF_H
#define AUTHMILTER_REPORT_CONF_H

#include "common/base/config.h"

/* The configuration of `authmilter dmarc-report`: one section, "report". */

#define REPORT_CONF_USUAL "/etc/authmilter/dmarc-report.conf"

struct report_conf {
    const char *database, *stream;
    const char *receiver; /* our name, in A-labels once it is ready */
    const char *org_name, *email, *extra_contact_info;
    const char *sender, *sendmail;
    int64_t max_reports, max_mails, max_recipients, max_size;
};

/* Its rows. */
extern const struct am_section report_conf_section;

/*
 * Reads the file and what the command line has in its place.
 *
 * path: NULL: the usual one, when it is there.
 * overrides: "report.name=value".
 * Returns: the configuration with all its values, those included that follow from others; NULL with
 * a sentence. Ownership: am_config_free() of `*config`.
 */
const struct report_conf *report_conf_load(const char *path, const char *const *overrides,
                                           size_t override_count, struct am_arena *arena,
                                           struct am_config **config,
                                           struct am_problem *problem) AM_MUST_USE;

#endif
