#ifndef DKIM_DKIM_ROTATION_STORE_H
#define DKIM_DKIM_ROTATION_STORE_H

#include "common/base/arena.h"
#include "dkim-milter/dkim_rotation.h"

/*
 * Where the states of managed keys are kept: DIR/DOMAIN/state.N, N counting up, beside the keys
 * DIR/DOMAIN/SELECTOR.pem.
 *
 * A generation is never changed. The next one is written under another name and linked to its
 * number, which fails if another machine has been faster: whoever loses reads again and decides
 * anew. So no lock is needed, and any file system with atomic link(2) will do, NFS included.
 */

/*
 * Reads the newest states that can be read.
 *
 * folder: of the domain. out->generation: the highest number there is, even if its file is torn; 0
 *   without any.
 * note: empty, or a sentence about a newer file that could not be used.
 * Returns: false with a sentence in `note` when the folder cannot be read, or files are there and
 *   none can be used. Blocking: reads files.
 */
bool dkim_store_read(const char *folder, struct dkim_rotation_domain *out,
                     struct am_problem *note) AM_MUST_USE;

enum dkim_store_result {
    DKIM_STORE_WRITTEN,
    DKIM_STORE_CONFLICT, /* another one has written the same generation: read again */
    DKIM_STORE_FAILED,   /* with a sentence */
};

/*
 * Writes the states as the generation after domain->generation, which it becomes, and removes old
 * ones. The file belongs to the folder's owner.
 * Blocking: writes a file and waits until it is on the disk.
 */
enum dkim_store_result dkim_store_write(const char *folder, struct dkim_rotation_domain *domain,
                                        struct am_problem *problem) AM_MUST_USE;

/* Names in a folder. */
struct dkim_store_names {
    const char **items;
    size_t count;
};

/*
 * Lists the domains of a managed directory: the folders that are named as one, in order.
 * Returns: false with a sentence. Ownership: `arena`. Blocking: reads a directory.
 */
bool dkim_store_domains(struct am_arena *arena, const char *directory, struct dkim_store_names *out,
                        struct am_problem *problem) AM_MUST_USE;

/* Lists the selectors that have a key file in a domain's folder, in the same way. */
bool dkim_store_selectors(struct am_arena *arena, const char *folder, struct dkim_store_names *out,
                          struct am_problem *problem) AM_MUST_USE;

#endif
