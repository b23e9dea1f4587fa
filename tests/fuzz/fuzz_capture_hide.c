/* A local part and a text, a NUL between them: hidden, no word of the one is left in the other, and
 * the replay knows the text again. */
#include <stdlib.h>
#include <string.h>

#include "common/milter/capture_hide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(4096, (size_t)64 << 20);
    const char *local = am_arena_copy(arena, am_span_of((const char *)data, size));
    size_t len = strlen(local);
    const char *text = len < size ? local + len + 1 : "";
    const char *hidden = am_capture_hide_words(arena, text, local);

    if (hidden == NULL || strlen(hidden) > strlen(text) || !am_capture_hidden_equals(hidden, text))
        abort();
    /* Done once it is done. */
    const char *again = am_capture_hide_words(arena, hidden, local);
    if (again == NULL || strcmp(again, hidden) != 0)
        abort();
    if (am_capture_hide_text(arena, text) == NULL || am_capture_hide_address(arena, text) == NULL)
        abort();
    am_arena_free(arena);
    return 0;
}
