#ifndef SPF_SPF_ENGINE_LIBSPF2_H
#define SPF_SPF_ENGINE_LIBSPF2_H

#include "spf-milter/spf.h"

/*
 * libspf2 behind our door, over our resolver and with our budgets: for
 * comparison, never the default. It has no trace, no void limit, and no
 * limit of ours but the number of look-ups; the differential test lists where it differs.
 */
extern const struct spf_engine spf_engine_libspf2;

#endif
