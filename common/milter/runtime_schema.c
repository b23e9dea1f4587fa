#include "common/milter/runtime.h"

am_schema am_runtime_schema(struct am_arena *arena, const struct am_module *const *modules)
{
    size_t count = 0;
    while (am_runtime_sections[count] != NULL)
        count++;
    size_t common = count;
    for (const struct am_module *const *m = modules; *m != NULL; m++) {
        count += (*m)->options != NULL;
        for (const struct am_section *const *s = (*m)->extra_sections; s != NULL && *s != NULL; s++)
            count++;
    }
    const struct am_section **schema = am_arena_alloc(arena, (count + 1) * sizeof(*schema));
    if (schema == NULL)
        return NULL;

    size_t at = 0;
    for (; at < common; at++)
        schema[at] = am_runtime_sections[at];
    schema[0] = am_runtime_milter_section(arena, modules);
    if (schema[0] == NULL)
        return NULL;
    for (const struct am_module *const *m = modules; *m != NULL; m++) {
        if ((*m)->options != NULL) {
            struct am_section *section = am_arena_alloc(arena, sizeof(*section));
            if (section == NULL)
                return NULL;
            *section = (struct am_section){.name = (*m)->name,
                                           .help = (*m)->summary,
                                           .options = (*m)->options,
                                           .size = (*m)->conf_size};
            schema[at++] = section;
        }
        for (const struct am_section *const *s = (*m)->extra_sections; s != NULL && *s != NULL; s++)
            schema[at++] = *s;
    }
    return schema;
}
