#ifndef DKIM_DKIM_KEY_LOAD_H
#define DKIM_DKIM_KEY_LOAD_H

#include "dkim-milter/dkim_key_file.h"
#include "dkim-milter/dkim_key_path.h"

/*
 * Reads a key file after dkim_key_path_open() found it fit. The octets are wiped from memory.
 *
 * path: absolute.
 * Returns: the key, or NULL with a sentence that names the file or what is on its way, and how to
 *   mend it. Ownership: freed with dkim_private_key_free(). Blocking: reads a file.
 */
struct dkim_private_key *dkim_key_load(const char *path, const struct dkim_key_reader *reader,
                                       struct am_problem *problem) AM_MUST_USE;

#endif
