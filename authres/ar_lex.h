#ifndef AR_LEX_H
#define AR_LEX_H

#include "authres/ar_internal.h"

/*
 * A position in a field value being read. Every function below that can fail
 * returns false after noting what was expected where; the first failure stays.
 */
struct ar_lex {
    struct ar_header *header; /* owns the texts read */
    const char *text;
    size_t len, pos;
    struct ar_list *comments; /* where comments go, and as what */
    enum ar_place place;
    size_t property;
    bool skipped; /* the last ar_lex_cfws passed something */
    struct ar_parse_error error;
};

/* Notes a failure at `offset`. Returns: false. */
bool ar_lex_fail(struct ar_lex *lex, enum ar_status status, size_t offset, const char *expected);

/* Returns the next octet, -1 at the end. */
int ar_lex_peek(const struct ar_lex *lex);

/* Passes [CFWS] (RFC 5322 section 3.2.2), keeping its comments. */
bool ar_lex_cfws(struct ar_lex *lex);

/* Passes one octet, `expected` says which, and then [CFWS]. */
bool ar_lex_expect(struct ar_lex *lex, char octet, const char *expected);

/* Reads a Keyword; the text is a view into the value, not a copy. */
bool ar_lex_keyword(struct ar_lex *lex, struct ar_text *out, const char *expected);

/* Reads 1*DIGIT, at most nine of them. */
bool ar_lex_version(struct ar_lex *lex, long *out);

/* Reads a value: a token (with UTF-8 when `utf8`) or a quoted string, resolved. */
bool ar_lex_value(struct ar_lex *lex, bool utf8, struct ar_text *out, const char *expected);

/* Reads a pvalue without the CFWS around it (RFC 8601 section 2.2). */
bool ar_lex_pvalue(struct ar_lex *lex, struct ar_text *out);

#endif
