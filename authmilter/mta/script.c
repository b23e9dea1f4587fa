#include "authmilter/mta/script.h"

#include <stdlib.h>
#include <string.h>

#include "authmilter/mta/text.h"

static bool add_to_block(struct mta_script *script, unsigned number, const char *line,
                         struct am_problem *problem)
{
    if (script->count == 0)
        return am_problem_set(problem, "line %u: '|' belongs to no line before it", number);
    struct am_buf *block = &script->lines[script->count - 1].block;
    am_buf_add_str(block, line[1] == ' ' ? line + 2 : line + 1);
    am_buf_add_char(block, '\n');
    return !block->failed || am_problem_set(problem, "out of memory");
}

bool mta_script_add(struct mta_script *script, unsigned number, const char *line,
                    struct am_problem *problem)
{
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (line[0] == '|')
        return add_to_block(script, number, line, problem);
    if (script->count == MTA_SCRIPT_LINES_MAX)
        return am_problem_set(problem, "line %u: more than %d lines", number, MTA_SCRIPT_LINES_MAX);
    struct mta_script_line *lines = reallocarray(script->lines, script->count + 1, sizeof(*lines));
    if (lines == NULL)
        return am_problem_set(problem, "out of memory");
    script->lines = lines;
    struct mta_script_line *last = &lines[script->count++];
    size_t verb_len = strcspn(line, " ");
    const char *text = line + verb_len;
    *last = (struct mta_script_line){.number = number,
                                     .verb = strndup(line, verb_len),
                                     .text = strdup(text + strspn(text, " \t"))};
    am_buf_init(&last->block, 0);
    return (last->verb != NULL && last->text != NULL) || am_problem_set(problem, "out of memory");
}

bool mta_script_read(struct mta_script *script, struct am_span text, struct am_problem *problem)
{
    if (text.len > MTA_SCRIPT_MAX)
        return am_problem_set(problem, "more than %zu bytes", MTA_SCRIPT_MAX);
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)
        return am_problem_set(problem, "a NUL byte: write \\x00");
    bool ok = true;
    for (unsigned number = 1; ok && text.len > 0; number++) {
        size_t len = am_span_find(text, '\n');
        size_t bare = len > 0 && len < text.len && text.ptr[len - 1] == '\r' ? len - 1 : len;
        char *line = strndup(text.ptr, bare);
        ok = line == NULL ? am_problem_set(problem, "out of memory")
                          : mta_script_add(script, number, line, problem);
        free(line);
        len += len < text.len;
        text = am_span_of(text.ptr + len, text.len - len);
    }
    return ok;
}

void mta_script_fini(struct mta_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        free(script->lines[i].verb);
        free(script->lines[i].text);
        am_buf_fini(&script->lines[i].block);
    }
    free(script->lines);
    *script = (struct mta_script){0};
}

bool mta_words_of(struct mta_words *words, const char *text)
{
    *words = (struct mta_words){.count = 0};
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        char *raw = strndup(text, len), *item = NULL;
        struct am_buf word;
        am_buf_init(&word, MTA_TEXT_MAX);
        if (words->count < sizeof(words->items) / sizeof(words->items[0]) && raw != NULL &&
            mta_text_unescape(&word, raw) && !word.failed)
            item = strdup(am_buf_str(&word));
        am_buf_fini(&word);
        free(raw);
        if (item == NULL)
            return false;
        words->items[words->count++] = item;
        text += len + strspn(text + len, " ");
    }
    return true;
}

void mta_words_fini(struct mta_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    words->count = 0;
}

const char *mta_word(const struct mta_words *words, size_t index, const char *fallback)
{
    return index < words->count ? words->items[index] : fallback;
}
