#include "common/base/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Marks the cut without splitting a UTF-8 sequence. */
static void mark_cut(char *text, size_t size)
{
    static const char mark[] = "[...]";
    size_t at = size - sizeof(mark);

    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    memcpy(text + at, mark, sizeof(mark));
}

bool am_problem_set(struct am_problem *problem, const char *format, ...)
{
    va_list args;
    int len;

    if (problem == NULL)
        return false;
    va_start(args, format);
    len = vsnprintf(problem->text, sizeof(problem->text), format, args);
    va_end(args);
    if (len < 0)
        problem->text[0] = '\0';
    else if ((size_t)len >= sizeof(problem->text))
        mark_cut(problem->text, sizeof(problem->text));
    for (char *p = problem->text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
    return false;
}
