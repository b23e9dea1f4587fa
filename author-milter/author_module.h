#ifndef AUTHOR_AUTHOR_MODULE_H
#define AUTHOR_AUTHOR_MODULE_H

#include "common/milter/module.h"

/*
 * Who may write as whom, as a module: section "author". It reports no results: mail of this site's
 * users carries none.
 */
extern const struct am_module author_module;

#endif
