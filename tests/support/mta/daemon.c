#include "tests/support/mta/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "authmilter/mta/wire.h"

enum { START_MS = 20000, STOP_MS = 20000, STEP_MS = 10, ARGS_MAX = 64 };

static void pause_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L};
    nanosleep(&time, NULL);
}

bool mta_daemon_prepare(struct mta_daemon *daemon, struct am_problem *problem)
{
    *daemon = (struct mta_daemon){0};
    const char *base = getenv("TMPDIR");
    snprintf(daemon->dir, sizeof(daemon->dir), "%s/authmilter-XXXXXX",
             base == NULL || strlen(base) > 32 ? P_tmpdir : base);
    if (mkdtemp(daemon->dir) == NULL)
        return am_problem_set(problem, "mkdtemp: %s", strerror(errno));
    /* The program may give up root; it must still reach its files. */
    if (chmod(daemon->dir, 0755) < 0)
        return am_problem_set(problem, "chmod: %s", strerror(errno));
    snprintf(daemon->socket, sizeof(daemon->socket), "unix:%s/s", daemon->dir);
    snprintf(daemon->log, sizeof(daemon->log), "%s/log", daemon->dir);
    return true;
}

/*
 * Programs of the suite, told by -f (behind the name of a command, too), are run with the transport
 * that AUTHMILTER_TRANSPORT names, so that every test can be run with each. Returns `argv` when
 * there is nothing to add.
 */
static const char *const *with_transport(const char *const *argv, char *option, size_t room,
                                         const char **longer)
{
    const char *name = getenv("AUTHMILTER_TRANSPORT");
    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    if (name == NULL || *name == '\0' || count < 3 || count > ARGS_MAX - 3 ||
        (strcmp(argv[1], "-f") != 0 && strcmp(argv[2], "-f") != 0))
        return argv;
    snprintf(option, room, "milter.transport=%s", name);
    memcpy(longer, argv, count * sizeof(*longer));
    longer[count] = "-o";
    longer[count + 1] = option;
    longer[count + 2] = NULL;
    return longer;
}

static void run_child(const struct mta_daemon *daemon, const char *const *argv)
{
    int out = open(daemon->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int in = open("/dev/null", O_RDONLY);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    /* Whatever becomes of the test, nothing stays behind. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char option[64];
    const char *longer[ARGS_MAX];
    argv = with_transport(argv, option, sizeof(option), longer);
    char **args = NULL;
    memcpy(&args, &argv, sizeof(args)); /* execvp() takes char *const[] but changes nothing */
    execvp(args[0], args);
    dprintf(2, "cannot run %s: %s\n", args[0], strerror(errno));
    _exit(127);
}

static bool has_ended(struct mta_daemon *daemon)
{
    struct rusage usage;
    if (daemon->pid == 0)
        return true;
    if (wait4(daemon->pid, &daemon->status, WNOHANG, &usage) != daemon->pid)
        return false;
    daemon->pid = 0;
    daemon->cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L +
                     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    return true;
}

bool mta_daemon_start(struct mta_daemon *daemon, const char *const *argv,
                      struct am_problem *problem)
{
    daemon->pid = fork();
    if (daemon->pid < 0) {
        daemon->pid = 0;
        return am_problem_set(problem, "fork: %s", strerror(errno));
    }
    if (daemon->pid == 0)
        run_child(daemon, argv);

    for (int waited = 0; waited < START_MS; waited += STEP_MS) {
        struct mta_wire wire;
        if (mta_wire_open(&wire, daemon->socket, 1000, NULL)) {
            mta_wire_close(&wire);
            return true;
        }
        if (has_ended(daemon)) {
            char *words = mta_daemon_read_log(daemon);
            am_problem_set(problem, "%s ended at its start: %s", argv[0],
                           words == NULL ? "" : words);
            free(words);
            return false;
        }
        pause_ms(STEP_MS);
    }
    mta_daemon_signal(daemon, SIGKILL);
    mta_daemon_wait(daemon, 1000);
    return am_problem_set(problem, "%s does not serve %s after 20 s", argv[0], daemon->socket);
}

void mta_daemon_signal(const struct mta_daemon *daemon, int number)
{
    if (daemon->pid > 0)
        kill(daemon->pid, number);
}

bool mta_daemon_wait(struct mta_daemon *daemon, int timeout_ms)
{
    for (int waited = 0; waited < timeout_ms; waited += STEP_MS) {
        if (has_ended(daemon))
            return true;
        pause_ms(STEP_MS);
    }
    mta_daemon_signal(daemon, SIGKILL);
    for (int waited = 0; !has_ended(daemon) && waited < STOP_MS; waited += STEP_MS)
        pause_ms(STEP_MS);
    return false;
}

bool mta_daemon_stop(struct mta_daemon *daemon)
{
    if (daemon->pid == 0)
        return false;
    mta_daemon_signal(daemon, SIGTERM);
    /* libmilter looks at its stop flag every five seconds, or when somebody connects. */
    for (int waited = 0; waited < START_MS && !has_ended(daemon); waited += STEP_MS) {
        struct mta_wire wire;
        pause_ms(STEP_MS);
        if (mta_wire_open(&wire, daemon->socket, 1000, NULL))
            mta_wire_close(&wire);
    }
    return mta_daemon_wait(daemon, STOP_MS) && WIFEXITED(daemon->status) &&
           WEXITSTATUS(daemon->status) == 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void mta_daemon_discard(struct mta_daemon *daemon)
{
    if (daemon->pid > 0) {
        mta_daemon_signal(daemon, SIGKILL);
        mta_daemon_wait(daemon, STOP_MS);
    }
    if (daemon->dir[0] != '\0')
        (void)nftw(daemon->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    daemon->dir[0] = '\0';
}

char *mta_daemon_read_log(const struct mta_daemon *daemon)
{
    return mta_read_file(daemon->log);
}

long mta_process_figure(pid_t pid, const char *name)
{
    char path[64], line[256];
    long value = -1;
    size_t len = strlen(name);
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, len) == 0 && line[len] == ':')
            value = strtol(line + len + 1, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return value;
}

long mta_process_descriptors(pid_t pid)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

long mta_process_cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return -1;
    return used.tv_sec * 1000000L + used.tv_nsec / 1000;
}

bool mta_write_file(const char *path, const char *text, struct am_problem *problem)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return am_problem_set(problem, "%s: %s", path, strerror(errno));
    bool ok = fputs(text, file) >= 0;
    ok = fclose(file) == 0 && ok;
    return ok || am_problem_set(problem, "%s: %s", path, strerror(errno));
}

char *mta_read_file(const char *path)
{
    struct am_buf text;
    char chunk[8192];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    am_buf_init(&text, 0);
    for (size_t got; (got = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        am_buf_add(&text, am_span_of(chunk, got));
    fclose(file);
    char *copy = text.failed ? NULL : strdup(am_buf_str(&text));
    am_buf_fini(&text);
    return copy;
}
