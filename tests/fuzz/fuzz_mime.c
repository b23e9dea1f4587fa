/* A message and its attachments: parts, names, archives, and the text in place of what is
 * dangerous. */
#include "contrib/attachment-milter/attachment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *kinds[] = {"exe", "vbs", "txt"};
    const struct am_strlist extensions = {kinds, 3};
    struct am_arena *arena = am_arena_new(65536, 0);
    struct attachment_rules rules = {.danger = am_danger_new(arena, &extensions),
                                     .contents = true,
                                     .archives = true,
                                     .nested = ATTACHMENT_LOOK,
                                     .unreadable = ATTACHMENT_REMOVE,
                                     .limits = {1 << 17, 1 << 16, 100, 10},
                                     .budget = {.entries = 100, .bytes = 1 << 20, .ratio = 100}};
    const char *text = (const char *)data;
    const char *end = size == 0 ? NULL : memmem(text, size, "\n\n", 2);
    size_t len = end == NULL ? 0 : (size_t)(end - text) + 1;
    struct am_span fields = am_span_of(text, len), body = am_span_of(text + len, size - len);
    struct attachment_report report;
    struct am_buf out;
    am_buf_init(&out, 0);
    if (attachment_look(&report, arena, &rules, fields, body))
        (void)!attachment_replace(&out, arena, &report, body, "ask us", "mx.example.org");
    am_buf_fini(&out);
    am_arena_free(arena);
    return 0;
}
