#ifndef AM_DNS_DNS_KEY_H
#define AM_DNS_DNS_KEY_H

#include "common/dns/dns.h"
#include "common/dns/dns_name.h"

/* A secret, so that nobody who chooses names can choose where they fall in a table. */
struct am_dns_key_seed {
    uint64_t word[2];
};

/* Makes a random seed. Returns false when the operating system has no random bytes. */
bool am_dns_key_seed_make(struct am_dns_key_seed *seed);

/* Hashes a question: SipHash-1-3 of the name, then the type. Threads: any. */
uint64_t am_dns_key_hash(const struct am_dns_key_seed *seed, const struct am_dns_name *name,
                         enum am_dns_type type);

#endif
