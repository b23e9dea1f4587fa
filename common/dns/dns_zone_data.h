#ifndef AM_DNS_DNS_ZONE_DATA_H
#define AM_DNS_DNS_ZONE_DATA_H

#include "common/dns/dns_codec.h"

/*
 * The records of a static zone, sorted by owner and type: what the static
 * resolver and the test server look into.
 */

/* One thing that is known about a name. */
struct am_dns_zone_entry {
    const struct am_dns_name *owner;
    uint16_t type; /* 0: the name exists, and nothing more; or a failure of every type */
    enum am_dns_outcome outcome; /* AM_DNS_OK for a record, else the failure a directive asks for */
    struct am_dns_rdata rdata;
    size_t order; /* in the file */
};

struct am_dns_zone_data {
    struct am_arena *arena;
    struct am_dns_zone_entry *entries;
    size_t count, capacity;
};

/*
 * Reads a master file from text (dns_zone.h says what may stand in it).
 *
 * Returns: false with file, line and sentence; nothing is left to free then.
 * Ownership: given back with am_dns_zone_data_fini().
 */
bool am_dns_zone_data_init(struct am_dns_zone_data *data, const char *text, const char *name,
                           struct am_problem *problem) AM_MUST_USE;

/* Frees the records. */
void am_dns_zone_data_fini(struct am_dns_zone_data *data);

/* What the zone says about a question, CNAMEs not followed. */
struct am_dns_zone_match {
    enum am_dns_outcome outcome; /* AM_DNS_OK also when `entries` are CNAMEs in place of `type` */
    const struct am_dns_zone_entry *entries;
    size_t count;
    bool alias;
};

/* Looks a question up; wildcards (RFC 4592) apply. Threads: any. */
void am_dns_zone_data_find(const struct am_dns_zone_data *data, const struct am_dns_name *name,
                           uint16_t type, struct am_dns_zone_match *match);

#endif
