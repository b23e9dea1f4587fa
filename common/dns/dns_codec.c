#include "common/dns/dns_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

/* --- master files --- */

struct am_dns_rr_reader {
    ldns_rdf *origin;
    ldns_rdf *previous;
    ldns_buffer *rdata;
    uint32_t ttl_s;
};

struct am_dns_rr_reader *am_dns_rr_reader_new(void)
{
    struct am_dns_rr_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->ttl_s = 3600;
    reader->rdata = ldns_buffer_new(512);
    reader->origin = ldns_dname_new_frm_str(".");
    if (reader->rdata == NULL || reader->origin == NULL) {
        am_dns_rr_reader_free(reader);
        return NULL;
    }
    return reader;
}

void am_dns_rr_reader_free(struct am_dns_rr_reader *reader)
{
    if (reader == NULL)
        return;
    ldns_rdf_deep_free(reader->origin);
    ldns_rdf_deep_free(reader->previous);
    ldns_buffer_free(reader->rdata);
    free(reader);
}

bool am_dns_rr_reader_set_origin(struct am_dns_rr_reader *reader, const char *text)
{
    ldns_rdf *origin = ldns_dname_new_frm_str(text);

    if (origin == NULL)
        return false;
    if (!ldns_dname_str_absolute(text) &&
        ldns_dname_cat(origin, reader->origin) != LDNS_STATUS_OK) {
        ldns_rdf_deep_free(origin);
        return false;
    }
    ldns_rdf_deep_free(reader->origin);
    reader->origin = origin;
    return true;
}

bool am_dns_rr_reader_set_ttl(struct am_dns_rr_reader *reader, const char *text)
{
    const char *end = text;
    uint32_t ttl_s = ldns_str2period(text, &end);

    if (end == text || *end != '\0')
        return false;
    reader->ttl_s = ttl_s;
    return true;
}

static bool fill_rr(struct am_dns_rr_reader *reader, const ldns_rr *source, struct am_dns_rr *rr)
{
    const ldns_rdf *owner = ldns_rr_owner(source);

    ldns_buffer_clear(reader->rdata);
    if (ldns_rr_rdata2buffer_wire(reader->rdata, source) != LDNS_STATUS_OK ||
        !am_dns_name_from_wire(&rr->owner, ldns_rdf_data(owner), ldns_rdf_size(owner)))
        return false;
    rr->type = (uint16_t)ldns_rr_get_type(source);
    rr->rdata.data = ldns_buffer_begin(reader->rdata);
    rr->rdata.len = ldns_buffer_position(reader->rdata);
    rr->rdata.ttl_s = ldns_rr_ttl(source);
    return rr->rdata.len <= AM_DNS_RDATA_MAX;
}

bool am_dns_rr_reader_read(struct am_dns_rr_reader *reader, const char *line, struct am_dns_rr *rr,
                           struct am_problem *problem)
{
    ldns_rr *read = NULL;
    ldns_status status =
        ldns_rr_new_frm_str(&read, line, reader->ttl_s, reader->origin, &reader->previous);

    if (status != LDNS_STATUS_OK)
        return am_problem_set(problem, "%s", ldns_get_errorstr_by_id(status));
    bool ok = true;
    if (ldns_rr_get_class(read) != LDNS_RR_CLASS_IN)
        ok = am_problem_set(problem, "only class IN is known here");
    else if (!fill_rr(reader, read, rr))
        ok = am_problem_set(problem, "the record is too long");
    ldns_rr_free(read);
    return ok;
}

/* --- replies --- */

/* Negative answers are kept for the SOA's minimum, but never longer than this (RFC 2308 section 5).
 */
#define NEGATIVE_TTL_MAX_S 3600

struct walk {
    const ldns_rr_list *answers;
    enum am_dns_type type;
    struct am_dns_reply *reply;
};

static bool has_owner(const ldns_rr *rr, const struct am_dns_name *name)
{
    struct am_dns_name owner;
    const ldns_rdf *rdf = ldns_rr_owner(rr);

    return rdf != NULL && ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
           am_dns_name_from_wire(&owner, ldns_rdf_data(rdf), ldns_rdf_size(rdf)) &&
           am_dns_name_equal(&owner, name);
}

static const ldns_rr *find(const struct walk *walk, ldns_rr_type type)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(walk->answers); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(walk->answers, i);
        if (ldns_rr_get_type(rr) == type && has_owner(rr, &walk->reply->target))
            return rr;
    }
    return NULL;
}

/*
 * Goes from reply->target along the CNAMEs. A loop passes AM_DNS_CNAME_MAX
 * like a chain that is too long, so both end here.
 */
static bool follow(const struct walk *walk)
{
    struct am_dns_reply *reply = walk->reply;
    const ldns_rr *alias;

    while (find(walk, (ldns_rr_type)walk->type) == NULL &&
           (alias = find(walk, LDNS_RR_TYPE_CNAME)) != NULL) {
        const ldns_rdf *target = ldns_rr_rdf(alias, 0);
        if (target == NULL ||
            !am_dns_name_from_wire(&reply->target, ldns_rdf_data(target), ldns_rdf_size(target))) {
            reply->verdict = AM_DNS_VERDICT_MALFORMED;
            return false;
        }
        if (ldns_rr_ttl(alias) < reply->ttl_s)
            reply->ttl_s = ldns_rr_ttl(alias);
        if (++reply->hops > AM_DNS_CNAME_MAX) {
            reply->verdict = AM_DNS_VERDICT_TOO_LONG;
            return false;
        }
    }
    return true;
}

/* Collects the records of the type asked for into a set; NULL and the verdict when that fails. */
static struct am_dns_set *collect(const struct walk *walk, ldns_buffer *wire,
                                  struct am_dns_rdata *list)
{
    size_t total = ldns_rr_list_rr_count(walk->answers);
    size_t *ends = (size_t *)(list + total);
    size_t count = 0;

    for (size_t i = 0; i < total; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(walk->answers, i);
        if ((int)ldns_rr_get_type(rr) != (int)walk->type || !has_owner(rr, &walk->reply->target))
            continue;
        if (ldns_rr_rdata2buffer_wire(wire, rr) != LDNS_STATUS_OK)
            return NULL;
        list[count].ttl_s = ldns_rr_ttl(rr);
        ends[count++] = ldns_buffer_position(wire);
    }
    /* Only now, as the buffer moves while it grows. */
    for (size_t i = 0, start = 0; i < count; start = ends[i++]) {
        list[i].data = ldns_buffer_begin(wire) + start;
        list[i].len = ends[i] - start;
    }
    return am_dns_set_of_rdata(walk->type, list, count);
}

static void read_records(struct walk *walk)
{
    struct am_dns_reply *reply = walk->reply;
    size_t total = ldns_rr_list_rr_count(walk->answers);
    struct am_dns_rdata *list = calloc(total, sizeof(*list) + sizeof(size_t));
    ldns_buffer *wire = ldns_buffer_new(512);

    reply->verdict = AM_DNS_VERDICT_NO_MEMORY;
    if (list != NULL && wire != NULL)
        reply->set = collect(walk, wire, list);
    if (reply->set != NULL)
        reply->verdict =
            reply->set->outcome == AM_DNS_OK ? AM_DNS_VERDICT_FINAL : AM_DNS_VERDICT_MALFORMED;
    if (reply->verdict != AM_DNS_VERDICT_FINAL) {
        am_dns_set_drop(reply->set);
        reply->set = NULL;
    }
    ldns_buffer_free(wire);
    free(list);
}

/* The SOA of a negative answer (RFC 2308 section 3), or NULL. */
static const ldns_rr *find_soa(const ldns_pkt *packet)
{
    const ldns_rr_list *authority = ldns_pkt_authority(packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(authority, i);
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA && ldns_rr_rd_count(rr) == 7)
            return rr;
    }
    return NULL;
}

static void read_negative(struct am_dns_reply *reply, enum am_dns_outcome outcome,
                          const ldns_rr *soa)
{
    reply->set = am_dns_set_new(outcome);
    if (reply->set == NULL) {
        reply->verdict = AM_DNS_VERDICT_NO_MEMORY;
        return;
    }
    reply->verdict = AM_DNS_VERDICT_FINAL;
    if (soa == NULL)
        return; /* RFC 2308 section 5: not to be cached */
    uint32_t ttl_s = ldns_rdf2native_int32(ldns_rr_rdf(soa, 6));
    if (ldns_rr_ttl(soa) < ttl_s)
        ttl_s = ldns_rr_ttl(soa);
    reply->set->ttl_s = ttl_s < NEGATIVE_TTL_MAX_S ? ttl_s : NEGATIVE_TTL_MAX_S;
    reply->set->storable = true;
}

static void judge(struct walk *walk, const ldns_pkt *packet)
{
    struct am_dns_reply *reply = walk->reply;
    unsigned rcode = ldns_pkt_get_rcode(packet) | (unsigned)ldns_pkt_edns_extended_rcode(packet)
                                                      << 4;
    const ldns_rr *soa = find_soa(packet);
    unsigned hops = reply->hops;

    reply->secure = ldns_pkt_ad(packet);
    if (rcode == LDNS_RCODE_FORMERR || rcode == LDNS_RCODE_NOTIMPL || rcode == 16) {
        reply->verdict = AM_DNS_VERDICT_NO_EDNS;
        return;
    }
    if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN) {
        reply->verdict = AM_DNS_VERDICT_FAILED;
        return;
    }
    if (!follow(walk))
        return;
    if (rcode == LDNS_RCODE_NXDOMAIN) /* of the last name of the chain, RFC 6604 section 3 */
        read_negative(reply, AM_DNS_NXDOMAIN, soa);
    else if (find(walk, (ldns_rr_type)walk->type) != NULL)
        read_records(walk);
    else if (soa == NULL && reply->hops > hops)
        reply->verdict = AM_DNS_VERDICT_ALIAS;
    else if (soa == NULL && !ldns_pkt_ra(packet) && ldns_pkt_nscount(packet) > 0)
        reply->verdict =
            AM_DNS_VERDICT_FAILED; /* a referral: this server does not recurse for us */
    else
        read_negative(reply, AM_DNS_NODATA, soa);
}

void am_dns_reply_read(struct am_dns_reply *reply, const uint8_t *packet, size_t size,
                       const struct am_dns_name *name, enum am_dns_type type, unsigned hops)
{
    ldns_pkt *parsed = NULL;
    ldns_status status = ldns_wire2pkt(&parsed, packet, size);

    *reply = (struct am_dns_reply){.target = *name, .hops = hops, .ttl_s = UINT32_MAX};
    if (status != LDNS_STATUS_OK) {
        reply->verdict =
            status == LDNS_STATUS_MEM_ERR ? AM_DNS_VERDICT_NO_MEMORY : AM_DNS_VERDICT_MALFORMED;
        return;
    }
    struct walk walk = {.answers = ldns_pkt_answer(parsed), .type = type, .reply = reply};
    judge(&walk, parsed);
    ldns_pkt_free(parsed);
    if (reply->set != NULL) {
        if (reply->ttl_s < reply->set->ttl_s)
            reply->set->ttl_s = reply->ttl_s;
        reply->set->secure = reply->secure;
    }
}

/* --- resolv.conf --- */

bool am_dns_resolv_conf_read(const char *path, bool (*add)(void *context, const char *server),
                             void *context, struct am_problem *problem)
{
    ldns_resolver *resolver = NULL;
    ldns_status status = ldns_resolver_new_frm_file(&resolver, path);
    bool ok = true;

    if (status != LDNS_STATUS_OK)
        return am_problem_set(problem, "%s: cannot be read: %s", path,
                              status == LDNS_STATUS_FILE_ERR ? strerror(errno)
                                                             : ldns_get_errorstr_by_id(status));
    for (size_t i = 0; ok && i < ldns_resolver_nameserver_count(resolver); i++) {
        char *text = ldns_rdf2str(ldns_resolver_nameservers(resolver)[i]);
        if (text == NULL)
            ok = am_problem_set(problem, "%s: memory is short", path);
        else
            ok = add(context, text);
        free(text);
    }
    ldns_resolver_deep_free(resolver);
    return ok;
}
