#ifndef AUTH_AUTH_XTEXT_H
#define AUTH_AUTH_XTEXT_H

#include "common/base/arena.h"
#include "common/mail/address.h"

/*
 * Reads the value of the AUTH parameter of MAIL (RFC 4954 section 5): a mailbox as xtext (RFC 3461
 * section 4), in which "+2B" stands for "+".
 *
 * Returns: false for "<>" (nobody in particular), for text that is no xtext, or whose content is no
 *   mailbox with local part and domain, and when memory is short.
 * Ownership: `mailbox` is in `arena`. Threads: any.
 */
bool auth_xtext_mailbox(struct am_arena *arena, struct am_span text, struct am_span *mailbox);

#endif
