#ifndef AR_LEX_H
#define AR_LEX_H

#include "authres/ar_internal.h"

#define AR_NOWHERE SIZE_MAX

/*
 * A position in a field value being read. Every function below that can fail
 * returns false after noting what was expected where; the first failure stays.
 * A lenient reader (see ar_lenient.h) fails in fewer cases.
 */
struct ar_lex {
    struct ar_header *header; /* owns the texts read */
    const char *text;
    size_t len, pos;
    struct ar_list *comments; /* where comments go, and as what */
    enum ar_place place;
    size_t property;
    struct ar_list early; /* comments read before their result exists */
    size_t blank_end;     /* where the last CFWS ended that was not empty */
    size_t none_at;       /* the first "none", or AR_NOWHERE */
    bool lenient;
    size_t run_end; /* where the last run forgiven ended */
    struct ar_parse_error error;
};

/* Notes a failure at `offset`. Returns: false. */
bool ar_lex_fail(struct ar_lex *lex, enum ar_status status, size_t offset, const char *expected);

/* Returns the next octet, -1 at the end. */
static inline int ar_lex_peek(const struct ar_lex *lex)
{
    return lex->pos < lex->len ? (unsigned char)lex->text[lex->pos] : -1;
}

/* Tells whether no blank or comment stands directly before the position. */
bool ar_lex_is_adjacent(const struct ar_lex *lex);

/* Passes one character of a quoted string or comment, or a fold. */
bool ar_lex_character(struct ar_lex *lex);

/* Passes octets of the given classes and, when `utf8`, well-formed UTF-8. */
bool ar_lex_run(struct ar_lex *lex, unsigned classes, bool utf8);

/* Passes [CFWS] (RFC 5322 section 3.2.2), keeping its comments. */
bool ar_lex_cfws(struct ar_lex *lex);

/* Passes one octet, `expected` says which, and then [CFWS]. */
bool ar_lex_expect(struct ar_lex *lex, char octet, const char *expected);

/* Passes a quoted string, both quotes included; `*end` is where its content ends. */
bool ar_lex_quoted(struct ar_lex *lex, size_t *end);

/* Copies a part of the value without its folds and, if wanted, without its escapes. */
bool ar_lex_keep(struct ar_lex *lex, size_t start, size_t end, bool resolve, struct ar_text *out);

/*
 * Reads a Keyword; the text is a view into the value, not a copy. A lenient reader takes
 * octets of `classes` too.
 */
bool ar_lex_name(struct ar_lex *lex, unsigned classes, struct ar_text *out, const char *expected);

/* Reads 1*DIGIT, at most nine of them. */
bool ar_lex_version(struct ar_lex *lex, long *out);

/* Reads an authserv-id: a token, with UTF-8 (RFC 8601 section 2.2), or a quoted string. */
bool ar_lex_id(struct ar_lex *lex, struct ar_text *out, const char *expected);

/* Reads a reason: a token or a quoted string. */
bool ar_lex_reason(struct ar_lex *lex, struct ar_text *out);

/* Reads a pvalue without the CFWS around it (RFC 8601 section 2.2). */
bool ar_lex_pvalue(struct ar_lex *lex, struct ar_text *out);

#endif
