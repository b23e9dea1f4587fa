#ifndef AUTHMILTER_CHECK_MANAGED_H
#define AUTHMILTER_CHECK_MANAGED_H

#include "authmilter/check_program.h"
#include "dkim-milter/dkim_key_path.h"

/*
 * Reads the managed keys of a program and says what is wrong with their files and states. Those
 * that are active, or retired and still to be found in the DNS, go into program->managed, to be
 * compared with it.
 *
 * Ownership: the arena of the findings. Blocking: reads files.
 */
void check_managed_open(struct check_program *program, const struct dkim_key_reader *reader,
                        struct check_findings *findings);

/* Tells whether a managed key signs for a domain. */
bool check_managed_signs(const struct check_program *program, const char *domain);

#endif
