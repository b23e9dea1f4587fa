#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "authmilter/report_mail.h"
#include "common/base/clock.h"

/* What is taken of what sendmail says. */
#define SAID_MAX 300

/* --- its files --- */

static int mail_file(struct am_span mail)
{
    int fd = memfd_create("report", MFD_CLOEXEC);

    while (fd >= 0 && mail.len > 0) {
        ssize_t n = write(fd, mail.ptr, mail.len);

        if (n < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        if (n > 0)
            mail = am_span_of(mail.ptr + n, mail.len - (size_t)n);
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

/* The first words of what it said, in one line. */
static void read_said(int fd, char said[SAID_MAX])
{
    ssize_t n = pread(fd, said, SAID_MAX - 1, 0);

    said[n < 0 ? 0 : n] = '\0';
    said[strcspn(said, "\r\n")] = '\0';
}

/* --- running --- */

/* In the child: never returns. */
static _Noreturn void become(const char *sendmail, char *const *words, int in, int out)
{
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0) {
        (void)close_range(3, ~0U, 0);
        execv(sendmail, words);
    }
    dprintf(2, "%s\n", strerror(errno));
    _exit(127);
}

/* Waits for the child, woken by SIGCHLD, which is blocked. Returns its status, or -1 in time. */
static int wait_for(pid_t pid)
{
    const struct am_clock *clock = am_clock_system();
    int64_t until_us = am_deadline_in_ms(clock, REPORT_MAIL_WAIT_S * 1000);
    sigset_t child;
    int status;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        int64_t left_us = until_us - am_clock_now_us(clock);
        if (left_us <= 0)
            break;
        const struct timespec left = {left_us / 1000000, left_us % 1000000 * 1000};
        (void)sigtimedwait(&child, NULL, &left);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    return -1;
}

static bool run(const char *sendmail, char *const *words, int in, int out,
                struct am_problem *problem)
{
    char said[SAID_MAX];
    sigset_t child, former;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, &former);
    pid_t pid = fork();
    if (pid == 0)
        become(sendmail, words, in, out);
    int status = pid < 0 ? -1 : wait_for(pid);
    (void)sigprocmask(SIG_SETMASK, &former, NULL);
    if (pid < 0)
        return am_problem_set(problem, "no process can be made: %s", strerror(errno));
    if (status == 0)
        return true;
    read_said(out, said);
    if (status == -1)
        return am_problem_set(problem, "%s has not ended after %d seconds", sendmail,
                              REPORT_MAIL_WAIT_S);
    if (WIFSIGNALED(status))
        return am_problem_set(problem, "%s ended by signal %d", sendmail, WTERMSIG(status));
    if (WEXITSTATUS(status) == 127)
        return am_problem_set(problem, "%s cannot be run: %s", sendmail, said);
    return am_problem_set(problem, "%s ended with status %d%s%s", sendmail, WEXITSTATUS(status),
                          said[0] == '\0' ? "" : ": ", said);
}

bool report_mail_send(const char *sendmail, const char *sender, const char *const *recipients,
                      size_t recipient_count, struct am_span mail, struct am_problem *problem)
{
    const char **words = calloc(recipient_count + 6, sizeof(*words));
    int in = mail_file(mail), out = memfd_create("said", MFD_CLOEXEC);
    size_t count = 0;
    bool good = false;

    if (words == NULL || in < 0 || out < 0) {
        am_problem_set(problem, "out of memory");
    } else {
        words[count++] = sendmail;
        words[count++] = "-i";
        words[count++] = "-f";
        words[count++] = sender;
        words[count++] = "--";
        for (size_t i = 0; i < recipient_count; i++)
            words[count++] = recipients[i];
        /* execv() changes none of them. */
        good = run(sendmail, (char *const *)(void *)words, in, out, problem);
    }
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    free(words);
    return good;
}
