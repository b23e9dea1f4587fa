#include "tests/scenarios/play.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* write NAME, and the lines behind it: the file is there anew, and the program has reloaded. */
static void do_write(struct play *play, const struct mta_script_line *line)
{
    struct am_problem problem = {""};
    if (!play_write_file(play, line->text, &line->block, &problem))
        play_fail(play, line, "%s", problem.text);
    else if (!play_wait_log(play, "reloaded changed files", ++play->reloads))
        play_fail(play, line, "the program does not reload");
}

/* put NAME, and the lines behind it: the file is there anew, at once and as a whole. */
static void do_put(struct play *play, const struct mta_script_line *line)
{
    char beside[200], from[300], to[300];
    struct am_problem problem = {""};
    snprintf(beside, sizeof(beside), "%.190s.new", line->text);
    snprintf(from, sizeof(from), "%s/%s", play->daemon.dir, beside);
    snprintf(to, sizeof(to), "%s/%.190s", play->daemon.dir, line->text);
    if (!play_write_file(play, beside, &line->block, &problem))
        play_fail(play, line, "%s", problem.text);
    else if (rename(from, to) != 0)
        play_fail(play, line, "%s cannot be replaced", to);
}

/* reload, and the lines behind it: another configuration, which the program is told to read. */
static void do_reload(struct play *play, const struct mta_script_line *line)
{
    struct am_problem problem = {""};
    if (!play_write_file(play, "conf", &line->block, &problem))
        play_fail(play, line, "%s", problem.text);
    mta_daemon_signal(&play->daemon, SIGHUP);
    if (!play_wait_log(play, "reloaded the configuration", ++play->reconfigurations))
        play_fail(play, line, "the program does not reload");
}

/* Sockets come one after the other: waits at most 20 s for this one. */
static bool await_socket(const char *path)
{
    for (int i = 0; i < 400; i++) {
        if (access(path, F_OK) == 0)
            return true;
        usleep(50000);
    }
    return false;
}

/* socket NAME: the next clients come there. */
static void do_socket(struct play *play, const struct mta_script_line *line)
{
    snprintf(play->socket, sizeof(play->socket), "unix:%s/%.150s", play->daemon.dir, line->text);
    play->player.socket = play->socket;
    if (!await_socket(play->socket + strlen("unix:")))
        play_fail(play, line, "there is no such socket");
}

/* What takes a line as it is. */
static const struct {
    const char *verb;
    void (*run)(struct play *play, const struct mta_script_line *line);
} whole[] = {{"write", do_write}, {"put", do_put}, {"reload", do_reload}, {"socket", do_socket}};

/* sign KEY [TAG]..., alter OLD NEW, tool COMMAND... */
static bool do_words(struct play *play, const struct mta_script_line *line)
{
    struct am_problem problem = {""};
    struct mta_words words;
    bool tool = strcmp(line->verb, "tool") == 0;
    if (!tool && strcmp(line->verb, "sign") != 0 && strcmp(line->verb, "alter") != 0)
        return false;
    if (!mta_words_of(&words, line->text))
        play_fail(play, line, "unknown escape or too many words");
    else if (tool)
        play_tool(play, line, words.items, words.count);
    else if (!sign_note(&play->orders, line->verb, words.items, words.count, &problem))
        play_fail(play, line, "%s", problem.text);
    mta_words_fini(&words);
    return true;
}

bool play_event(struct play *play, const struct mta_script_line *line)
{
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        if (strcmp(line->verb, whole[i].verb) == 0) {
            whole[i].run(play, line);
            return true;
        }
    }
    if (strcmp(line->verb, "wait-log") == 0) {
        if (!play_wait_log(play, line->text, 1))
            play_fail(play, line, "the log does not come to hold %s", line->text);
        return true;
    }
    return do_words(play, line);
}
