#include "dkim-milter/dkim_key_path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/privilege.h"

#define LINKS_MAX 40

static void fill_groups(struct dkim_key_reader *reader, gid_t primary)
{
    int got = getgroups(DKIM_KEY_GROUPS_MAX - 1, reader->groups + 1);
    reader->groups[0] = primary;
    reader->group_count = got > 0 ? (size_t)got + 1 : 1;
}

static void fill_groups_of(struct dkim_key_reader *reader, const char *user, gid_t primary)
{
    int count = DKIM_KEY_GROUPS_MAX;
    if (getgrouplist(user, primary, reader->groups, &count) < 0)
        count = DKIM_KEY_GROUPS_MAX; /* as many as fit were filled in */
    reader->group_count = (size_t)count;
}

bool dkim_key_reader_find(struct dkim_key_reader *reader, const char *user, const char *group,
                          struct am_problem *problem)
{
    bool changes = geteuid() == 0 && user[0] != '\0';
    gid_t primary = getegid();
    *reader = (struct dkim_key_reader){.uid = geteuid()};
    if (changes && !am_user_find(user, &reader->uid, &primary, problem))
        return false;
    if (geteuid() == 0 && group[0] != '\0' && !am_group_find(group, &primary, problem))
        return false;
    if (changes)
        fill_groups_of(reader, user, primary);
    else
        fill_groups(reader, primary);
    const struct group *entry = changes ? getgrgid(primary) : NULL;
    if (entry != NULL && strlen(entry->gr_name) < sizeof(reader->group_name))
        strcpy(reader->group_name, entry->gr_name);
    else
        snprintf(reader->group_name, sizeof(reader->group_name), "%lu", (unsigned long)primary);
    return true;
}

/* A walk from the root down: the directory it stands in, and what is left of the way. */
struct walk {
    const struct dkim_key_reader *reader;
    struct am_problem *problem;
    int fd;
    unsigned links;
    char shown[PATH_MAX]; /* of `fd`, without links; "" for the root */
    char rest[PATH_MAX];
};

static const char *shown(const struct walk *walk)
{
    return walk->shown[0] == '\0' ? "/" : walk->shown;
}

static bool fail(struct walk *walk, const char *what)
{
    return am_problem_set(walk->problem, "%s %s", shown(walk), what);
}

static bool fail_errno(struct walk *walk)
{
    if (errno == ENOENT)
        return fail(walk, "does not exist");
    return am_problem_set(walk->problem, "%s cannot be opened: %s", shown(walk), strerror(errno));
}

static bool append(struct walk *walk, const char *name)
{
    size_t len = strlen(walk->shown);
    if (len + 1 + strlen(name) >= sizeof(walk->shown))
        return fail(walk, "is too long a way");
    snprintf(walk->shown + len, sizeof(walk->shown) - len, "/%s", name);
    return true;
}

static void cut_last(struct walk *walk)
{
    char *slash = strrchr(walk->shown, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* Stands in the directory `next` from now on, if it is fit; takes the descriptor over. */
static bool stand_in(struct walk *walk, int next, const struct stat *info)
{
    if (walk->fd >= 0)
        close(walk->fd);
    walk->fd = next;
    return dkim_key_directory_judge(shown(walk), info, walk->reader, walk->problem);
}

static bool stand_at_root(struct walk *walk)
{
    struct stat info;
    walk->shown[0] = '\0';
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(walk);
    if (fstat(fd, &info) == 0)
        return stand_in(walk, fd, &info);
    close(fd);
    return fail_errno(walk);
}

static bool go_up(struct walk *walk)
{
    struct stat info;
    cut_last(walk);
    int fd = openat(walk->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &info) == 0)
        return stand_in(walk, fd, &info);
    fail_errno(walk);
    if (fd >= 0)
        close(fd);
    return false;
}

/* Takes the next name off the way; "" at its end. */
static bool next_name(struct walk *walk, char name[NAME_MAX + 1])
{
    size_t from = strspn(walk->rest, "/");
    size_t len = strcspn(walk->rest + from, "/");
    if (len > NAME_MAX)
        return fail(walk, "has no file of so long a name in it");
    memcpy(name, walk->rest + from, len);
    name[len] = '\0';
    from += len;
    from += strspn(walk->rest + from, "/");
    memmove(walk->rest, walk->rest + from, strlen(walk->rest + from) + 1);
    return true;
}

/* Puts what a link holds in front of the way. A link is its owner's to change in a sticky
 * directory. */
static bool follow(struct walk *walk, int link, const struct stat *info)
{
    char target[PATH_MAX], way[PATH_MAX];
    ssize_t len = readlinkat(link, "", target, sizeof(target) - 1);
    if (info->st_uid != 0 && info->st_uid != walk->reader->uid)
        return am_problem_set(walk->problem,
                              "%s is a link of user %lu, who could lead it elsewhere; mend it "
                              "with: chown -h root %s",
                              shown(walk), (unsigned long)info->st_uid, shown(walk));
    if (len <= 0 || ++walk->links > LINKS_MAX)
        return fail(walk, "is a link that leads nowhere");
    target[len] = '\0';
    if (snprintf(way, sizeof(way), "%s/%s", target, walk->rest) >= (int)sizeof(way))
        return fail(walk, "is a link that leads too far");
    strcpy(walk->rest, way);
    cut_last(walk);
    return target[0] != '/' || stand_at_root(walk);
}

/* Opens the file to be read. What was seen a moment ago may have been replaced: judged again. */
static int open_file(struct walk *walk, const char *name, const struct stat *seen,
                     struct stat *info)
{
    if (!dkim_key_file_judge(walk->shown, seen, walk->reader, walk->problem))
        return -1;
    int fd = openat(walk->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        fail_errno(walk);
        return -1;
    }
    if (fstat(fd, info) == 0 && dkim_key_file_judge(walk->shown, info, walk->reader, walk->problem))
        return fd;
    close(fd);
    return -1;
}

enum step { STEP_ON, STEP_FILE, STEP_FAILED };

/* Goes one name further. At the last one `*file` is the open file, or -1. */
static enum step go_down(struct walk *walk, const char *name, struct stat *info, int *file)
{
    struct stat seen;
    int next = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int error = errno;
    if (!append(walk, name) || next < 0 || fstat(next, &seen) != 0) {
        errno = next < 0 ? error : errno;
        fail_errno(walk);
        if (next >= 0)
            close(next);
        return STEP_FAILED;
    }
    if (S_ISDIR(seen.st_mode) && walk->rest[0] != '\0')
        return stand_in(walk, next, &seen) ? STEP_ON : STEP_FAILED;
    enum step step = STEP_FAILED;
    if (S_ISLNK(seen.st_mode)) {
        step = follow(walk, next, &seen) ? STEP_ON : STEP_FAILED;
    } else if (walk->rest[0] != '\0') {
        fail(walk, "is not a directory");
    } else {
        *file = open_file(walk, name, &seen, info);
        step = STEP_FILE;
    }
    close(next);
    return step;
}

static int walk_down(struct walk *walk, struct stat *info)
{
    char name[NAME_MAX + 1];
    enum step step = stand_at_root(walk) ? STEP_ON : STEP_FAILED;
    int file = -1;
    while (step == STEP_ON) {
        if (!next_name(walk, name))
            return -1;
        if (name[0] == '\0') {
            fail(walk, "is a directory, not a regular file; name the file with the key");
            return -1;
        }
        if (strcmp(name, "..") == 0)
            step = go_up(walk) ? STEP_ON : STEP_FAILED;
        else if (strcmp(name, ".") != 0)
            step = go_down(walk, name, info, &file);
    }
    return file;
}

int dkim_key_path_open(const char *path, const struct dkim_key_reader *reader, struct stat *info,
                       struct am_problem *problem)
{
    struct walk walk;
    if (path[0] != '/' || strlen(path) >= sizeof(walk.rest)) {
        am_problem_set(problem, "%s is no full path of a file", path);
        return -1;
    }
    walk = (struct walk){.reader = reader, .problem = problem, .fd = -1};
    strcpy(walk.rest, path);
    int file = walk_down(&walk, info);
    if (walk.fd >= 0)
        close(walk.fd);
    return file;
}
