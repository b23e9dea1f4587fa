#ifndef DKIM_DKIM_MODULE_MANAGED_H
#define DKIM_DKIM_MODULE_MANAGED_H

#include "common/milter/module.h"
#include "dkim-milter/dkim_options.h"
#include "dkim-milter/dkim_rotor.h"

/*
 * Opens the managed keys of a configuration: those of the former one when nothing about them has
 * changed. They are watched from now on, unless the configuration is only checked.
 *
 * former: or NULL. Returns: one reference, or NULL with a sentence. Blocking: reads files.
 */
struct dkim_rotor *dkim_managed_open(const struct dkim_conf *conf, const struct am_conf_env *env,
                                     struct dkim_rotor *former,
                                     struct am_problem *problem) AM_MUST_USE;

#endif
