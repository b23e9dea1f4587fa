#ifndef AM_BASE_PRIVILEGE_H
#define AM_BASE_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/problem.h"

/*
 * Users, groups, and giving up rights for good.
 */

/*
 * Finds a user by name or number.
 *
 * uid, gid (its primary group): may be NULL. Returns: false with a sentence when there is none.
 */
bool am_user_find(const char *name, uid_t *uid, gid_t *gid, struct am_problem *problem) AM_MUST_USE;

/* Finds a group by name or number. Returns false with a sentence when there is none. */
bool am_group_find(const char *name, gid_t *gid, struct am_problem *problem) AM_MUST_USE;

/*
 * Becomes `user` with its groups, or with `group` as primary group, for good: it is checked that
 * root cannot be had back. Being that user already is success.
 *
 * user, group: "" = no change.
 * Returns: false with a sentence; the process shall end then, as it may be half changed.
 * Threads: all of the process change.
 */
bool am_privilege_drop(const char *user, const char *group, struct am_problem *problem) AM_MUST_USE;

/*
 * Forbids this thread, and those it makes later, to gain rights by executing programs. Core dumps
 * and limits are left as the administrator set them.
 */
void am_privilege_forbid_gain(void);

#endif
