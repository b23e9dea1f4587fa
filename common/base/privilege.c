#include "common/base/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Reads a plain decimal id. */
static bool parse_id(const char *text, unsigned long *id)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *id = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *id < 0xffffffffUL;
}

/* getpwnam and getgrnam: used before there are other threads, on the start-up path only. */
bool am_user_find(const char *name, uid_t *uid, gid_t *gid, struct am_problem *problem)
{
    unsigned long id;
    const struct passwd *entry = getpwnam(name);
    if (entry == NULL && parse_id(name, &id))
        entry = getpwuid((uid_t)id);
    if (entry == NULL)
        return am_problem_set(problem, "there is no user \"%s\"", name);
    if (uid != NULL)
        *uid = entry->pw_uid;
    if (gid != NULL)
        *gid = entry->pw_gid;
    return true;
}

bool am_group_find(const char *name, gid_t *gid, struct am_problem *problem)
{
    unsigned long id;
    const struct group *entry = getgrnam(name);
    if (entry != NULL)
        *gid = entry->gr_gid;
    else if (parse_id(name, &id))
        *gid = (gid_t)id;
    else
        return am_problem_set(problem, "there is no group \"%s\"", name);
    return true;
}

static bool is_already(uid_t uid, gid_t gid)
{
    uid_t real, effective, saved;
    gid_t real_gid, effective_gid, saved_gid;
    return getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid &&
           saved == uid && getresgid(&real_gid, &effective_gid, &saved_gid) == 0 &&
           real_gid == gid && effective_gid == gid && saved_gid == gid;
}

static bool change(const char *name, uid_t uid, gid_t gid, struct am_problem *problem)
{
    if (initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return am_problem_set(problem, "cannot become user %lu, group %lu: %s", (unsigned long)uid,
                              (unsigned long)gid, strerror(errno));
    /* A kernel or container that lies about it would leave us root without a word. */
    if (!is_already(uid, gid) || (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)))
        return am_problem_set(problem, "the rights of root are still there after becoming user %lu",
                              (unsigned long)uid);
    return true;
}

bool am_privilege_drop(const char *user, const char *group, struct am_problem *problem)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (user[0] == '\0' && group[0] == '\0')
        return true;
    if (user[0] != '\0' && !am_user_find(user, &uid, &gid, problem))
        return false;
    if (group[0] != '\0' && !am_group_find(group, &gid, problem))
        return false;
    if (is_already(uid, gid) && uid != 0)
        return true;
    if (geteuid() != 0)
        return am_problem_set(problem,
                              "only root can become %s \"%s\"; start as root or leave milter.user "
                              "and milter.group empty",
                              user[0] != '\0' ? "user" : "group", user[0] != '\0' ? user : group);
    const struct passwd *entry = getpwuid(uid);
    return change(entry == NULL ? "" : entry->pw_name, uid, gid, problem);
}

void am_privilege_forbid_gain(void)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
