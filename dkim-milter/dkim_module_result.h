#ifndef DKIM_DKIM_MODULE_RESULT_H
#define DKIM_DKIM_MODULE_RESULT_H

#include "common/milter/results.h"
#include "dkim-milter/dkim_verify.h"

/* What an outcome says in an Authentication-Results field. Threads: any. */

/* Returns how many octets of each b= tell the signatures of a message apart (RFC 6008). */
size_t dkim_module_signature_prefix(const struct dkim_report *report);

/*
 * Fills `result` (RFC 8601 section 2.7.1): header.d, .s, .i, .a, .b and, where there is
 * something to say of the key, policy.key-bits (RSA below DKIM_RSA_BITS_GOOD), policy.dnssec and
 * policy.testing. What is not known, or needs UTF-8 where it is not allowed, is left out.
 *
 * prefix: octets of b= that are shown.
 * utf8: the message is internationalised; otherwise domains are given in A-labels (RFC 8616
 *   section 5).
 * Ownership: the result points into the outcome, `arena` and static text.
 */
void dkim_module_result(struct am_result *result, struct am_arena *arena,
                        const struct dkim_outcome *outcome, size_t prefix, bool utf8);

#endif
