#ifndef AUTHRES_H
#define AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * authres: reads and writes Authentication-Results (RFC 8601) and
 * ARC-Authentication-Results (RFC 8617) header fields. Needs the C library only.
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
 *
 * Versions: a program built with one version of the library runs with every later one
 * of the same major number (and soname). In these, each function keeps its arguments and
 * its contract, each struct with members keeps its size and its members (those callers
 * fill and those they are given), each number of an enum and each limit keeps its value.
 * New functions may come, and new numbers at the end of an enum: treat one you do not know
 * as the reader treats an unknown word. The words of ar_status_text, ar_pardon_text and
 * `expected`, and the tables of the registry, follow the documents and may change.
 */

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Longest authserv-id in octets; longer ones could not stand in one line with the field's name. */
#define AR_ID_MAX 900

/* Longest field value ar_header_parse looks at unless told otherwise, in octets. */
#define AR_PARSE_MAX (256 * 1024)

/* Highest ARC instance number (RFC 8617 section 4.2.1). */
#define AR_INSTANCE_MAX 50

/* Fewest octets of a signature in header.b, unless it has fewer (RFC 6008 section 4). */
#define AR_SIGNATURE_MIN 8

/* Most octets of a line that a mail may have, without its line end (RFC 5322 section 2.1.1). */
#define AR_LINE_MAX 998

/* How a call ended. The numbers are part of the binary interface. */
enum ar_status {
    AR_OK = 0,
    AR_NO_MEMORY, /* the allocator gave nothing */
    AR_BAD_TOKEN, /* a method, result, ptype or property name is no Keyword, or to a helper such as
                     ar_add_spf: a result is not registered */
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

/* Which field a value belongs to. */
enum ar_kind {
    AR_KIND_ANY, /* not known: an instance may stand there */
    AR_KIND_AR,  /* Authentication-Results: no instance */
    AR_KIND_ARC  /* ARC-Authentication-Results: begins with an instance, "i=1;" */
};

/* How ar_header_parse reads. Zero members are the defaults. */
struct ar_parse_options {
    enum ar_kind kind;
    bool lenient;   /* forgive what real headers do wrong, and note it */
    size_t max_len; /* longest value in octets; 0 means AR_PARSE_MAX */
};

/*
 * What the lenient reader forgave. The numbers are part of the binary interface.
 */
enum ar_pardon {
    AR_PARDON_NO_ID = 1,    /* no authserv-id: the first word is a result */
    AR_PARDON_ID_FORM,      /* an authserv-id that is neither token nor quoted string */
    AR_PARDON_VERSION,      /* words after the authserv-id that are no version */
    AR_PARDON_INSTANCE,     /* an ARC instance that is missing, misplaced or out of range */
    AR_PARDON_NO_RESULT,    /* nothing after the authserv-id; read as "none" */
    AR_PARDON_NONE,         /* "none" beside results */
    AR_PARDON_EMPTY,        /* a stray semicolon */
    AR_PARDON_NO_BLANK,     /* no blank where one is needed */
    AR_PARDON_NAME_FORM,    /* a method, result, ptype or property name that is no Keyword */
    AR_PARDON_NO_PTYPE,     /* a property without ptype, as in "action=none" */
    AR_PARDON_VALUE_FORM,   /* a reason or value that is no token, string, domain or address */
    AR_PARDON_EMPTY_VALUE,  /* nothing after the equals sign */
    AR_PARDON_REASON,       /* a reason after properties, or a second one */
    AR_PARDON_OPEN_QUOTE,   /* a quoted string without end; it goes on to the end of the value */
    AR_PARDON_OPEN_COMMENT, /* a comment without end; it goes on to the end of the value */
    AR_PARDON_STRAY,        /* a character without meaning where it stands, passed over */
    AR_PARDON_LINE_END,     /* a line end without a blank after it, or a lone CR */
    AR_PARDON_CONTROL,      /* a control character, read as a blank */
    AR_PARDON_ENCODING,     /* malformed UTF-8, read as U+FFFD */
    AR_PARDON_SKIPPED,      /* a part between semicolons that is no result, left out */
    AR_PARDON_UNREGISTERED  /* a property that is not registered for its registered method */
};

/* One thing forgiven. */
struct ar_forgiven {
    enum ar_pardon pardon;
    size_t offset; /* octets of the value before it */
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
 * Sets the ARC instance, 1 to AR_INSTANCE_MAX, which makes the header an
 * ARC-Authentication-Results value (RFC 8617 section 4.1.1); 0, as in a new header, none.
 *
 * Returns: AR_BAD_VALUE when out of range.
 */
enum ar_status ar_header_set_instance(struct ar_header *header, unsigned instance);

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
 * Appends a comment at a place that ar_header_add_comment cannot reach: AR_BEFORE_ID,
 * AR_AFTER_ID, AR_AFTER_VERSION or AR_AFTER_NONE of the header, or AR_BEFORE_METHOD of
 * the latest result. A comment whose place is not there when the header is written
 * (no version; results in place of "none") is left for later, not written.
 *
 * Returns: AR_BAD_VALUE for another place or as ar_header_add_comment, AR_NO_RESULT, AR_NO_MEMORY.
 */
enum ar_status ar_header_add_comment_at(struct ar_header *header, enum ar_place place,
                                        const char *text, size_t len);

/*
 * One result of a common method in one call (RFC 8601 section 2.7), for example
 *
 *     ar_add_spf(header, &(struct ar_spf){.result = "pass", .mailfrom = "a@example.org"});
 *
 * `result` has to be one that is registered for the method as active, or one for private
 * use ("x-..."): see ar_registry_result; AR_BAD_TOKEN otherwise. All other members may be NULL,
 * which leaves them out; they are NUL-terminated and follow the rules of ar_header_set_reason,
 * ar_header_add_property and ar_header_add_comment. The comment stands behind the result word.
 */
struct ar_spf { /* RFC 8601 section 2.7.2 */
    const char *result, *comment, *reason;
    const char *mailfrom; /* smtp.mailfrom: the envelope sender; "" for the null sender */
    const char *helo;     /* smtp.helo */
};

/* RFC 8601 section 2.7.1. */
struct ar_dkim {
    const char *result, *comment, *reason;
    const char *domain;    /* header.d: the signing domain */
    const char *selector;  /* header.s */
    const char *identity;  /* header.i */
    const char *algorithm; /* header.a */
    const char *signature; /* header.b: the whole b= value, blanks allowed; it is cut */
};

/* RFC 9989; first in RFC 7489 section 11.1. */
struct ar_dmarc {
    const char *result, *comment, *reason;
    const char *from;   /* header.from: the author domain */
    const char *policy; /* policy.dmarc: the policy applied */
};

/* RFC 8617 sections 6 and 10.2. */
struct ar_arc {
    const char *result, *comment, *reason;
    const char *remote_ip;   /* smtp.remote-ip */
    const char *oldest_pass; /* header.oldest-pass: an instance number, "0" when all pass */
};

/* RFC 8601 section 2.7.3. */
struct ar_iprev {
    const char *result, *comment, *reason;
    const char *address; /* policy.iprev */
};

/* RFC 8601 section 2.7.4. */
struct ar_auth {
    const char *result, *comment, *reason;
    const char *login;    /* smtp.auth */
    const char *mailfrom; /* smtp.mailfrom */
};

/* Appends an spf result. Returns: AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY. */
enum ar_status ar_add_spf(struct ar_header *header, const struct ar_spf *spf);

/*
 * Appends a dkim result; header.b gets the first AR_SIGNATURE_MIN octets of the signature.
 *
 * Returns: AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY.
 */
enum ar_status ar_add_dkim(struct ar_header *header, const struct ar_dkim *dkim);

/*
 * Appends a dkim result for each signature of one message; header.b is long enough
 * to tell all of them apart (RFC 6008 section 4). All are appended or none.
 *
 * Returns: AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY.
 */
enum ar_status ar_add_dkim_each(struct ar_header *header, const struct ar_dkim *dkim, size_t count);

/* Appends a dmarc result. Returns: AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY. */
enum ar_status ar_add_dmarc(struct ar_header *header, const struct ar_dmarc *dmarc);

/* Appends an arc result. Returns: AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY. */
enum ar_status ar_add_arc(struct ar_header *header, const struct ar_arc *arc);

/* Appends an iprev result. Returns: AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY. */
enum ar_status ar_add_iprev(struct ar_header *header, const struct ar_iprev *iprev);

/* Appends an auth result. Returns: AR_BAD_TOKEN, AR_BAD_VALUE, AR_NO_MEMORY. */
enum ar_status ar_add_auth(struct ar_header *header, const struct ar_auth *auth);

/*
 * Tells how many octets of each b= value (blanks and line ends not counted) header.b needs so
 * that all different ones can be told apart: AR_SIGNATURE_MIN or more (RFC 6008 section 4). A
 * value that is shorter stands there whole. Equal values do not count: nothing tells them
 * apart. With more than 1,000 different ones it is the length of the longest.
 *
 * Time is at most that of `count` times 10 comparisons of whole values. Takes about 16 KiB of
 * stack.
 */
size_t ar_signature_prefix(const struct ar_text *signatures, size_t count);

/*
 * Writes the field's value: all that stands after the name, the colon and one
 * blank, without an end of line. Results keep their order; without any the value
 * is "id; none". With an instance "i=1; " stands before it. NULL as options means the defaults of
 * struct ar_format with the room that the field's name takes in the first line:
 * "Authentication-Results: ", with an instance "ARC-Authentication-Results: ".
 *
 * Folds stand before blanks that are there anyway: with every newline removed the
 * text is the same as that of an unlimited width. A word longer than `width` makes
 * a longer line; it is never cut. When the field does not fit in one line, every
 * result starts a line of its own.
 *
 * A header read leniently may hold what cannot be written: no authserv-id, names that are no
 * Keywords.
 *
 * Returns: AR_NO_ID, AR_BAD_TOKEN, AR_TOO_LONG when a line would pass `max_line`, AR_BAD_VALUE
 * when `newline` is another text, AR_NO_MEMORY. `*out` and `*out_len` are set
 * only with AR_OK. `out_len` may be NULL.
 * Ownership: `*out` (NUL-terminated) comes from the header's allocator; the caller
 * gives it back with ar_free.
 */
enum ar_status ar_header_format(const struct ar_header *header, const struct ar_format *options,
                                char **out, size_t *out_len);

/*
 * Tells what field a text begins with, and where its value begins: after the name, letter
 * case ignored, blanks and the colon. A text without one of the two names is AR_KIND_ANY
 * with a value that begins at 0.
 */
enum ar_kind ar_field_kind(const char *field, size_t len, size_t *value_offset);

/*
 * Reads a field's value (the octets after the colon, folded or not, line ends LF
 * or CR LF) by the grammar of RFC 8601 section 2.2 and RFC 8617 section 4.1.1. Unknown
 * methods, results and ptypes are kept as they are, comments too. NULL as options means
 * all defaults.
 *
 * A lenient reader takes real headers too; what it forgave is listed by
 * ar_header_forgiven. It reads all that the strict one reads to the same values, and never
 * takes a result out of a comment or a quoted string. Do not base trust on what was
 * forgiven without looking at that list. It still refuses words behind the authserv-id that
 * others may read as part of it: those with a dot or an at sign on either side of the gap. So
 * it does words behind a control character, a lone CR or a line end that is no fold, where
 * that stands directly behind the id.
 *
 * Time and memory are linear in `len`. Any octets are allowed.
 *
 * Returns: NULL when the text cannot be read, is longer than the limit or memory is short;
 * `*error` (may be NULL) says which and where.
 * Ownership: the caller frees the header with ar_header_free. The text is not kept.
 */
struct ar_header *ar_header_parse(const struct ar_allocator *allocator, const char *value,
                                  size_t len, const struct ar_parse_options *options,
                                  struct ar_parse_error *error);

/* Returns the number of things that a lenient reader forgave, in the order of their offsets. */
size_t ar_header_forgiven_count(const struct ar_header *header);

/* Returns one of them; the pardon is 0 beyond the last. */
struct ar_forgiven ar_header_forgiven(const struct ar_header *header, size_t index);

/* Returns what a pardon means in a few English words; static, never NULL. */
const char *ar_pardon_text(enum ar_pardon pardon);

/* Returns the ARC instance, 0 when there is none. */
unsigned ar_header_instance(const struct ar_header *header);

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

/* Tells whether the result has this method and, unless NULL, this word; letter case is ignored. */
bool ar_result_is(const struct ar_result *result, const char *method, const char *word);

/*
 * Returns property number `nth` (mostly 0) of those with this ptype and name, letter case
 * ignored; NULL when there are fewer. Lives with the header.
 */
const struct ar_property *ar_result_find(const struct ar_result *result, const char *ptype,
                                         const char *name, size_t nth);

/*
 * Returns the property's type, e.g. "smtp"; "" for one that a lenient reader found without.
 * NUL-terminated, lives with the header.
 */
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
 * Tells whether two authserv-ids name the same host: letter case (Latin, Greek, Cyrillic,
 * Armenian), trailing and doubled dots and U-label versus A-label (RFC 5890) do not count.
 * Fullwidth forms, the ideographic full stops and invisible characters, which IDNA maps
 * away, do not count either. Else characters are compared as they are, without
 * normalisation. An id longer than AR_ID_MAX equals nothing.
 */
bool ar_id_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * Tells whether a field value claims to come from one of `ids` (NUL-terminated
 * strings), in the sense of ar_id_equal, so that it has to be removed from mail of
 * strangers (RFC 8601 section 5). Meant to be hard to dodge, not to be a parser:
 * blanks, line ends, control characters, semicolons and comments before the id, the field's
 * name once more, an ARC instance, the id as a quoted string with escapes, comments inside it
 * and any rubbish after it make no difference. The rest need not parse. A subdomain is another
 * id.
 *
 * The value is read as programs behind us may read it: comments that nest or do not, with and
 * without escapes; line ends and comments that leave a gap or none; octets above 127, or those
 * that are no UTF-8, kept or dropped. An encoded word (RFC 2047) before the end of the id
 * claims any id: it has no place there, and who decodes it may read ours.
 *
 * Time is linear in `len` times `id_count`. Any octets are allowed.
 */
bool ar_claims_id(const char *value, size_t len, const char *const *ids, size_t id_count);

/* What of a DKIM signature can be compared with a result; `ptr` NULL where it is not known. */
struct ar_signature {
    struct ar_text signature; /* b=, blanks and folds allowed */
    struct ar_text selector;  /* s= */
    struct ar_text domain;    /* d= */
};

/*
 * Finds the dkim results of a header that speak of a signature (RFC 6008 section 4). Each of
 * header.b, header.s and header.d that both sides know has to agree: header.b as the
 * beginning of the signature (at least AR_SIGNATURE_MIN octets of it, or all; letter case
 * counts), the others in the sense of ar_id_equal. At least header.b or header.d has to be
 * among them. Results of a method version other than 1 speak of nothing known.
 *
 * When several agree and their words differ, RFC 6008 section 4 wants all of them ignored.
 *
 * Returns: how many agree: with 1, `*found` is the result meant; with more, which of them
 * cannot be told and `*found` is the first; with 0 it is NULL.
 */
size_t ar_match_signature(const struct ar_header *header, const struct ar_signature *signature,
                          const struct ar_result **found);

/* Whose results count. */
struct ar_trust {
    const char *const *ids; /* authserv-ids, NUL-terminated */
    size_t id_count;
    bool top_only; /* only headers above the first one that is not trusted */
};

/* A place in a stack of headers; all zero is its beginning. Only ar_trusted_next moves it. */
struct ar_cursor {
    size_t header; /* number of the header the last result stands in */
    size_t result; /* number of the next result to look at */
};

/*
 * Tells whether a header comes from a trusted id, in the sense of ar_id_equal, and
 * is of a version we know (none or 1; RFC 8601 sections 2.5, 2.6 and 4.1). That is worth
 * something only where the border removes forged ones (section 5): see ar_claims_id. An ARC
 * header, even without its instance, is never trusted here: it is worth what its seal is
 * worth; nor is one whose version a lenient reader had to forgive.
 */
bool ar_header_is_trusted(const struct ar_header *header, const struct ar_trust *trust);

/*
 * Steps through the trusted results of a message's headers, given from the top. NULL among
 * `headers` stands for one that could not be read; it is trusted by nobody. Results of a method
 * version other than 1 are passed over. `method` (letter case ignored) may be NULL for all.
 * Results that are not registered are among them; RFC 8601 section 4.1 has them ignored by
 * whoever decides something: see ar_registry_result.
 *
 * Returns: the next result, NULL after the last. Lives with its header.
 */
const struct ar_result *ar_trusted_next(const struct ar_header *const *headers, size_t count,
                                        const struct ar_trust *trust, const char *method,
                                        struct ar_cursor *cursor);

/*
 * The registries of IANA ("Email Authentication Parameters"), as tables that never change.
 */

/* How something stands in the registry. The numbers are part of the binary interface. */
enum ar_registration {
    AR_UNREGISTERED = 0,
    AR_EXPERIMENTAL, /* for private use: "x-" names, any policy property (see below) */
    AR_DEPRECATED,   /* registered, not to be written any more */
    AR_ACTIVE
};

/* A result word of a method. */
struct ar_registered_result {
    const char *word;
    const char *source; /* where it is defined, e.g. "RFC 8601 section 2.7.2" */
    enum ar_registration state;
};

/* A property of a method. */
struct ar_registered_property {
    const char *ptype;
    const char *name; /* "*" where the name of any header field may stand (sender-id) */
    const char *meaning;
    const char *source;
    enum ar_registration state;
};

/* A method with all that is registered for it. */
struct ar_registered_method {
    const char *method;
    const char *meaning;
    const char *source;
    enum ar_registration state;
    size_t result_count, property_count;
    const struct ar_registered_result *results;
    const struct ar_registered_property *properties;
};

/* Returns method number `index` in alphabetical order; NULL beyond the last. Static. */
const struct ar_registered_method *ar_registry_method(size_t index);

/* Returns the entry of a method, letter case ignored; NULL when it has none. Static. */
const struct ar_registered_method *ar_registry_find(const char *method);

/*
 * Tells how a result word of a method is registered, letter case ignored. All words of a method
 * that begins with "x-", and those that begin with it themselves, are AR_EXPERIMENTAL
 * (RFC 5451 sections 2.4.5 and 2.5.2; RFC 8601 sections 2.7.6 and 2.7.7 no longer say how
 * such names look). No word of another method without registration is registered.
 */
enum ar_registration ar_registry_result(const char *method, const char *word);

/*
 * Tells how a property of a method is registered, letter case ignored. What begins with "x-",
 * the method, ptype or name, is AR_EXPERIMENTAL, and so is any name of ptype "policy" that is
 * not registered: these are each site's own (RFC 8601 section 2.4).
 */
enum ar_registration ar_registry_property(const char *method, const char *ptype, const char *name);

/* Tells how a ptype is registered (RFC 8601 sections 2.3 and 6.4); letter case ignored. */
enum ar_registration ar_registry_ptype(const char *ptype);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
