#include "common/milter/session.h"

#include <inttypes.h>
#include <stdarg.h>

void am_session_log(const struct am_session *session, enum am_log_level level, const char *format,
                    ...)
{
    const struct am_message *message = session->message;
    va_list args;

    if (!am_log_enabled(level))
        return;
    va_start(args, format);
    char *made = am_arena_vprintf(message == NULL ? session->arena : message->arena, format, args);
    va_end(args);
    const char *said = made == NULL ? "memory is short; the sentence is lost" : made;
    if (message != NULL && *message->info.queue_id != '\0')
        am_log(level, "%s: %s", message->info.queue_id, said);
    else
        am_log(level, "connection %" PRIu64 ": %s", session->info.id, said);
}
