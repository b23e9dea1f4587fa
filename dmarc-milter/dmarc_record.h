#ifndef DMARC_DMARC_RECORD_H
#define DMARC_DMARC_RECORD_H

#include <stdbool.h>

#include "common/base/span.h"

/* Policy records of domains (RFC 9989 section 4.7). The reader knows text only: no names, no DNS.
 */

enum dmarc_policy {
    DMARC_POLICY_ABSENT, /* no such tag, or a value nobody knows */
    DMARC_POLICY_NONE,
    DMARC_POLICY_QUARANTINE,
    DMARC_POLICY_REJECT,
};

enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

/* Tags a record may have, as bits of a set. */
enum dmarc_tag {
    DMARC_TAG_P = 1 << 0,
    DMARC_TAG_SP = 1 << 1,
    DMARC_TAG_NP = 1 << 2,
    DMARC_TAG_T = 1 << 3,
    DMARC_TAG_ADKIM = 1 << 4,
    DMARC_TAG_ASPF = 1 << 5,
    DMARC_TAG_PSD = 1 << 6,
    DMARC_TAG_RUA = 1 << 7,
    DMARC_TAG_RUF = 1 << 8,
    DMARC_TAG_FO = 1 << 9,
    /* Of RFC 7489, without meaning since RFC 9989. */
    DMARC_TAG_PCT = 1 << 10,
    DMARC_TAG_RF = 1 << 11,
    DMARC_TAG_RI = 1 << 12,
};

#define DMARC_TAGS_HISTORIC (DMARC_TAG_PCT | DMARC_TAG_RF | DMARC_TAG_RI)

struct dmarc_record {
    enum dmarc_policy p, sp, np; /* as written: what stands in for an absent one is not decided
                                    here */
    bool testing;                /* t=y */
    bool strict_dkim;            /* adkim=s */
    bool strict_spf;             /* aspf=s */
    enum dmarc_psd psd;
    struct am_span rua, ruf, fo; /* as written, without white space around; empty when absent */
    unsigned present;            /* tags that are there: set of enum dmarc_tag */
    unsigned bad;                /* those of them with a value nobody knows; a list of addresses is
                                    bad when it holds no usable one */
};

/* What a record is good for (RFC 9989 section 4.10.1). */
enum dmarc_standing {
    DMARC_STANDING_GOOD,
    DMARC_STANDING_NONE,   /* p is missing or p, sp or np are bad: p=none, for the sake of rua */
    DMARC_STANDING_BROKEN, /* the same without a usable rua: no DMARC for such mail */
};

/*
 * Tells whether a TXT record is a DMARC record: it begins with the tag v=DMARC1, with nothing
 * before it; the value is compared with letter case.
 */
bool dmarc_record_is_one(struct am_span text);

/*
 * Reads a policy record: the text of one TXT record, its strings joined. Tags that are not known
 * are passed over, values that are not known count as absent; of two tags with one name the first
 * counts. Time linear in the text's length.
 *
 * Returns: false when it is no DMARC record; `record` is then all zero.
 * Ownership: the spans point into `text`. Threads: any.
 */
bool dmarc_record_parse(struct dmarc_record *record, struct am_span text);

/* Returns what a record is good for. */
enum dmarc_standing dmarc_record_standing(const struct dmarc_record *record);

/*
 * Tells whether a value of rua or ruf holds at least one reporting URI that is syntactically valid
 * (RFC 9989 section 4.8): a scheme, a colon and characters of RFC 3986, "," and "!" encoded, with
 * an obsolete size behind it or not; of a mailto: one an address.
 */
bool dmarc_record_has_address(struct am_span list);

/* Returns the word of a policy: "none", "quarantine", "reject"; "" for an absent one. */
const char *dmarc_policy_word(enum dmarc_policy policy);

#endif
