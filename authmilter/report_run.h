#ifndef AUTHMILTER_REPORT_RUN_H
#define AUTHMILTER_REPORT_RUN_H

#include "authmilter/report_conf.h"
#include "authmilter/report_print.h"
#include "common/dns/dns.h"

/* One run of `authmilter dmarc-report`. */
struct report_run {
    const struct report_conf *conf;
    struct am_resolver *resolver;
    struct report_print print;
    const char *domain; /* only this one; NULL = all */
    int64_t day;        /* only this one; -1 = all */
    int64_t now_s;
    bool dry_run;
    const char *output; /* folder to write the files to; NULL = none */

    struct dmarc_db *db;
    bool more;    /* a limit left something for the next run */
    bool trouble; /* something did not go as it should */
};

/*
 * Takes rows from the stream, makes reports of the days that are over and sends what is due.
 *
 * Returns: false with a sentence: nothing more could be done. Blocking: disk, DNS, server,
 * sendmail.
 */
bool report_run(struct report_run *run, struct am_problem *problem) AM_MUST_USE;

#endif
