#ifndef AUTHMILTER_CHECK_KEYS_H
#define AUTHMILTER_CHECK_KEYS_H

#include "authmilter/check_program.h"
#include "authmilter/check_senders.h"
#include "common/dns/dns.h"

/*
 * Reads the keys of a program that signs as the user who signs, and judges their files.
 *
 * Returns: NULL when they cannot be read at all, which was found already.
 * Ownership: the arena of the findings. Blocking: reads files.
 */
const struct dkim_keys *check_keys_open(struct check_program *program,
                                        struct check_findings *findings);

/* Adds the domains that keys sign for. */
void check_keys_domains(const struct check_program *program, struct check_senders *senders);

/*
 * Compares each key with what the DNS holds under its name.
 *
 * senders: whose domains a key for any domain ("%") is looked up in.
 * Blocking: until every look-up has its answer; a DNS that is silent is given up soon.
 */
void check_keys_published(const struct check_program *program, const struct check_senders *senders,
                          struct am_resolver *resolver, struct check_findings *findings);

/* Judges whether mail of each domain of ours is signed, and by a key that DMARC takes. */
void check_keys_signing(const struct check_program *program, const struct check_senders *senders,
                        struct check_findings *findings);

#endif
