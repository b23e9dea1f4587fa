#ifndef AR_CHARS_H
#define AR_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Character classes and small productions of RFC 8601, shared by writer and reader. */

enum {
    AR_C_KEYWORD = 1, /* letters, digits, hyphen: Keyword of RFC 5321 */
    AR_C_TOKEN = 2,   /* token of RFC 2045 section 5.1 */
    AR_C_ATEXT = 4,   /* atext of RFC 5322 section 3.2.3 */
    AR_C_DIGIT = 8,
    AR_C_ALNUM = 16,
    AR_C_BLANK = 32, /* space and tab */
    AR_C_WORD = 64,  /* all visible ones but ; ( ) ": what a lenient reader takes for one word */
    AR_C_NAME = 128  /* token without the dot: what it takes for a name */
};

/* One set of the classes above per octet. */
extern const unsigned char ar_char_table[256];

/* Tells whether octet `c` is in one of the `classes`. */
static inline bool ar_is(unsigned char c, unsigned classes)
{
    return (ar_char_table[c] & classes) != 0;
}

/* Tells whether a character is a control character; the tab counts as a blank. */
static inline bool ar_is_control(uint32_t code)
{
    return (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0);
}

/* Returns the octet with ASCII capitals made small. */
static inline unsigned char ar_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* Tells whether a character is a blank, a line end or a space of Unicode. */
static inline bool ar_is_space(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 || code == 0xa0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

/*
 * Reads one character of well-formed UTF-8 (RFC 3629) from at least one octet.
 *
 * Returns: its length in octets, 0 when it is malformed.
 */
size_t ar_utf8_read(const char *ptr, size_t len, uint32_t *code);

/* Tells whether the text is a Keyword: not empty, no hyphen at its end. */
bool ar_is_keyword(const char *ptr, size_t len);

/* Tells whether the text is the NUL-terminated `word`, letter case of both ignored. */
bool ar_keyword_is(const char *ptr, size_t len, const char *word);

/* Tells whether the text is an RFC 2045 token. */
bool ar_is_token(const char *ptr, size_t len);

/*
 * Tells whether a text can stand inside a quoted string or comment: blanks, tabs and
 * visible characters; UTF-8 without C1 controls when `utf8`.
 */
bool ar_is_text(const char *ptr, size_t len, bool utf8);

/* Tells whether the text is a domain-name: two labels or more (RFC 6376 section 3.5), U-labels too.
 */
bool ar_is_domain(const char *ptr, size_t len);

/* Tells whether the text is a dot-atom or a complete quoted string: a local part. */
bool ar_is_local_part(const char *ptr, size_t len);

/*
 * Tells whether a value may stand as a pvalue without being quoted as a whole: a
 * token, a domain name, or an address with or without local part.
 */
bool ar_is_plain_pvalue(const char *ptr, size_t len);

/*
 * Tells whether a value should be written so: it may, and has no space beyond ASCII in it. The
 * grammar allows such a space outside quotes, but many a program ends the value there.
 */
bool ar_is_best_plain(const char *ptr, size_t len);

#endif
