/* What an MTA sends, as a stream of packets into a session. */
#include "common/milter/native_session.h"
#include "tests/fuzz/native_runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool drop(void *user, struct am_buf *out)
{
    am_buf_clear(out);
    return user == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct am_native_shared shared;
    struct am_span rest = am_span_of((const char *)data, size);
    struct am_native_session session;
    struct am_native_packet packet;

    if (shared.runtime == NULL)
        shared.runtime = fuzz_runtime();
    am_native_session_init(&session, &shared, NULL, &(struct am_native_sink){drop, NULL});
    while (am_native_packet_take(&rest, &packet) == AM_NATIVE_TAKEN &&
           am_native_session_packet(&session, &packet) && drop(NULL, &session.out))
        continue;
    am_native_session_fini(&session);
    return 0;
}
