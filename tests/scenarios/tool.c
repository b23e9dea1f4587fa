#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scenarios/play.h"
#include "authmilter/mta/text.h"

/* tool COMMAND [ARGUMENT]...: `authmilter COMMAND ...`, run in the directory of the run. */

static void run(const struct play *play, char *const *words, size_t count)
{
    char *argv[16] = {NULL};
    char program[4096];
    int out = open("/dev/null", O_RDONLY);

    if (chdir(play->daemon.dir) != 0 || out < 0)
        _exit(126);
    dup2(out, STDIN_FILENO);
    out = open("tool.out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0)
        _exit(126);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    snprintf(program, sizeof(program), "%s/authmilter", play->binary_dir);
    argv[0] = program;
    for (size_t i = 0; i < count && i < 14; i++)
        argv[i + 1] = words[i];
    execv(program, argv);
    _exit(127);
}

void play_tool(struct play *play, const struct mta_script_line *line, char *const *words,
               size_t count)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        run(play, words, count);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        play_fail(play, line, "the tool did not end by itself");
        return;
    }
    play->tool_status = WEXITSTATUS(status);
}

void play_expect_status(struct play *play, const struct mta_script_line *line, const char *text)
{
    if (play->tool_status != atoi(text))
        play_fail(play, line, "expected status %s, it is %d", text, play->tool_status);
}

void play_expect_output(struct play *play, const struct mta_script_line *line, const char *pattern)
{
    char path[256], buffer[8192];
    bool found = false;

    snprintf(path, sizeof(path), "%s/tool.out", play->daemon.dir);
    FILE *file = fopen(path, "r");
    while (file != NULL && !found && fgets(buffer, sizeof(buffer), file) != NULL) {
        buffer[strcspn(buffer, "\n")] = '\0';
        found = mta_text_matches(am_span_str(pattern), am_span_str(buffer));
    }
    if (file != NULL && !found) {
        play_fail(play, line, "no line of the output is %s", pattern);
        rewind(file);
        while (fgets(buffer, sizeof(buffer), file) != NULL)
            printf("  | %s", buffer);
    }
    if (file != NULL)
        fclose(file);
}
