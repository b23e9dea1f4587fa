#ifndef DKIM_DKIM_DIAGNOSE_H
#define DKIM_DKIM_DIAGNOSE_H

#include "dkim-milter/dkim_verify.h"

/*
 * What was done to a message after it was signed. A hash says only that something differs; but many
 * changes are of a few kinds, and undoing the right one makes the hash right, or the signature
 * verify, again. What was confirmed so is told apart from what is only likely. For tools: it costs
 * the verification of a header for each try.
 */

/* Most tries for the header of one signature, and sentences about it. */
#define DKIM_DIAGNOSE_TRIES_MAX 120
#define DKIM_DIAGNOSE_SENTENCES_MAX 8

/* Most octets of canonical body, and of its lines, that are looked at. */
#define DKIM_DIAGNOSE_BODY_MAX ((size_t)32 << 20)
#define DKIM_DIAGNOSE_LINES_MAX 200000

struct dkim_diagnosis {
    struct {
        const char *text; /* printable, but for odd octets */
        bool confirmed; /* a hash or the signature is right with the change undone; else it is what
                           an unverified tag says, or what is left when nothing was found */
    } sentences[DKIM_DIAGNOSE_SENTENCES_MAX];
    size_t count;
};

/*
 * Looks for the change that made a signature fail.
 *
 * env: as for the verification; its resolver is asked for the key again. fields, report: of that
 * verification. index: of an outcome that failed. body: all of it, CRLF at line ends.
 * Returns: false when memory is short. Ownership: sentences live in env->arena.
 * Blocking: as a verification. Threads: as one.
 */
bool dkim_diagnose(const struct dkim_verify_env *env, const struct dkim_fields *fields,
                   const struct dkim_report *report, size_t index, struct am_span body,
                   struct dkim_diagnosis *diagnosis) AM_MUST_USE;

#endif
