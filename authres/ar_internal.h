#ifndef AR_INTERNAL_H
#define AR_INTERNAL_H

#include <stdint.h>

#include "authres/authres.h"

/* The model behind the public header, shared by builder, formatter and parser. */

/* Nine digits: fits every long. */
#define AR_VERSION_MAX 999999999L

/* Memory of one header: everything is freed at once, so pieces are cut from few large chunks. */
struct ar_chunk {
    struct ar_chunk *next;
    size_t used, size;
};

/* Pointers in the order they were added. */
struct ar_list {
    void **items;
    size_t count, capacity;
};

/* How a text stands in the field. */
enum ar_form { AR_FORM_PLAIN, AR_FORM_QUOTED };

struct ar_comment {
    struct ar_text text;
    enum ar_place place;
    size_t property;
};

struct ar_property {
    const char *ptype;
    const char *name;
    struct ar_text value;
    enum ar_form form;
};

struct ar_result {
    const char *method;
    const char *word;
    long method_version;
    struct ar_text reason;
    struct ar_list properties, comments;
    enum ar_place last; /* what a comment added now would follow */
};

struct ar_header {
    struct ar_allocator allocator;
    struct ar_chunk *chunks; /* the one in use first */
    struct ar_text id;
    enum ar_form id_form;
    long version;
    unsigned instance; /* 0: none */
    bool arc;          /* read from an ARC field, whether or not its instance could be used */
    bool utf8;
    struct ar_list results, comments;
    struct ar_forgiven *forgiven; /* by offset */
    size_t forgiven_count, forgiven_capacity;
};

/* Tells whether a version, of a header or a method, is the one we know (RFC 8601 section 2.6). */
static inline bool ar_version_known(long version)
{
    return version == -1 || version == 1;
}

/* Fills `out` with a copy of `allocator`, or with malloc and free when it is NULL. */
void ar_allocator_resolve(struct ar_allocator *out, const struct ar_allocator *allocator);

/* Cuts `size` octets from the header's memory, aligned for any object. Returns: NULL without
 * memory. */
void *ar_take(struct ar_header *header, size_t size);

/* Cuts `size` octets for text, not aligned. Returns: NULL without memory. */
char *ar_take_text(struct ar_header *header, size_t size);

/* Copies `len` octets and a NUL into the header's memory. Returns: false without memory. */
bool ar_copy(struct ar_header *header, const char *ptr, size_t len, struct ar_text *out);

/* Appends a pointer. Returns: false without memory; the list is unchanged then. */
bool ar_list_push(struct ar_header *header, struct ar_list *list, void *item);

/* Returns the latest result, NULL when there is none. */
struct ar_result *ar_latest(const struct ar_header *header);

/* Appends a comment to the header (`result` NULL) or a result; `text` is already checked. */
enum ar_status ar_attach_comment(struct ar_header *header, struct ar_result *result,
                                 enum ar_place place, struct ar_text text);

/* Appends a result whose words are already checked. Returns: NULL without memory. */
struct ar_result *ar_append_result(struct ar_header *header, const char *method, size_t method_len,
                                   const char *word, size_t word_len);

/* Appends a property whose parts are already checked; `value` already belongs to the header. */
enum ar_status ar_append_property(struct ar_header *header, struct ar_result *result,
                                  struct ar_text ptype, struct ar_text name, struct ar_text value,
                                  enum ar_form form);

#endif
