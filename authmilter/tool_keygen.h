#ifndef AUTHMILTER_TOOL_KEYGEN_H
#define AUTHMILTER_TOOL_KEYGEN_H

#include <sys/stat.h>

#include "dkim-milter/dkim_crypto.h"

/* New keys, as the commands that make some write and print them. */

/*
 * Writes a private key as PEM into a file that is not there yet, with mode 0600.
 *
 * owner: whose it becomes when root writes it; NULL: who writes it.
 * Returns: false with a sentence that names the file; no file is left behind then.
 * Blocking: writes a file.
 */
bool tool_key_save(const char *path, const struct dkim_private_key *key, const struct stat *owner,
                   struct am_problem *problem) AM_MUST_USE;

/* Prints a TXT record for a zone file in strings of 255 octets, in one line, and as name and value.
 */
void tool_key_print_record(const char *name, const char *record);

#endif
