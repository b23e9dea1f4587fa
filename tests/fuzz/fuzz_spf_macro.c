/* A macro string, as domain-spec and as explanation; the lines after the first are the local part.
 */
#include <stdlib.h>

#include "spf-milter/spf_check.h"
#include "spf-milter/spf_macro.h"
#include "tests/fuzz/spf_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_arena *arena = am_arena_new(65536, 8 << 20);
    struct am_span all = am_span_of((const char *)data, size);
    struct am_span spec = am_span_of(all.ptr, am_span_find(all, '\n'));
    struct spf_name name, domain = {"d.example", 9};
    struct spf_request request = fuzz_spf_request();
    unsigned flags;
    request.sender.local = am_span_of(all.ptr + spec.len, size - spec.len);
    request.sender.domain = request.helo;
    struct spf_check *check = spf_check_start(arena, &request);
    if (spf_macro_check(spec, SPF_MACRO_IN_DOMAIN, &flags) &&
        spf_macro_expand_domain(check, spec, flags, &domain, &name) && name.len > SPF_NAME_MAX &&
        am_span_find(spf_name_span(&name), '.') < name.len)
        abort();
    const char *text = spf_macro_expand_explanation(check, spec, 512, &domain);
    if (text != NULL && strlen(text) > 512)
        abort();
    am_arena_free(arena);
    return 0;
}
