#include "dkim-milter/dkim_peer_pool.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* A worker that takes or says nothing for so long has failed. */
#define SILENCE_MAX_S 30

#define IDLE_MAX 64

/* The engine interface has no place for what outlives a message, and a process for each message
 * would cost more than the message. */
static struct {
    pthread_mutex_t lock;
    size_t count;
    struct dkim_peer_worker idle[IDLE_MAX];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A new process with `fd` as its input and none of our other files. */
static bool spawn(pid_t *pid, int fd)
{
    static char program[] = DKIM_PEER_WORKER;
    char *const argv[] = {program, NULL};
    char *const environment[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;

    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    sigemptyset(&none);
    bool good =
        posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) == 0 &&
        posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO) == 0 &&
        /* what its heap has to say when it is torn */
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1) == 0 &&
        posix_spawn(pid, program, &files, &attributes, argv, environment) == 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return good;
}

static bool start(struct dkim_peer_worker *worker)
{
    const struct timeval silence = {.tv_sec = SILENCE_MAX_S};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    bool good = setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) == 0 &&
                setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof(silence)) == 0 &&
                spawn(&worker->pid, ends[1]);
    close(ends[1]);
    worker->fd = ends[0];
    if (!good) {
        close(ends[0]);
        worker->pid = 0;
    }
    return good;
}

bool dkim_peer_pool_take(struct dkim_peer_worker *worker)
{
    bool found = false;

    pthread_mutex_lock(&pool.lock);
    if (pool.count > 0) {
        *worker = pool.idle[--pool.count];
        found = true;
    }
    pthread_mutex_unlock(&pool.lock);
    return found || start(worker);
}

void dkim_peer_pool_give(struct dkim_peer_worker *worker)
{
    bool kept = false;

    pthread_mutex_lock(&pool.lock);
    if (pool.count < IDLE_MAX) {
        pool.idle[pool.count++] = *worker;
        kept = true;
    }
    pthread_mutex_unlock(&pool.lock);
    if (!kept)
        dkim_peer_pool_kill(worker);
    worker->pid = 0;
}

void dkim_peer_pool_kill(struct dkim_peer_worker *worker)
{
    close(worker->fd);
    kill(worker->pid, SIGKILL);
    waitpid(worker->pid, NULL, 0);
    worker->pid = 0;
}
