#ifndef SRS_SRS_MODULE_SOCKETMAP_H
#define SRS_SRS_MODULE_SOCKETMAP_H

#include "common/base/buf.h"
#include "srs-milter/srs_options.h"

/*
 * The socketmap protocol (socketmap_table(5) of Postfix, socket maps of Sendmail): a netstring
 * "forward user@example.com" is answered by one with "OK <address>", "NOTFOUND " or "TEMP
 * <reason>". Two maps: `forward` rewrites a sender as a forwarder does, `reverse` turns a
 * recipient back. A client may ask any number of times on one connection.
 */

/* Longest request in octets: longer than any address; the client is cut off. */
#define SRS_SOCKETMAP_REQUEST_MAX 1024

enum srs_netstring {
    SRS_NETSTRING_WHOLE, /* taken */
    SRS_NETSTRING_PART,  /* more octets are needed */
    SRS_NETSTRING_BAD,   /* never will be one, or too long */
};

/*
 * Takes a netstring off the beginning of `input`.
 *
 * text: what it holds, pointing into `input`. taken: octets it takes up.
 */
enum srs_netstring srs_netstring_take(struct am_span input, struct am_span *text, size_t *taken);

/* Appends a netstring. */
void srs_netstring_add(struct am_buf *out, struct am_span text);

/* What became of requests; added up by the server for its log. */
struct srs_socketmap_counts {
    uint64_t found, not_found, refused, failed;
};

/*
 * Answers one request: appends a netstring to `out`.
 *
 * A key that is no address, a sender of ours and a recipient that is not rewritten are not found;
 * so is a forged or expired recipient, which the mail server then refuses as unknown.
 * arena: for short-lived texts. Blocking: never.
 */
void srs_socketmap_answer(const struct srs_derived *derived, struct am_arena *arena,
                          struct am_span request, int64_t now_s, struct am_buf *out,
                          struct srs_socketmap_counts *counts);

#endif
