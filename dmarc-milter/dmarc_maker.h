#ifndef DMARC_MAKER_H
#define DMARC_MAKER_H

#include "dmarc-milter/dmarc_db.h"
#include "dmarc-milter/dmarc_report.h"
#include "dmarc-milter/dmarc_rua.h"

/*
 * Makes reports of rows. In one transaction the rows of a domain and day become a report with its
 * deliveries and are gone, so each is counted in one report, whoever else is at work. Rows that
 * come later become a further report about the same day.
 *
 * A report has the records of one policy. Where a domain changed its policy during the day there
 * are several, the newest policy first, DMARC_MAKER_POLICIES_MAX at most. A report that would be
 * too large is split.
 */

/* Most policies of a domain and day that get a report. */
#define DMARC_MAKER_POLICIES_MAX 4

/* A report that was made. Lives until `take` returns. */
struct dmarc_made {
    const char *policy_domain;
    int64_t day;
    const char *report_id, *file;
    size_t records;
    int64_t messages;
    struct am_span content; /* compressed XML */
    const struct dmarc_rua *rua;
};

struct dmarc_maker {
    struct dmarc_db *db;
    const char *receiver; /* our domain name, in A-labels */
    const char *org_name, *email, *extra_contact_info, *generator;
    size_t octets_max; /* of the compressed XML */
    size_t uris_max;   /* of one rua */
    int64_t now_s;
    bool dry_run; /* nothing is kept */
    /* Takes each report. Returns false with a sentence: nothing is kept. */
    bool (*take)(void *user, const struct dmarc_made *made, struct am_problem *problem);
    void *user;
};

/* What became of the rows of a domain and day. */
struct dmarc_make_result {
    size_t reports;
    int64_t messages; /* in them */
    int64_t unwanted; /* messages whose policy asks for no report, or names no usable address */
    int64_t left_out; /* messages of policies beyond the most */
    int64_t without_address; /* messages of clients without an IP address */
};

/*
 * Makes the reports of a domain and day. That there are no rows (any more) is no failure.
 *
 * Returns: false with a sentence; nothing has changed then. Blocking: disk.
 */
bool dmarc_maker_run(const struct dmarc_maker *maker, const char *policy_domain, int64_t day,
                     struct dmarc_make_result *result, struct am_problem *problem) AM_MUST_USE;

/* A domain and day that rows wait for. */
struct dmarc_due {
    const char *policy_domain;
    int64_t day;
    int64_t rows;
};

/* Which are wanted. */
struct dmarc_due_filter {
    int64_t before_day; /* days before this one */
    int64_t day;        /* this one only; -1 = any */
    const char *domain; /* this one only; NULL = any */
    size_t most;
};

/*
 * Lists what is due, the oldest first.
 *
 * Returns: false with a sentence. Ownership: `arena`.
 */
bool dmarc_due_list(struct dmarc_db *db, const struct dmarc_due_filter *filter,
                    struct am_arena *arena, struct dmarc_due **list, size_t *count,
                    struct am_problem *problem) AM_MUST_USE;

/* Removes the rows of a domain and day. Returns false with a sentence. */
bool dmarc_due_drop(struct dmarc_db *db, const struct dmarc_due *due,
                    struct am_problem *problem) AM_MUST_USE;

#endif
