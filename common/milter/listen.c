#include "common/milter/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/privilege.h"

/* The group of the programs that connect, on Debian and most other systems. */
#define POSTFIX_GROUP "postfix"

static struct sockaddr_un unix_sockaddr(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return address;
}

static void directory_of(const char *path, char directory[PATH_MAX])
{
    snprintf(directory, PATH_MAX, "%s", path);
    char *slash = strrchr(directory, '/');
    slash[slash == directory ? 1 : 0] = '\0';
}

/* --- who may use the socket --- */

/*
 * Finds the ids. With group "auto" a missing group or right is no error: `*gid` stays -1 then, and
 * the one who started us decides by the directory (set-group-id) or with socket_group.
 */
static bool resolve_access(const struct am_listen_access *access, uid_t *uid, gid_t *gid,
                           struct am_problem *problem)
{
    *uid = (uid_t)-1;
    *gid = (gid_t)-1;
    if (access->owner[0] != '\0' && !am_user_find(access->owner, uid, NULL, problem))
        return false;
    if (strcmp(access->group, "auto") == 0) {
        if (geteuid() == 0 && !am_group_find(POSTFIX_GROUP, gid, NULL))
            *gid = (gid_t)-1;
        return true;
    }
    return access->group[0] == '\0' || am_group_find(access->group, gid, problem);
}

static bool make_directory(const struct am_listen_access *access, const char *directory,
                           struct am_problem *problem)
{
    uid_t uid;
    gid_t gid;
    if (!resolve_access(access, &uid, &gid, problem))
        return false;
    /* Set-group-id: a socket made here later, without privileges, gets the group as well. */
    if (mkdir(directory, 0700) != 0)
        return am_problem_set(problem, "cannot make the socket's directory %s: %s", directory,
                              strerror(errno));
    if (access->run_uid != (uid_t)-1)
        uid = access->run_uid;
    mode_t mode = gid == (gid_t)-1 ? 0755 : 02750;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool good = fd >= 0 && fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!good) {
        rmdir(directory);
        return am_problem_set(problem, "cannot set owner and mode of %s: %s", directory,
                              strerror(error));
    }
    am_log(AM_LOG_NOTICE, "made the directory %s for the socket", directory);
    return true;
}

static int open_directory(const struct am_listen *self, const char *directory,
                          struct am_problem *problem)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if (!make_directory(&self->access, directory, problem))
            return -1;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0 && errno == EACCES) /* may be searched, not read: no lock then */
        return -2;
    if (fd < 0)
        am_problem_set(problem, "cannot open the socket's directory %s: %s", directory,
                       strerror(errno));
    return fd;
}

/* --- the remains of a former process --- */

/* Tells by connecting whether somebody serves at `path`; 0 = nobody, else an errno (0 < e). */
static int probe(const char *path)
{
    struct sockaddr_un address = unix_sockaddr(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int error = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? EADDRINUSE : errno;
    close(fd);
    if (error == EAGAIN) /* its queue is full: somebody is there */
        return EADDRINUSE;
    return error == ECONNREFUSED || error == ENOENT ? 0 : error;
}

static bool clear_path(const char *path, struct am_problem *problem)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return true;
        return am_problem_set(problem, "cannot look at %s: %s", path, strerror(errno));
    }
    if (!S_ISSOCK(status.st_mode))
        return am_problem_set(
            problem, "%s exists and is not a socket; remove it or choose another path", path);
    int error = probe(path);
    if (error == EADDRINUSE)
        return am_problem_set(problem,
                              "another process serves on %s already; stop it or choose another "
                              "socket",
                              path);
    if (error != 0)
        return am_problem_set(problem, "cannot tell whether the socket %s is in use: %s", path,
                              strerror(error));
    if (unlink(path) != 0 && errno != ENOENT)
        return am_problem_set(problem, "cannot remove the stale socket %s: %s", path,
                              strerror(errno));
    am_log(AM_LOG_NOTICE, "removed the stale socket %s", path);
    return true;
}

/* libmilter says only to syslog why it could not bind: find out before. */
static bool may_make_socket(const char *directory, struct am_problem *problem)
{
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0)
        return true;
    int error = errno;
    const struct passwd *user = getpwuid(geteuid());
    return am_problem_set(problem, "user %s cannot make a socket in %s: %s",
                          user == NULL ? "without a name" : user->pw_name, directory,
                          strerror(error));
}

static bool prepare_unix(struct am_listen *self, struct am_problem *problem)
{
    char directory[PATH_MAX];
    uid_t uid;
    gid_t gid;
    if (!resolve_access(&self->access, &uid, &gid,
                        problem)) /* a misspelt name is told before anything is made */
        return false;
    directory_of(self->address.path, directory);
    int fd = open_directory(self, directory, problem);
    if (fd == -1)
        return false;
    if (!may_make_socket(directory, problem)) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (fd >= 0) {
        if (flock(fd, LOCK_EX) == 0)
            self->directory_fd = fd;
        else
            close(fd);
    }
    if (!clear_path(self->address.path, problem)) {
        if (self->directory_fd >= 0)
            close(self->directory_fd);
        self->directory_fd = -1;
        return false;
    }
    /* Born 0600: nobody connects before owner and mode are right. */
    self->former_umask = umask(0177);
    return true;
}

/* --- ports --- */

/* As above, for ports. */
static bool try_bind(const struct addrinfo *info, const struct am_listen_address *address,
                     struct am_problem *problem)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, 1) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (good)
        return true;
    const char *host = address->host[0] == '\0' ? "every address" : address->host;
    if (error == EADDRINUSE)
        return am_problem_set(problem,
                              "port %u on %s is in use by another process; stop it or choose "
                              "another port",
                              address->port, host);
    return am_problem_set(problem, "cannot listen on port %u on %s: %s", address->port, host,
                          strerror(error));
}

static bool prepare_inet(const struct am_listen_address *address, struct am_problem *problem)
{
    struct addrinfo hints = {
        .ai_family = address->kind == AM_LISTEN_INET6 ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    char port[8];
    snprintf(port, sizeof(port), "%u", address->port);
    struct addrinfo *found = NULL;
    int error = getaddrinfo(address->host[0] == '\0' ? NULL : address->host, port, &hints, &found);
    if (error != 0)
        return am_problem_set(problem, "cannot find the %s address of \"%s\": %s",
                              address->kind == AM_LISTEN_INET6 ? "IPv6" : "IPv4", address->host,
                              gai_strerror(error));
    bool good = try_bind(found, address, problem);
    freeaddrinfo(found);
    return good;
}

/* --- the public part --- */

bool am_listen_prepare(struct am_listen *self, const struct am_listen_address *address,
                       const struct am_listen_access *access, struct am_problem *problem)
{
    memset(self, 0, sizeof(*self));
    self->address = *address;
    self->access = *access;
    self->directory_fd = -1;
    return address->kind == AM_LISTEN_UNIX ? prepare_unix(self, problem)
                                           : prepare_inet(address, problem);
}

/*
 * Owner and mode go to the very object that was looked at, not to a name: the directory may belong
 * to the user we are about to become, who could put a link in the socket's place meanwhile.
 */
static bool change_access(const struct am_listen *self, int fd, uid_t uid, gid_t gid,
                          const struct stat *status, struct am_problem *problem)
{
    char itself[32];
    const char *path = self->address.path;
    bool differs =
        (uid != (uid_t)-1 && uid != status->st_uid) || (gid != (gid_t)-1 && gid != status->st_gid);
    if (differs && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0) {
        bool owner = uid != (uid_t)-1 && uid != status->st_uid;
        return am_problem_set(problem, "cannot give the socket %s to %s \"%s\": %s%s", path,
                              owner ? "user" : "group",
                              owner ? self->access.owner : self->access.group, strerror(errno),
                              errno != EPERM ? ""
                              : owner        ? "; only root can"
                                             : "; only root or a member of the group can");
    }
    snprintf(itself, sizeof(itself), "/proc/self/fd/%d", fd);
    if (chmod(itself, self->access.mode) != 0)
        return am_problem_set(problem, "cannot set mode %04o of the socket %s: %s",
                              (unsigned)self->access.mode, path, strerror(errno));
    return true;
}

static bool give_access(struct am_listen *self, struct am_problem *problem)
{
    uid_t uid;
    gid_t gid;
    struct stat status;
    int fd = open(self->address.path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        if (fd >= 0)
            close(fd);
        return am_problem_set(problem, "the socket %s went away", self->address.path);
    }
    self->device = status.st_dev;
    self->inode = status.st_ino;
    bool good = resolve_access(&self->access, &uid, &gid, problem) &&
                change_access(self, fd, uid, gid, &status, problem);
    close(fd);
    return good;
}

bool am_listen_finish(struct am_listen *self, bool opened, struct am_problem *problem)
{
    if (self->address.kind != AM_LISTEN_UNIX)
        return true;
    umask(self->former_umask);
    bool good = !opened || give_access(self, problem);
    if (self->directory_fd >= 0)
        close(self->directory_fd);
    self->directory_fd = -1;
    if (!good)
        am_listen_remove(self);
    return good;
}

void am_listen_remove(const struct am_listen *self)
{
    struct stat status;
    if (self->address.kind == AM_LISTEN_UNIX && self->inode != 0 &&
        lstat(self->address.path, &status) == 0 && status.st_dev == self->device &&
        status.st_ino == self->inode)
        (void)unlink(self->address.path);
}

int am_listen_open_unix(struct am_listen *self, const char *path,
                        const struct am_listen_access *access, struct am_problem *problem)
{
    struct am_listen_address address = {.kind = AM_LISTEN_UNIX};
    if (strlen(path) >= sizeof(address.path) || path[0] != '/') {
        am_problem_set(problem, "\"%s\" is no absolute path of at most %zu bytes", path,
                       sizeof(address.path) - 1);
        return -1;
    }
    memcpy(address.path, path, strlen(path) + 1);
    if (!am_listen_prepare(self, &address, access, problem))
        return -1;

    struct sockaddr_un name = unix_sockaddr(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool opened =
        fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(fd, 16) == 0;
    if (!opened)
        am_problem_set(problem, "cannot open the socket %s: %s", path, strerror(errno));
    if (!am_listen_finish(self, opened, problem) || !opened) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}
