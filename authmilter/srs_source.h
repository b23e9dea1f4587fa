#ifndef AUTHMILTER_SRS_SOURCE_H
#define AUTHMILTER_SRS_SOURCE_H

#include "common/milter/runtime.h"
#include "srs-milter/srs_options.h"

/* What srs-milter would do: its configuration, or that of "authmilter run", read for the commands.
 */

#define SRS_SOURCE_USUAL "/etc/authmilter/srs-milter.conf"

/*
 * Loads a configuration with its secrets.
 *
 * path: NULL: the usual one.
 * Returns: NULL with a sentence, also where srs.domain is empty. Ownership: the caller drops it.
 * Blocking: reads the files.
 */
struct am_runtime *srs_source_load(const char *path, struct am_problem *problem) AM_MUST_USE;

/* Returns what the module made of it. */
const struct srs_derived *srs_source_derived(const struct am_runtime *runtime);

#endif
