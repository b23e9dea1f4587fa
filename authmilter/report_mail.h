#ifndef AUTHMILTER_REPORT_MAIL_H
#define AUTHMILTER_REPORT_MAIL_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/problem.h"

/* An aggregate report as a mail (RFC 9990 section 2.6.2), and handing it to sendmail(1). */
struct report_mail {
    const char *from;              /* address */
    const char *const *recipients; /* addresses */
    size_t recipient_count;
    const char *policy_domain, *receiver, *org_name;
    const char *report_id, *file;
    int64_t day;
    int64_t records, messages;
    int64_t now_s;
    struct am_span content; /* compressed XML */
};

/*
 * Appends the mail, with LF line ends. Returns false when a name or an address holds anything but
 * printable ASCII without blanks, so that it could begin another header field; or memory is short.
 */
bool report_mail_write(const struct report_mail *mail, struct am_buf *out) AM_MUST_USE;

/* How much larger than its content a mail is at most: returns the most octets of content of a mail
 * of `size` octets. */
size_t report_mail_room(size_t size);

/* How long sendmail may take. */
#define REPORT_MAIL_WAIT_S 120

/*
 * Runs `sendmail -i -f sender -- recipient...` with a mail as its input, without a shell.
 *
 * Returns: false with a sentence when it cannot be run, takes too long (it is killed then), or does
 * not end with status 0: the sentence holds what it said first.
 * Blocking: REPORT_MAIL_WAIT_S at most. Threads: the only one of the process.
 */
bool report_mail_send(const char *sendmail, const char *sender, const char *const *recipients,
                      size_t recipient_count, struct am_span mail,
                      struct am_problem *problem) AM_MUST_USE;

#endif
