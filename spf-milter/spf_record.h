#ifndef SPF_SPF_RECORD_H
#define SPF_SPF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/span.h"
#include "spf-milter/spf.h"

/* The text of a record as a list of terms (RFC 7208 sections 4.6 and 12). */

enum spf_kind {
    SPF_KIND_ALL,
    SPF_KIND_INCLUDE,
    SPF_KIND_A,
    SPF_KIND_MX,
    SPF_KIND_PTR,
    SPF_KIND_IP4,
    SPF_KIND_IP6,
    SPF_KIND_EXISTS,
    SPF_KIND_REDIRECT,
    SPF_KIND_EXP,
};

struct spf_term {
    enum spf_kind kind;
    enum spf_result result; /* of a match, by the qualifier */
    struct am_span text;    /* as written */
    struct am_span spec;    /* domain-spec; empty = the current domain */
    unsigned macros;        /* set of enum spf_macro_flag in `spec` */
    uint8_t prefix4;        /* of ip4, a and mx; 0..32 */
    uint8_t prefix6;        /* of ip6, a and mx; 0..128 */
    uint8_t address[16];    /* of ip4 and ip6 */
};

struct spf_record {
    struct am_span text;
    const struct spf_term *terms; /* mechanisms, in order */
    size_t count;
    const struct spf_term *redirect; /* NULL = none */
    const struct spf_term *exp;      /* NULL = none */
};

enum spf_parse_status {
    SPF_PARSE_OK,
    SPF_PARSE_SYNTAX,    /* `bad` is the term */
    SPF_PARSE_DUPLICATE, /* a second redirect or exp: `bad` is the term */
    SPF_PARSE_MEMORY,
};

/* Tells whether a TXT record is an SPF record: "v=spf1" and a blank or the end (section 4.5). */
bool spf_record_is_spf(struct am_span text);

/*
 * Reads a record that spf_record_is_spf(). Every term is checked, also those
 * that would never be reached (section 4.6).
 *
 * Ownership: the terms live in `arena`, their spans point into `text`.
 */
enum spf_parse_status spf_record_parse(struct am_arena *arena, struct am_span text,
                                       struct spf_record *record, struct am_span *bad);

#endif
