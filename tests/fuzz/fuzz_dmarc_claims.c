/* Authentication-Results of others, and a List-Id: names are domain names, and none pushes a pass
 * out. */
#include <stdint.h>
#include <stdlib.h>

#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_list.h"
#include "dmarc-milter/dmarc_module_claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = {"mx.example.org"};
    struct am_arena *arena = am_arena_new(65536, 0);
    struct am_span text = am_span_of((const char *)data, size);
    struct dmarc_claims claims = {.dkim_count = 0};
    dmarc_claims_add_field(&claims, arena, text, ids, 1, size % 2 == 1);
    dmarc_claims_add_field(&claims, arena, text, ids, 1, false);
    for (size_t i = 0; i < claims.dkim_count; i++) {
        const char *name = claims.dkim[i].domain;
        bool later_pass = i > 0 && claims.dkim[i].proof == DMARC_PROOF_PASS;
        if ((*name != '\0' && !am_domain_is_valid(am_span_str(name))) ||
            (later_pass && claims.dkim[i - 1].proof != DMARC_PROOF_PASS))
            abort();
    }
    dmarc_list_id(arena, text);
    am_arena_free(arena);
    return 0;
}
