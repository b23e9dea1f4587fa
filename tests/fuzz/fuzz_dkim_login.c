/* A map of logins: whatever it holds is read, broken rows are told, refusals have a reason. */
#include <stdint.h>
#include <stdlib.h>

#include "dkim-milter/dkim_login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *user, const char *sentence)
{
    if (user != NULL || strncmp(sentence, "map:", 4) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_span text = am_span_of((const char *)data, size);
    const struct dkim_login_complaints complaints = {take, NULL};
    const char *why_not, *login = am_arena_copy(arena, am_span_of(text.ptr, size > 8 ? 8 : size));
    struct dkim_login_map *map = dkim_login_map_parse(arena, "map", text, &complaints, NULL);
    struct dkim_login_request request = {DKIM_LOGIN_MAP, map, login, text, "never.example"};
    if (map == NULL || (!dkim_login_allows(&request, arena, &why_not) && why_not == NULL))
        abort();
    am_arena_free(arena);
    return 0;
}
