#include "authmilter/check_reach.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS_MAX 64
#define CONNECT_MS 3000

/* What a process says that could not become Postfix' user in its folder; no errno. */
#define NOT_CALLER 255

/* Postfix' user. */
struct caller {
    const char *name;
    uid_t uid;
    gid_t groups[GROUPS_MAX]; /* the primary one first */
    int group_count;
};

static const char *queue_of(const struct check_meeting *meeting)
{
    return check_postfix_value(meeting->postfix, NULL, "queue_directory");
}

const char *check_reach_path(const struct check_meeting *meeting)
{
    const char *path = meeting->milter->path;

    if (path == NULL || (path[0] == '/' && !meeting->chrooted))
        return path;
    return am_arena_printf(meeting->postfix->arena, "%s%s%s", queue_of(meeting),
                           path[0] == '/' ? "" : "/", path);
}

static bool find_caller(const struct check_meeting *meeting, struct caller *caller)
{
    const char *name = check_postfix_value(meeting->postfix, NULL, "mail_owner");
    const struct passwd *entry = getpwnam(name);

    if (entry == NULL)
        return false;
    *caller = (struct caller){.name = name, .uid = entry->pw_uid, .group_count = GROUPS_MAX};
    if (getgrouplist(name, entry->pw_gid, caller->groups, &caller->group_count) < 0)
        caller->group_count = GROUPS_MAX;
    return true;
}

/* --- what can be seen of the way --- */

static bool may(const struct caller *caller, const struct stat *info, mode_t bit)
{
    if (info->st_uid == caller->uid)
        return (info->st_mode & bit << 6) != 0;
    for (int i = 0; i < caller->group_count; i++)
        if (caller->groups[i] == info->st_gid)
            return (info->st_mode & bit << 3) != 0;
    return (info->st_mode & bit) != 0;
}

static void blame(const struct check_meeting *meeting, const struct caller *caller,
                  const char *path, bool is_socket, struct check_findings *findings)
{
    const struct group *group = getgrgid(caller->groups[0]);
    const char *name = group == NULL ? caller->name : group->gr_name;

    if (is_socket) {
        check_found(findings, CHECK_MILTER_ACCESS, meeting->place,
                    "user %s may not write to the socket %s; its group and mode come from "
                    "milter.socket_group and milter.socket_mode",
                    caller->name, path);
        check_mend(findings, "chgrp %s %s && chmod 0660 %s", name, path, path);
    } else {
        check_found(findings, CHECK_MILTER_ACCESS, meeting->place,
                    "user %s may not enter the folder %s, on the way to %s", caller->name, path,
                    check_reach_path(meeting));
        check_mend(findings, "chgrp %s %s && chmod g+x %s", name, path, path);
    }
}

/* Finds the part of the path that stops the caller. Returns false when none can be seen to. */
static bool find_obstacle(const struct check_meeting *meeting, const struct caller *caller,
                          struct check_findings *findings)
{
    const char *path = check_reach_path(meeting);
    /* A chrooted service, or a relative path, begins at the queue directory. */
    size_t from = path == meeting->milter->path ? 0 : strlen(queue_of(meeting));
    struct stat info;

    for (size_t at = from; path[at] != '\0';) {
        at += 1 + strcspn(path + at + 1, "/");
        char *part = am_arena_copy(meeting->postfix->arena, am_span_of(path, at));
        if (part == NULL || stat(part, &info) != 0)
            return false;
        bool is_socket = path[at] == '\0';
        if (!may(caller, &info, is_socket ? S_IWOTH : S_IXOTH)) {
            blame(meeting, caller, part, is_socket, findings);
            return true;
        }
    }
    return false;
}

/* --- trying it --- */

static int wait_for_connection(int fd)
{
    struct pollfd polled = {fd, POLLOUT, 0};
    int error = 0;
    socklen_t len = sizeof(error);

    if (poll(&polled, 1, CONNECT_MS) != 1)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static int connect_to(int family, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, address, len) != 0)
        error = errno == EINPROGRESS ? wait_for_connection(fd) : errno;
    close(fd);
    return error;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        return ENAMETOOLONG;
    strcpy(address.sun_path, path);
    return connect_to(AF_UNIX, (const struct sockaddr *)&address, sizeof(address));
}

/* In a process of its own: becomes what smtpd is, and connects. Returns errno. */
static int connect_as(const struct check_meeting *meeting, const struct caller *caller)
{
    const char *path = meeting->milter->path;

    if (chdir(queue_of(meeting)) != 0 || (meeting->chrooted && chroot(".") != 0) ||
        setgroups((size_t)caller->group_count, caller->groups) != 0 ||
        setresgid(caller->groups[0], caller->groups[0], caller->groups[0]) != 0 ||
        setresuid(caller->uid, caller->uid, caller->uid) != 0)
        return NOT_CALLER;
    return connect_unix(path);
}

static int try_unix(const struct check_meeting *meeting, const struct caller *caller)
{
    pid_t pid = fork();
    int status;

    if (pid < 0)
        return errno;
    if (pid == 0)
        _exit(connect_as(meeting, caller));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int try_inet(const struct check_milter *milter, const char **why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all;
    int code = getaddrinfo(milter->host, milter->port, &hints, &all), error = ENOENT;

    if (code != 0) {
        *why = gai_strerror(code);
        return EIO;
    }
    for (const struct addrinfo *one = all; one != NULL && error != 0; one = one->ai_next)
        error = connect_to(one->ai_family, one->ai_addr, one->ai_addrlen);
    freeaddrinfo(all);
    return error;
}

/* --- what follows --- */

static const char *start_command(const struct check_meeting *meeting)
{
    const char *command = am_arena_printf(meeting->postfix->arena, "systemctl start %s",
                                          meeting->program == NULL ? "MILTER" : meeting->program);

    return command == NULL ? "" : command;
}

static void judge_error(const struct check_meeting *meeting, const struct caller *caller, int error,
                        const char *why, struct check_findings *findings)
{
    const struct check_milter *milter = meeting->milter;

    if (error == 0) {
        check_found(findings, CHECK_MILTER_OK, meeting->place, "%s answers to user %s%s",
                    milter->text, caller->name, meeting->chrooted ? ", in its chroot" : "");
    } else if (error == EACCES && find_obstacle(meeting, caller, findings)) {
        return;
    } else if (error == ENOENT && milter->path != NULL) {
        check_found(findings, CHECK_MILTER_NO_SOCKET, meeting->place,
                    "%s: there is no socket %s as seen from outside of Postfix", milter->text,
                    check_reach_path(meeting));
        check_mend(findings, "%s", start_command(meeting));
    } else if (error == ECONNREFUSED && milter->path != NULL) {
        check_found(findings, CHECK_MILTER_STALE_SOCKET, meeting->place,
                    "nobody serves on %s: the socket is left from a run that has ended",
                    check_reach_path(meeting));
        check_mend(findings, "%s", start_command(meeting));
    } else {
        check_found(findings, CHECK_MILTER_UNREACHABLE, meeting->place, "%s: %s", milter->text,
                    why != NULL ? why : strerror(error));
        check_mend(findings, "%s", start_command(meeting));
    }
}

static void judge_untried(const struct check_meeting *meeting, const struct caller *caller,
                          struct check_findings *findings)
{
    struct stat info;

    if (find_obstacle(meeting, caller, findings))
        return;
    if (stat(check_reach_path(meeting), &info) != 0 && errno == ENOENT) {
        judge_error(meeting, caller, ENOENT, NULL, findings);
        return;
    }
    check_found(findings, CHECK_MILTER_NOT_TRIED, meeting->place,
                "%s was not tried as user %s: that needs root", meeting->milter->text,
                caller->name);
    check_mend(findings, "run this command as root");
}

void check_reach(const struct check_meeting *meeting, struct check_findings *findings)
{
    struct caller caller;
    const char *why = NULL;

    if (!find_caller(meeting, &caller)) {
        check_found(findings, CHECK_MILTER_UNREACHABLE, meeting->place,
                    "there is no user \"%s\" (mail_owner)",
                    check_postfix_value(meeting->postfix, NULL, "mail_owner"));
        check_mend(findings, "postfix set-permissions");
    } else if (meeting->milter->path == NULL) {
        int error = try_inet(meeting->milter, &why);
        judge_error(meeting, &caller, error, why, findings);
    } else if (check_reach_path(meeting) == NULL) {
        findings->failed = true;
    } else if (geteuid() != 0) {
        judge_untried(meeting, &caller, findings);
    } else {
        int error = try_unix(meeting, &caller);
        if (error == NOT_CALLER)
            why = "the queue directory cannot be entered, or its user cannot be taken on";
        judge_error(meeting, &caller, error, why, findings);
    }
}
