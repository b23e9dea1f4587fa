#ifndef SPF_SPF_ENGINES_H
#define SPF_SPF_ENGINES_H

#include "spf-milter/spf.h"

/*
 * The engines of this build; ends with NULL. One of spf_engines_own.c and
 * spf_engines_peer.c defines it, as the build was configured.
 */
extern const struct spf_engine *const spf_engines[];

#endif
