#ifndef AUTHRES_H
#define AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * authres: reads and writes Authentication-Results header fields (RFC 8601).
 * Needs the C library only.
 *
 * One header is one `struct ar_header`: filled by the ar_header_set and
 * ar_header_add functions and turned into text by ar_header_format, or filled
 * by ar_header_parse and looked at through the accessors.
 *
 *     struct ar_header *h = ar_header_new(NULL);
 *     char *text;
 *     if (h != NULL && ar_header_set_id(h, "mx.example.org", 14) == AR_OK &&
 *         ar_header_add_result(h, "spf", "pass") == AR_OK &&
 *         ar_header_add_property(h, "smtp", "mailfrom", from, from_len) == AR_OK &&
 *         ar_header_format(h, NULL, &text, NULL) == AR_OK) {
 *         printf("Authentication-Results: %s\n", text);
 *         ar_free(NULL, text);
 *     }
 *     ar_header_free(h);
 *
 * What is written parses back to the same values, and no value can break out
 * of the field: what the grammar cannot carry is refused, never altered.
 *
 * Threads: no global state. Different headers may be used by different threads
 * at once; one header by one thread at a time, except that any number may read
 * a header that nobody changes. Nothing here blocks.
 */

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Longest authserv-id in octets; longer ones could not stand in one line with the field's name. */
#define AR_ID_MAX 900

/* Longest field value ar_header_parse looks at, in octets. */
#define AR_PARSE_MAX (256 * 1024)

/* Most octets of a line that a mail may have, without its line end (RFC 5322 section 2.1.1). */
#define AR_LINE_MAX 998

/* How a call ended. The numbers are part of the binary interface. */
enum ar_status {
    AR_OK = 0,
    AR_NO_MEMORY, /* the allocator gave nothing */
    AR_BAD_TOKEN, /* a method, result, ptype or property name is no Keyword */
    AR_BAD_VALUE, /* a text holds octets that a field cannot carry */
    AR_TOO_LONG,  /* a line, an id or a field would be or is longer than its limit */
    AR_NO_RESULT, /* a reason, property or comment without a result to belong to */
    AR_SYNTAX,    /* the text read breaks the grammar */
    AR_NO_ID      /* a header without authserv-id cannot be written */
};

/*
 * Where memory comes from. `free` may be NULL when the memory belongs to an
 * arena. The struct is copied; `user` must live as long as the header.
 */
struct ar_allocator {
    void *(*alloc)(void *user, size_t size); /* aligned as malloc does; NULL when there is none */
    void (*free)(void *user, void *ptr);
    void *user;
};

/* Octets that a header owns. A NUL follows the last one; `ptr` is NULL when there is no such text.
 */
struct ar_text {
    const char *ptr;
    size_t len;
};

/* How ar_header_format lays the text out. A zero (or NULL) member takes its default. */
struct ar_format {
    const char *newline; /* "\n" (default) or "\r\n"; a blank always follows it */
    size_t width;        /* most columns wanted in a line; 78 */
    size_t max_line;     /* most columns allowed in a line; 998, never more */
    size_t
        name_len; /* columns before the value in its first line: name, colon, blank; no default */
};

/* Why ar_header_parse refused a text. */
struct ar_parse_error {
    enum ar_status status; /* AR_SYNTAX, AR_TOO_LONG or AR_NO_MEMORY */
    size_t offset;         /* octets before the place where reading stopped */
    const char *expected;  /* what could have stood there, in words; static */
};

/* What a comment follows (or, for the two AR_BEFORE values, precedes). */
enum ar_place {
    AR_BEFORE_ID,
    AR_AFTER_ID,
    AR_AFTER_VERSION,
    AR_AFTER_NONE, /* after the word "none" of a header without results */
    AR_BEFORE_METHOD,
    AR_AFTER_RESULT, /* after the result word, or between method and result word */
    AR_AFTER_REASON,
    AR_AFTER_PROPERTY
};

/* A header field; one result of it; a property of a result; a comment. */
struct ar_header;
struct ar_result;
struct ar_property;
struct ar_comment;

/* Returns a short English text for a status; static, never NULL. */
const char *ar_status_text(enum ar_status status);

/*
 * Gives back memory that came from `allocator`, for example a text made by
 * ar_header_format. NULL as allocator means malloc's; NULL as `ptr` is allowed.
 */
void ar_free(const struct ar_allocator *allocator, void *ptr);

/*
 * Makes an empty header. NULL as allocator means malloc and free.
 *
 * Returns: NULL when there is no memory.
 * Ownership: the caller frees it with ar_header_free.
 */
struct ar_header *ar_header_new(const struct ar_allocator *allocator);

/* Frees a header and everything that its accessors have given out. NULL is allowed. */
void ar_header_free(struct ar_header *header);

/*
 * Allows UTF-8 in texts added from now on, as in a message sent with SMTPUTF8
 * (RFC 8601 section 2.2, RFC 6532). Off at first: octets above 127 are
 * refused then. Malformed UTF-8 is refused always.
 */
void ar_header_allow_utf8(struct ar_header *header, bool allow);

/*
 * Sets the authserv-id (RFC 8601 section 2.5), a copy; it replaces an earlier one.
 *
 * Returns: AR_BAD_VALUE when it is empty or holds control characters or octets
 * above 127 that are not allowed, AR_TOO_LONG above AR_ID_MAX, AR_NO_MEMORY.
 * A refused call leaves the header as it was; so it is with all functions below.
 */
enum ar_status ar_header_set_id(struct ar_header *header, const char *id, size_t len);

/*
 * Sets the version number to be written after the authserv-id, 0 to 999999999;
 * -1 (as in a new header) writes none, which means version 1.
 *
 * Returns: AR_BAD_VALUE when out of range.
 */
enum ar_status ar_header_set_version(struct ar_header *header, long version);

/*
 * Appends a result such as "spf", "pass". Both words are NUL-terminated Keywords
 * (letters, digits, inner hyphens; RFC 5321 section 4.1.2) of any length; they are
 * copied and need not be registered ones.
 *
 * Returns: AR_BAD_TOKEN when one is no Keyword, AR_NO_MEMORY.
 */
enum ar_status ar_header_add_result(struct ar_header *header, const char *method,
                                    const char *result);

/*
 * Sets the method version of the latest result, as in "dkim/1=pass"; range and
 * meaning of -1 as in ar_header_set_version.
 *
 * Returns: AR_NO_RESULT when there is none yet, AR_BAD_VALUE when out of range.
 */
enum ar_status ar_header_set_method_version(struct ar_header *header, long version);

/*
 * Sets the reason of the latest result, a copy; it replaces an earlier one. Text
 * may be empty and may hold blanks and tabs, but no other control characters.
 *
 * Returns: AR_NO_RESULT, AR_BAD_VALUE, AR_NO_MEMORY.
 */
enum ar_status ar_header_set_reason(struct ar_header *header, const char *text, size_t len);

/*
 * Appends a property to the latest result, as in "smtp.mailfrom=user@example.org".
 * `ptype` and `property` are NUL-terminated Keywords; the value follows the rules
 * of ar_header_set_reason and is written as it is where the grammar allows (a
 * token, a domain name, an address), else as a quoted string. An address with a
 * quoted local part is given with its quotes.
 *
 * Returns: AR_NO_RESULT, AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY.
 */
enum ar_status ar_header_add_property(struct ar_header *header, const char *ptype,
                                      const char *property, const char *value, size_t len);

/*
 * Appends a comment to the latest result. It is written after what was added last:
 * result word, reason or property. The text is given without its outer
 * parentheses; inner ones are escaped.
 *
 * Returns: AR_NO_RESULT, AR_BAD_VALUE, AR_NO_MEMORY.
 */
enum ar_status ar_header_add_comment(struct ar_header *header, const char *text, size_t len);

/*
 * Writes the field's value: all that stands after the name, the colon and one
 * blank, without an end of line. Results keep their order; without any the value
 * is "id; none". NULL as options means the defaults of struct ar_format with the
 * room that "Authentication-Results: " takes in the first line.
 *
 * Folds stand before blanks that are there anyway: with every newline removed the
 * text is the same as that of an unlimited width. A word longer than `width` makes
 * a longer line; it is never cut. When the field does not fit in one line, every
 * result starts a line of its own.
 *
 * Returns: AR_NO_ID, AR_TOO_LONG when a line would pass `max_line`, AR_BAD_VALUE
 * when `newline` is another text, AR_NO_MEMORY. `*out` and `*out_len` are set
 * only with AR_OK. `out_len` may be NULL.
 * Ownership: `*out` (NUL-terminated) comes from the header's allocator; the caller
 * gives it back with ar_free.
 */
enum ar_status ar_header_format(const struct ar_header *header, const struct ar_format *options,
                                char **out, size_t *out_len);

/*
 * Reads a field's value (the octets after the colon, folded or not, line ends LF
 * or CR LF) by the grammar of RFC 8601 section 2.2. Unknown methods, results and
 * properties are kept as they are, comments too. Time and memory are linear in `len`.
 *
 * Returns: NULL when the text breaks the grammar, is longer than AR_PARSE_MAX or
 * memory is short; `*error` (may be NULL) says which and where.
 * Ownership: the caller frees the header with ar_header_free. The text is not kept.
 */
struct ar_header *ar_header_parse(const struct ar_allocator *allocator, const char *value,
                                  size_t len, struct ar_parse_error *error);

/* Returns the authserv-id without quotes; `ptr` is NULL while none is set. Lives until it is
 * replaced. */
struct ar_text ar_header_id(const struct ar_header *header);

/* Returns the version after the authserv-id, -1 when none is stated (which means 1). */
long ar_header_version(const struct ar_header *header);

/* Returns the number of results; 0 for "none". */
size_t ar_header_result_count(const struct ar_header *header);

/* Returns result number `index`, in the order of the text; NULL beyond the last. Lives with the
 * header. */
const struct ar_result *ar_header_result(const struct ar_header *header, size_t index);

/* Returns the number of comments that belong to no result. */
size_t ar_header_comment_count(const struct ar_header *header);

/* Returns such a comment; NULL beyond the last. Lives with the header. */
const struct ar_comment *ar_header_comment(const struct ar_header *header, size_t index);

/* Returns the method as written, e.g. "dkim"; NUL-terminated, lives with the header. */
const char *ar_result_method(const struct ar_result *result);

/* Returns the method's version, -1 when none is stated (which means 1). */
long ar_result_method_version(const struct ar_result *result);

/* Returns the result word as written, e.g. "pass"; NUL-terminated, lives with the header. */
const char *ar_result_word(const struct ar_result *result);

/* Returns the reason without quotes; `ptr` is NULL when there is none. */
struct ar_text ar_result_reason(const struct ar_result *result);

/* Returns the number of properties. */
size_t ar_result_property_count(const struct ar_result *result);

/* Returns property number `index`; NULL beyond the last. Lives with the header. */
const struct ar_property *ar_result_property(const struct ar_result *result, size_t index);

/* Returns the number of the result's comments. */
size_t ar_result_comment_count(const struct ar_result *result);

/* Returns comment number `index`; NULL beyond the last. Lives with the header. */
const struct ar_comment *ar_result_comment(const struct ar_result *result, size_t index);

/* Returns the property's type, e.g. "smtp"; NUL-terminated, lives with the header. */
const char *ar_property_ptype(const struct ar_property *property);

/* Returns the property's name, e.g. "mailfrom"; NUL-terminated, lives with the header. */
const char *ar_property_name(const struct ar_property *property);

/*
 * Returns the value: of a quoted string its content, of an address the whole of
 * it, the quotes of a quoted local part included. `ptr` is never NULL.
 */
struct ar_text ar_property_value(const struct ar_property *property);

/* Returns the text between the outer parentheses, escapes resolved. */
struct ar_text ar_comment_text(const struct ar_comment *comment);

/* Returns what the comment stands beside. */
enum ar_place ar_comment_place(const struct ar_comment *comment);

/* Returns the number of the property it follows; meaningful for AR_AFTER_PROPERTY only. */
size_t ar_comment_property(const struct ar_comment *comment);

/*
 * Tells whether two authserv-ids name the same host: ASCII letter case, trailing
 * and doubled dots and U-label versus A-label (RFC 5890) do not count. Fullwidth
 * forms, the ideographic full stops and invisible characters, which IDNA maps away,
 * do not count either. Other non-ASCII letters are compared as they are, without
 * case folding or normalisation. An id longer than AR_ID_MAX equals nothing.
 */
bool ar_id_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * Tells whether a field value claims to come from one of `ids` (NUL-terminated
 * strings), in the sense of ar_id_equal, so that it has to be removed from mail of
 * strangers (RFC 8601 section 5). Meant to be hard to dodge, not to be a parser:
 * blanks, line ends, control characters, semicolons and comments before the id, the
 * id as a quoted string with escapes, comments inside it and any rubbish after it
 * make no difference. The rest need not parse. A subdomain is another id.
 *
 * Time is linear in `len` times `id_count`. Any octets are allowed.
 */
bool ar_claims_id(const char *value, size_t len, const char *const *ids, size_t id_count);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
