#ifndef AUTHMILTER_CHECK_MAPS_H
#define AUTHMILTER_CHECK_MAPS_H

#include "authmilter/check_program.h"

/*
 * Tries the servers that author-milter asks about addresses.
 * Blocking: at most about map.timeout for each.
 */
void check_maps(const struct check_programs *programs, struct check_findings *findings);

#endif
