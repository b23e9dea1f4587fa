#ifndef AUTHMILTER_CHECK_REACH_H
#define AUTHMILTER_CHECK_REACH_H

#include "authmilter/check_milter.h"
#include "authmilter/check_postfix.h"

/* Where and as whom Postfix meets a milter. */
struct check_meeting {
    const struct check_postfix *postfix;
    const struct check_milter *milter;
    bool chrooted;
    const char *place;   /* of the list it stands in */
    const char *program; /* ours that serves there, as for systemctl(1); NULL: another one */
};

/*
 * Returns where a unix socket lies as seen from outside of the chroot; NULL for inet.
 * Ownership: the arena of `postfix`.
 */
const char *check_reach_path(const struct check_meeting *meeting);

/*
 * Connects as Postfix does: as root with its user and groups, in its chroot; else the way to the
 * socket is judged by what can be seen, and a note says that it was not tried.
 * Blocking: 3 s at most, on host names longer.
 */
void check_reach(const struct check_meeting *meeting, struct check_findings *findings);

#endif
