#include "tests/scenarios/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void play_fail(struct play *play, const struct mta_script_line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("  %s:%u: ", play->scenario->path, line == NULL ? 0 : line->number);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    play->failures++;
}

static bool write_parts(const struct play *play, struct am_problem *problem)
{
    const struct scenario *scenario = play->scenario;
    bool ok = play_write_file(play, "conf", &scenario->config, problem) &&
              play_write_file(play, "zone", &scenario->zone, problem);
    for (size_t i = 0; ok && i < scenario->file_count; i++)
        ok = play_write_file(play, scenario->files[i].name, &scenario->files[i].text, problem);
    return ok;
}

static bool start(struct play *play, struct am_problem *problem)
{
    char program[512], conf[160], zone[160];
    if (!mta_daemon_prepare(&play->daemon, problem) || !write_parts(play, problem))
        return false;
    const char *name = play->scenario->program;
    const char *command = strchr(name, ' '); /* of "authmilter run" */
    snprintf(program, sizeof(program), "%s/%.*s", play->binary_dir,
             (int)(command == NULL ? strlen(name) : (size_t)(command - name)), name);
    snprintf(conf, sizeof(conf), "%s/conf", play->daemon.dir);
    const char *socket = play->daemon.socket;
    const char *id = "authres.authserv_id=mx.example.org";
    snprintf(zone, sizeof(zone), "dns.zone=%s/zone", play->daemon.dir);
    const char *argv[] = {program, command == NULL ? "-f" : command + 1,
                          "-f",    "-c",
                          conf,    "-s",
                          socket,  "-o",
                          zone,    "-o",
                          id,      NULL};
    return mta_daemon_start(&play->daemon, argv, problem);
}

/* Ends the program and looks at what it wrote. */
static void finish(struct play *play)
{
    mta_player_end(&play->player);
    if (!mta_daemon_stop(&play->daemon))
        play_fail(play, NULL, "%s did not end cleanly (status 0x%x)", play->scenario->program,
                  (unsigned)play->daemon.status);
    char *log = mta_daemon_read_log(&play->daemon);
    for (size_t i = 0; log != NULL && i < play->scenario->mail.count; i++)
        play_expect_log(play, &play->scenario->mail.lines[i], log);
    if (log == NULL)
        play_fail(play, NULL, "no log");
    else if (strstr(log, "Sanitizer") != NULL || strstr(log, "runtime error") != NULL)
        play_fail(play, NULL, "a sanitizer spoke up");
    if (play->failures > 0 && log != NULL)
        printf("  --- log\n%s  ---\n", log);
    free(log);
}

static void failed(void *user, const struct mta_script_line *line, const char *sentence)
{
    play_fail(user, line, "%s", sentence);
}

static bool prepare(void *user, const char *mail, struct am_buf *out, struct am_problem *problem)
{
    struct play *play = user;
    return sign_apply(&play->orders, mail, out, problem);
}

static void play_line(struct play *play, const struct mta_script_line *line)
{
    bool ours =
        strcmp(line->verb, "expect") == 0 ? play_expect(play, line) : play_event(play, line);
    if (!ours)
        mta_player_do(&play->player, line);
}

bool play_scenario(const struct scenario *scenario, const char *binary_dir)
{
    static const struct mta_player_hooks hooks = {.failed = failed, .prepare = prepare};
    struct play play = {.scenario = scenario, .binary_dir = binary_dir};
    struct am_problem problem = {""};
    play.player = (struct mta_player){.timeout_ms = 60000, .hooks = &hooks, .user = &play};
    if (start(&play, &problem)) {
        play.player.socket = play.daemon.socket;
        for (size_t i = 0; i < scenario->mail.count; i++)
            play_line(&play, &scenario->mail.lines[i]);
        finish(&play);
    } else {
        play_fail(&play, NULL, "%s", problem.text);
    }
    sign_forget(&play.orders);
    mta_daemon_discard(&play.daemon);
    return play.failures == 0;
}
