#ifndef AM_TESTS_MIME_SAMPLE_H
#define AM_TESTS_MIME_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/buf.h"

/* A message of the corpus: its header up to the first empty line (LF), and its body. */
struct sample {
    struct am_buf text;
    struct am_span fields, body;
};

/* Reads a message; fails the test when it is not there. */
static inline void sample_read(struct sample *sample, const char *name)
{
    char path[512], chunk[4096];
    snprintf(path, sizeof(path), "%s/%s", SAMPLES, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("no sample %s", path);
    am_buf_init(&sample->text, 0);
    for (size_t got; (got = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        am_buf_add(&sample->text, am_span_of(chunk, got));
    fclose(file);
    struct am_span all = am_buf_span(&sample->text);
    const char *end = memmem(all.ptr, all.len, "\n\n", 2);
    size_t len = end == NULL ? 0 : (size_t)(end - all.ptr) + 1;
    sample->fields = am_span_of(all.ptr, len);
    sample->body = am_span_of(all.ptr + len + 1, all.len - len - 1);
}

#endif
