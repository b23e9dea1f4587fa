#ifndef TESTS_SUITES_DIFFERENTIAL_GENERATE_H
#define TESTS_SUITES_DIFFERENTIAL_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/*
 * Random zones full of SPF records, from a seed: the same seed, the same zones
 * on every machine. Most records are valid, some are broken by one octet, some
 * are built to pass a limit.
 */

struct generator {
    uint64_t state;
};

/* Domains of one zone: d0.example ... */
#define GENERATE_DOMAINS 8

/* Returns a number below `bound`. */
unsigned generate_number(struct generator *generator, unsigned bound);

/* Appends a zone as master file text. */
void generate_zone(struct generator *generator, struct am_buf *out);

/* Returns a client address, a HELO name, a sender. The texts live until the next call. */
const char *generate_client(struct generator *generator);
const char *generate_helo(struct generator *generator);
const char *generate_sender(struct generator *generator);

#endif
