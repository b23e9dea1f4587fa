#ifndef AUTHOR_AUTHOR_H
#define AUTHOR_AUTHOR_H

#include "common/mail/author.h"

/*
 * May whoever hands a message in write as the authors it names? Every mailbox of From (and of
 * Sender) must belong to the login, or be one of this site's. Domains and addresses are compared
 * whole, never in part. Pure: who an address belongs to is asked of the caller.
 *
 * Threads: any.
 */

/* What a login by itself may write as. */
enum author_login {
    AUTHOR_LOGIN_DOMAIN,  /* any address of its domain; one without a domain: any */
    AUTHOR_LOGIN_ADDRESS, /* the address that it is; one without a domain: nothing */
    AUTHOR_LOGIN_TABLE,   /* nothing: only what the tables say counts */
};

/* How the author's domain must agree with the envelope sender's. */
enum author_alignment {
    AUTHOR_ALIGN_NO,
    AUTHOR_ALIGN_RELAXED, /* the same domain, or one of them below the other */
    AUTHOR_ALIGN_STRICT,  /* the same domain */
    AUTHOR_ALIGN_ADDRESS, /* the same address */
};

/* What a caller knows of an address. */
enum author_owner {
    AUTHOR_OWNER_UNKNOWN, /* nothing */
    AUTHOR_OWNER_LOGIN,   /* it belongs to the login, or to everybody here */
    AUTHOR_OWNER_OTHER,   /* it belongs to others */
    AUTHOR_OWNER_FAILED,  /* it could not be found out; the caller keeps the reason */
};

struct author_rules {
    enum author_login login;
    enum author_alignment alignment;
    bool has_lists; /* tables or domains are configured: what is not in them is foreign */
    enum author_owner (*ask)(void *user, const struct am_author *author);
    void *user;
};

/* Who hands the message in. */
struct author_facts {
    const char *login;               /* "": nobody logged in */
    const struct am_address *sender; /* of the envelope */
};

enum author_finding {
    AUTHOR_FITS,
    AUTHOR_UNBOUND,    /* nothing is configured that says who may write as whom */
    AUTHOR_UNCHECKED,  /* it could not be found out */
    AUTHOR_MISALIGNED, /* not the envelope sender's */
    AUTHOR_FOREIGN,    /* an address of nobody here */
    AUTHOR_NOT_OWNER,  /* an address of somebody else here */
    AUTHOR_MISSING,    /* there is no From, or no usable address in it */
    AUTHOR_SEVERAL,    /* several From fields */
};
#define AUTHOR_FINDING_COUNT 8

/* Returns "fits", "unbound", "unchecked", "misaligned", "foreign", "not_owner", "missing",
 * "several". */
const char *author_finding_word(enum author_finding finding);

/*
 * Judges one address.
 * Returns: FITS, UNBOUND, UNCHECKED, MISALIGNED, FOREIGN or NOT_OWNER.
 */
enum author_finding author_judge_one(const struct author_rules *rules,
                                     const struct author_facts *facts,
                                     const struct am_author *author, struct am_arena *arena);

struct author_outcome {
    enum author_finding finding;
    const struct am_author *author; /* whom it is about; NULL where there is none */
};

/*
 * Judges the mailboxes of one field: the worst finding counts, and of several the first. A mailbox
 * without a usable domain, an unreadable rest and more than AM_AUTHORS_MAX mailboxes are MISSING.
 */
struct author_outcome author_judge(const struct author_rules *rules,
                                   const struct author_facts *facts,
                                   const struct am_authors *authors, struct am_arena *arena);

/*
 * Makes the address a message may be written as, for who changes its From: the envelope sender if
 * it fits, else the login if it is an address and fits.
 *
 * Returns: false when there is none. Ownership: `arena`.
 */
bool author_find_own(const struct author_rules *rules, const struct author_facts *facts,
                     struct am_arena *arena, struct am_author *own);

#endif
