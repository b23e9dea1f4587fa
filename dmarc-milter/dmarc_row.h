#ifndef DMARC_ROW_H
#define DMARC_ROW_H

#include <stddef.h>
#include <stdint.h>

/*
 * One message as aggregate reports count it (RFC 9990): what dmarc_module hands to the store, and
 * the store to the writer of reports. Plain words and A-label names, so that neither needs the
 * other's engine. Strings are "" when there is nothing to say, never NULL.
 */

/* Most signatures of a message that a report names. */
#define DMARC_ROW_DKIM_MAX 8

/* Most reasons for another disposition than the policy asks for. */
#define DMARC_ROW_REASONS_MAX 4

struct dmarc_row_dkim {
    const char *domain;   /* d= */
    const char *selector; /* s=; "" when not known (from an A-R field without header.s) */
    const char *result;   /* word of RFC 8601: pass, fail, ... */
};

struct dmarc_row_reason {
    const char *type;    /* of RFC 9990: local_policy, mailing_list, ... */
    const char *comment; /* short, or "" */
};

struct dmarc_row {
    int64_t time_s; /* UNIX time at which the message was judged */

    /* Policy that was found. Words as published or defaulted. */
    const char *policy_domain; /* where the record was found */
    const char *p, *sp, *np;   /* none, quarantine, reject; "" where the record has no such tag */
    const char *adkim, *aspf;  /* r or s */
    const char *fo;            /* "0" when not published */
    const char *testing;       /* n or y: tag t */
    const char *rua;           /* value of the tag, not yet taken apart; "": nobody wants reports */

    /* What was evaluated. */
    const char *source_ip;   /* client address in text */
    const char *disposition; /* none, quarantine, reject: what was done; see RFC 9990 for "pass" */
    const char *dkim, *spf;  /* pass or fail: aligned and passed, or not */
    struct dmarc_row_reason reasons[DMARC_ROW_REASONS_MAX];
    size_t reason_count;

    /* Identifiers. */
    const char *header_from;   /* author domain */
    const char *envelope_from; /* domain of the envelope sender; "" for <> */

    /* Results of the protocols themselves. */
    struct dmarc_row_dkim signatures[DMARC_ROW_DKIM_MAX];
    size_t signature_count;
    const char *spf_domain; /* domain SPF was checked for; "" when it was not */
    const char *spf_scope;  /* mfrom or helo */
    const char *spf_result; /* word of RFC 8601 */
};

#endif
