#ifndef AUTHMILTER_AR_MEMBER_H
#define AUTHMILTER_AR_MEMBER_H

#include <jansson.h>
#include <stdint.h>

#include "authres/authres.h"
#include "common/base/problem.h"

/*
 * Members of a JSON object on their way into a header. Every function below that can fail returns
 * false after saying what is wrong and where, e.g. "results[2].properties[0].value: not a string".
 */

#define AR_NOWHERE SIZE_MAX

struct ar_reader {
    struct ar_header *header;
    struct am_problem *problem;
    size_t result, property; /* numbers of the part being read; AR_NOWHERE outside of one */
    enum ar_status status;   /* AR_OK until something was refused */
    bool utf8;
};

/* Notes a refusal. `member` may be "" for the part itself. Returns: false. */
bool ar_member_refuse(struct ar_reader *reader, enum ar_status status, const char *member,
                      const char *reason);

/* Makes a sentence of what the builder said to `text`, a member. Returns: true with AR_OK only. */
bool ar_member_took(struct ar_reader *reader, enum ar_status status, const char *member,
                    struct ar_text text);

/* Gets a string; a null pointer when the member is null or absent. Lives with the object. */
bool ar_member_text(struct ar_reader *reader, json_t *object, const char *member,
                    struct ar_text *out);

/* Gets a string that must be there. Lives with the object. */
bool ar_member_needed(struct ar_reader *reader, json_t *object, const char *member,
                      struct ar_text *out);

/* Gets a string that must be there, as the builder wants words: with nothing behind a NUL. */
bool ar_member_word(struct ar_reader *reader, json_t *object, const char *member, const char **out);

/* Gets an integer above `none`; `none` itself when the member is null or absent. */
bool ar_member_number(struct ar_reader *reader, json_t *object, const char *member, long none,
                      long *out);

/* Gets an array; NULL, which jansson takes for an empty one, when the member is null or absent. */
bool ar_member_array(struct ar_reader *reader, json_t *object, const char *member, json_t **out);

/* Tells whether the part is an object without members other than `known`, which NULL ends. */
bool ar_member_known(struct ar_reader *reader, json_t *part, const char *const *known);

#endif
