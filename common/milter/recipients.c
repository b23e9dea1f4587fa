#include "common/milter/recipients.h"

bool am_recipients_add(struct am_recipients *recipients, struct am_arena *arena,
                       const struct am_address *address, bool exempt)
{
    if (exempt) {
        recipients->any_exempt = true;
        return true;
    }
    if (recipients->kept == AM_RECIPIENTS_MAX) {
        recipients->any_unknown = true;
        return true;
    }
    struct am_recipient *recipient = am_arena_alloc(arena, sizeof(*recipient));
    const char *text = am_arena_copy(arena, address->full);
    if (recipient == NULL || text == NULL)
        return false;
    am_address_parse(&recipient->address, am_span_str(text));
    recipient->next = recipients->first;
    recipients->first = recipient;
    recipients->kept++;
    return true;
}
