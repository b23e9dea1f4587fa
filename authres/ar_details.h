#ifndef AR_DETAILS_H
#define AR_DETAILS_H

#include "authres/ar_lex.h"

/* Reads [ CFWS reasonspec ] [ CFWS 1*propspec ], up to the next semicolon or the end. */
bool ar_read_details(struct ar_lex *lex, struct ar_result *result);

#endif
