#include "common/base/config_internal.h"

/* Keeps one option as it runs; counts and names it when the new file wants another value. */
static size_t keep_option(struct am_config *target, const struct am_section *section,
                          const struct am_option *row, const void *running, void *wanted,
                          struct am_buf *changed)
{
    if ((row->flags & AM_OPTION_START_ONLY) == 0 || am_option_equal(row, running, wanted))
        return 0;
    am_buf_printf(changed, "%s%s.%s", changed->len > 0 ? ", " : "", section->name, row->name);
    if (!am_option_copy(row, running, wanted, target->arena))
        am_buf_add_str(changed, " (not kept: memory is short)");
    return 1;
}

size_t am_config_keep_start_only(struct am_config *target, const struct am_config *running,
                                 struct am_buf *changed)
{
    size_t count = 0;

    for (size_t i = 0; i < target->slot_count; i++) {
        struct am_config_slot *slot = &target->slots[i];
        const void *values = am_config_section(running, slot->section->name);
        if (slot->section->repeated || values == NULL)
            continue;
        for (const struct am_option *row = slot->section->options; row->name != NULL; row++)
            count += keep_option(target, slot->section, row, values, slot->items[0], changed);
    }
    return count;
}

/* FNV-1a, 64 bits. */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* Adds a text and its NUL, so that the border between two texts counts. */
static uint64_t add_text(uint64_t digest, const char *text)
{
    do {
        digest ^= (unsigned char)*text;
        digest *= FNV_PRIME;
    } while (*text++ != '\0');
    return digest;
}

static uint64_t add_values(uint64_t digest, const struct am_section *section, const void *values,
                           struct am_buf *text)
{
    if (section->repeated)
        digest = add_text(digest, *(const char *const *)values);
    for (const struct am_option *row = section->options; row->name != NULL; row++) {
        struct am_option open = *row;
        open.flags &= ~(unsigned)AM_OPTION_SECRET; /* two secrets are two digests */
        am_buf_clear(text);
        am_option_print(&open, values, text);
        digest = add_text(digest, row->name);
        digest = add_text(digest, text->failed ? "?" : am_buf_str(text));
    }
    return digest;
}

uint64_t am_config_digest(const struct am_config *config, const char *section)
{
    uint64_t digest = FNV_START;
    struct am_buf text;

    am_buf_init(&text, 0);
    for (size_t i = 0; i < config->slot_count; i++) {
        const struct am_config_slot *slot = &config->slots[i];
        if (section != NULL && strcmp(section, slot->section->name) != 0)
            continue;
        digest = add_text(digest, slot->section->name);
        for (size_t j = 0; j < slot->count; j++)
            digest = add_values(digest, slot->section, slot->items[j], &text);
    }
    am_buf_fini(&text);
    return digest;
}
