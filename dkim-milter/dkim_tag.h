#ifndef DKIM_DKIM_TAG_H
#define DKIM_DKIM_TAG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/span.h"

/*
 * Tag lists (RFC 6376 section 3.2) of signature fields and key records.
 *
 * Folding white space is blanks and tabs with folds among them; a fold is LF or CRLF with a blank
 * or tab behind it. It may stand on both sides of a tag's name and of its value, and inside the
 * value. A value is printable ASCII without ";", and well-formed UTF-8 (RFC 8616); anything else,
 * a bare CR too, makes the list malformed. One ";" at the end is allowed, as is white space
 * behind it; an empty tag elsewhere is not. Names are compared with letter case.
 */
struct dkim_tag {
    struct am_span name;
    struct am_span value; /* without the white space around it; that inside is kept */
    struct am_span raw;   /* all between "=" and the next ";" or the end */
};

/* Most tags of a list; more are not read. */
#define DKIM_TAG_MAX 128

enum dkim_tag_status {
    DKIM_TAG_OK,
    DKIM_TAG_SYNTAX,
    DKIM_TAG_DUPLICATE,
    DKIM_TAG_TOO_MANY,
};

struct dkim_tag_list {
    struct dkim_tag tags[DKIM_TAG_MAX];
    size_t count;
    size_t bad; /* where reading stopped: an offset into the text, its length when all was read */
};

/*
 * Reads a tag list. `list` needs no initialisation.
 *
 * Returns: on failure `list` holds the tags before the one that is wrong (of two with one name:
 * the first).
 * Ownership: the spans point into `text`. Threads: any.
 */
enum dkim_tag_status dkim_tag_list_parse(struct dkim_tag_list *list, struct am_span text);

/* Returns the tag of a name, or NULL. */
const struct dkim_tag *dkim_tag_find(const struct dkim_tag_list *list, const char *name);

/*
 * Measures the folding white space at the start of a text.
 *
 * Returns: its length; 0 when there is none, or when it ends in a fold without a blank behind it
 * (what stands before that fold is counted).
 */
size_t dkim_fws_len(struct am_span text);

/* Returns `text` without folding white space at both ends. */
struct am_span dkim_fws_trim(struct am_span text);

/*
 * Takes the next item off a colon-separated list with white space around its items. Begin with
 * `rest` = the value, whose pointer is not NULL; a list of "" has one empty item.
 *
 * Returns: false when the list is used up: `rest->ptr` is NULL then.
 */
bool dkim_list_next(struct am_span *rest, struct am_span *item);

#endif
