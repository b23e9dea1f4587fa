#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/wait.h>

#include "tests/unit/authmilter/program.h"

char program_output[65536];
size_t program_output_len;

int program_run(const char *before, const char *arguments)
{
    char command[4096];
    int len =
        snprintf(command, sizeof(command), "%s %s %s 2>&1", before, AUTHMILTER_PROGRAM, arguments);

    assert_true(len > 0 && (size_t)len < sizeof(command));
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    program_output_len = fread(program_output, 1, sizeof(program_output) - 1, pipe);
    program_output[program_output_len] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
