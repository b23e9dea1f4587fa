#ifndef DKIM_DKIM_ENGINES_H
#define DKIM_DKIM_ENGINES_H

#include "dkim-milter/dkim_verify.h"

/*
 * The engines of this build; ends with NULL. One of dkim_engines_own.c and
 * dkim_engines_peer.c defines it, as the build was configured.
 */
extern const struct dkim_engine *const dkim_engines[];

#endif
