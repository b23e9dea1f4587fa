#include "common/milter/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Wakes libmilter's listener out of its five-second poll(). */
#define WAKE_SIGNAL SIGUSR2

static atomic_bool waiter_caught;

/*
 * libmilter's signal thread is the only caller of sigwait() in our programs. The definition in the
 * program comes before libc's, so that thread ends up here and waits for ever, and HUP, TERM and
 * INT stay pending until signalfd delivers them. Nothing weaker is reliable: with two waiters, or
 * with a handler beside the waiter, the kernel may wake either when two signals come close
 * together.
 */
int sigwait(const sigset_t *set, int *signal_number)
{
    sigset_t all;
    (void)set, (void)signal_number;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    atomic_store(&waiter_caught, true);
    for (;;)
        pause();
}

bool am_signals_are_ours(void)
{
    return atomic_load(&waiter_caught);
}

static void our_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

static void do_nothing(int signal_number)
{
    (void)signal_number;
}

void am_signals_block(void)
{
    sigset_t set;
    our_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);

    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    struct sigaction wake = {.sa_handler = do_nothing};
    sigaction(WAKE_SIGNAL, &wake, NULL);
}

int am_signals_open(struct am_problem *problem)
{
    sigset_t set;
    our_set(&set);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        am_problem_set(problem, "cannot receive signals: %s", strerror(errno));
    return fd;
}

int am_signals_next(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

void am_signals_interrupt(pthread_t thread)
{
    (void)pthread_kill(thread, WAKE_SIGNAL);
}
