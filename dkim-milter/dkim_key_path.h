#ifndef DKIM_DKIM_KEY_PATH_H
#define DKIM_DKIM_KEY_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/base/problem.h"

/*
 * Who may touch a private key. Nobody but root and the user who signs may be able to
 * replace the file or any directory on the way to it, and nobody else may read it:
 *
 *     directories   owned by root or the user; not writable by group or others, unless
 *                   sticky, where only owners rename what is theirs
 *     the file      a regular one, owned by root or the user; not writable by group or others;
 *                   not readable by others; readable by the group if it is root's or one of the
 *                   user's
 *
 * The user must be able to read it: started as root, a milter reads its keys again as the user it
 * became. Symbolic links are followed, and the way they lead is held to the same rules.
 */

/* Most groups of a user that are looked at. */
#define DKIM_KEY_GROUPS_MAX 64

/* The user who signs. */
struct dkim_key_reader {
    uid_t uid;
    gid_t groups[DKIM_KEY_GROUPS_MAX]; /* the primary one first */
    size_t group_count;
    char group_name[36]; /* of the primary one, or its number: for commands that mend */
};

/*
 * Finds out who signs.
 *
 * user, group: what the process will become when it is root now (milter.user, milter.group), "" for
 *   no change; without effect for others, who have become it already.
 * Returns: false with a sentence. Threads: none beside this one when the process is root.
 */
bool dkim_key_reader_find(struct dkim_key_reader *reader, const char *user, const char *group,
                          struct am_problem *problem) AM_MUST_USE;

/*
 * Opens a key file after judging it and every directory on its way, without gaps between judging
 * and opening that another user could use.
 *
 * path: absolute. info: of the open file.
 * Returns: a descriptor to read from and close, or -1 with a sentence that names the part of the
 *   path and the command that mends it. Blocking: reads directories, never a FIFO or device.
 */
int dkim_key_path_open(const char *path, const struct dkim_key_reader *reader, struct stat *info,
                       struct am_problem *problem) AM_MUST_USE;

/* Judges a directory by what stat(2) says. Returns false with a sentence that begins with `path`.
 */
bool dkim_key_directory_judge(const char *path, const struct stat *info,
                              const struct dkim_key_reader *reader, struct am_problem *problem);

/* Judges a key file in the same way. */
bool dkim_key_file_judge(const char *path, const struct stat *info,
                         const struct dkim_key_reader *reader, struct am_problem *problem);

#endif
