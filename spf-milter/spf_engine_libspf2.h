#ifndef SPF_SPF_ENGINE_LIBSPF2_H
#define SPF_SPF_ENGINE_LIBSPF2_H

#include "spf-milter/spf.h"

/*
 * libspf2 behind our door and over our resolver: for comparison, never the
 * default. It gives no trace, and of our limits only the sum of all look-ups
 * and the time hold. The differential test lists where and why it differs.
 */
extern const struct spf_engine spf_engine_libspf2;

#endif
