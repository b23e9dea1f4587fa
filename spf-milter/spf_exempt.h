#ifndef SPF_SPF_EXEMPT_H
#define SPF_SPF_EXEMPT_H

#include "common/base/netset.h"
#include "common/mail/pattern.h"
#include "spf-milter/spf_options.h"

/*
 * Who is spared. Two kinds:
 *
 * - exempt from evaluation, by what the client proved to be: its address, its login,
 *   its forward-confirmed PTR name, local submission. Nothing is published for it.
 * - exempt from the policy only, by what it merely claims (HELO name, sender) or by whom it
 *   writes to. The results are published as they are, because other checks
 *   rely on them and anybody can claim a name.
 *
 * Threads: opening one; reading any.
 */
struct spf_exempt;

/* Compiles the lists. Returns NULL with a sentence. Ownership: `arena`. */
struct spf_exempt *spf_exempt_open(struct am_arena *arena, const struct spf_conf *conf,
                                   struct am_problem *problem) AM_MUST_USE;

/* What is known of a client. */
struct spf_client {
    struct am_ip ip;
    bool is_local;
    bool is_authenticated;
    bool is_submitting; /* it came to a socket for our users' mail */
};

/* Returns why a client is not evaluated ("submission", "authenticated",
 * "local", "network"), or NULL. */
const char *spf_exempt_client(const struct spf_exempt *exempt, const struct spf_client *client);

/* Tells whether spf_exempt_ptr() has names to look for. */
bool spf_exempt_wants_ptr(const struct spf_exempt *exempt);

/*
 * Looks for a PTR name of the client that is on the list and whose A or AAAA records
 * hold the client's address: the name a client has, confirmed by us.
 *
 * Returns: the name, or NULL (none listed, none confirmed, the DNS failed).
 * Ownership: `arena`. Blocking: until `deadline_us` at most; 1 look-up of the PTR and
 *   at most 10 of addresses.
 */
const char *spf_exempt_ptr(const struct spf_exempt *exempt, struct am_arena *arena,
                           struct am_resolver *resolver, const struct am_ip *ip,
                           int64_t deadline_us);

/* Returns why the policy does not apply to a message ("helo", "sender"), or NULL. */
const char *spf_exempt_message(const struct spf_exempt *exempt, struct am_arena *arena,
                               struct am_span helo, const struct am_address *sender);

/* Tells whether the policy does not apply to a recipient. */
bool spf_exempt_recipient(const struct spf_exempt *exempt, struct am_arena *arena,
                          const struct am_address *recipient);

/* What kind of address a client has. */
enum spf_address_kind {
    SPF_ADDRESS_PUBLIC,
    SPF_ADDRESS_PRIVATE, /* or loopback, link-local, ...: cannot be a sender out on the Internet */
    SPF_ADDRESS_OWN,     /* in own_networks */
    SPF_ADDRESS_UNKNOWN, /* no IPv4 or IPv6 address */
};

/* Tells what kind of address it is. */
enum spf_address_kind spf_exempt_address(const struct spf_exempt *exempt, const struct am_ip *ip);

/* Tells whether the address is one of the trusted relays'. */
bool spf_exempt_is_relay(const struct spf_exempt *exempt, const struct am_ip *ip);

#endif
