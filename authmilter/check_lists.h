#ifndef AUTHMILTER_CHECK_LISTS_H
#define AUTHMILTER_CHECK_LISTS_H

#include "authmilter/check_milter.h"
#include "authmilter/check_postfix.h"
#include "authmilter/check_program.h"

/* The milters that one service of Postfix asks, with those of ours among them. */
struct check_list {
    const struct check_service *service; /* NULL: mail that does not come by SMTP */
    const char *parameter;               /* "smtpd_milters", "non_smtpd_milters" */
    const char *place;
    bool chrooted;
    bool off; /* receive_override_options has no_milters */
    struct check_milters milters;
    const struct check_program *ours[CHECK_MILTERS_MAX];   /* NULL: somebody else's */
    const struct check_socket *sockets[CHECK_MILTERS_MAX]; /* of ours */
};

struct check_lists {
    struct check_list *items; /* of each smtpd, then of mail that does not come by SMTP */
    size_t count;
};

/* Reads the lists of all services. Returns false when memory is short or a list is too long.
 * Ownership: the arena of `postfix`. */
bool check_lists_read(struct check_lists *lists, const struct check_postfix *postfix,
                      const struct check_programs *programs) AM_MUST_USE;

/* Tells whether a program is in a list that is in force. */
bool check_list_has(const struct check_list *list, const struct check_program *program);

/* Tells whether a program that signs is asked to sign: not on a socket for mail of others. */
bool check_list_signs(const struct check_list *list, const struct check_program *program);

/* Judges each list by itself: addresses, reachability, order, removal of forged fields. */
void check_lists_judge(const struct check_lists *lists, const struct check_postfix *postfix,
                       struct check_findings *findings);

/* Judges what the lists and parameters mean for our programs: who is asked where, twice or never,
 * and what becomes of mail when one is down. */
void check_lists_judge_use(const struct check_lists *lists, const struct check_postfix *postfix,
                           const struct check_programs *programs, struct check_findings *findings);

#endif
