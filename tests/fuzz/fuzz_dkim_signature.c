/* A signature field; nothing but names of domains and identities without controls comes out. */
#include <stdlib.h>

#include "common/mail/domain.h"
#include "dkim-milter/dkim_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(4096, 8 << 20);
    struct dkim_signature sig;
    struct am_span text = am_span_of((const char *)data, size);
    enum dkim_reason reason = dkim_signature_parse(&sig, arena, text);
    bool complete = sig.ascii_domain != NULL && sig.ascii_selector != NULL && sig.name_count > 0 &&
                    sig.signature.len > 0 && sig.signature_text.len > 0;
    if (reason == DKIM_REASON_NONE && !complete)
        abort();
    if (sig.ascii_domain != NULL && !am_domain_is_multi_label(am_span_str(sig.ascii_domain)))
        abort();
    if (sig.signature_raw.len > size || sig.name_count > size || (sig.has_expiry && sig.expiry < 0))
        abort();
    for (size_t i = 0; i < sig.identity.len; i++)
        if ((unsigned char)sig.identity.ptr[i] < ' ' || sig.identity.ptr[i] == 0x7f)
            abort();
    am_arena_free(arena);
    return 0;
}
