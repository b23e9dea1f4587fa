#ifndef DKIM_DKIM_ENGINE_LIBOPENDKIM_H
#define DKIM_DKIM_ENGINE_LIBOPENDKIM_H

#include "dkim-milter/dkim_verify.h"

/*
 * libopendkim behind our door and over our resolver: for comparison, never the default.
 *
 * Signatures from strangers make the library touch memory that is not its own, so it lives in
 * a process of its own (dkim_peer_worker.c), one for each message under way; idle ones are kept
 * for the next message. When one dies or falls silent, the signatures of its message are
 * temperror with DKIM_REASON_ENGINE, and the next message gets a new one.
 *
 * Unlike the contract of struct dkim_engine says, start() and body() block when the worker is
 * slower than the mail, and key look-ups start in finish(), one after the other, since the library
 * asks for them so. What a report says about d=, s=, i= and a= comes from our own parser.
 */
extern const struct dkim_engine dkim_engine_libopendkim;

/* Returns how many workers died or fell silent so far. Threads: any. */
unsigned long dkim_engine_libopendkim_failures(void);

#endif
