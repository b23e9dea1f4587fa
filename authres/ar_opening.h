#ifndef AR_OPENING_H
#define AR_OPENING_H

#include "authres/ar_lex.h"

/*
 * Reads what stands before the first result: [instance ";"] authserv-id [version]. A lenient
 * reader that finds no authserv-id leaves the position at the first result.
 */
bool ar_read_opening(struct ar_lex *lex, enum ar_kind kind);

#endif
