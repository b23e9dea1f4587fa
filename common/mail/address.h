#ifndef AM_MAIL_ADDRESS_H
#define AM_MAIL_ADDRESS_H

#include <stdbool.h>

#include "common/base/span.h"

/*
 * An SMTP path as it comes with MAIL FROM and RCPT TO (RFC 5321 section
 * 4.1.2, RFC 6531): "<user@example.com>", "<@relay:user@example.com>",
 * "user@example.com", "<>", with quoted local parts and address literals.
 *
 * The spans point into the text that was parsed and live as long as it does.
 */
struct am_address {
    struct am_span full;   /* local@domain, without brackets and source route; empty for <> */
    struct am_span local;  /* local part as written, quotes included */
    struct am_span domain; /* after the last '@' outside quotes; empty when there is none */
    bool is_null;          /* <>, or nothing at all */
};

/*
 * Splits a path.
 *
 * Returns: false when it is not one (unbalanced bracket or quote, bytes after
 * the bracket, a control character or NUL); `out` then holds a guess: the text
 * without its outer brackets, split at the last '@' of all, so that it can
 * be shown and a malformed sender does not escape the policy of its domain.
 * Threads: any.
 */
bool am_address_parse(struct am_address *out, struct am_span path);

#endif
