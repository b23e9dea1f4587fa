#include "common/dns/dns_set.h"

#include <stdlib.h>
#include <string.h>

/*
 * Sets are of few sizes. They are freed by whichever thread lets go last, and malloc() keeps some
 * freed blocks of each size for each thread: with every size in use that is megabytes.
 */
#define SIZE_STEP 128

static struct am_dns_set *allocate(enum am_dns_outcome outcome, size_t count, size_t text_bytes)
{
    size_t bytes = sizeof(struct am_dns_set) + count * sizeof(struct am_dns_record) + text_bytes;
    struct am_dns_set *set;

    bytes += (SIZE_STEP - bytes % SIZE_STEP) % SIZE_STEP;
    set = calloc(1, bytes);

    if (set == NULL)
        return NULL;
    atomic_init(&set->references, 1);
    set->outcome = outcome;
    set->bytes = bytes;
    set->count = count;
    return set;
}

struct am_dns_set *am_dns_set_new(enum am_dns_outcome outcome)
{
    return allocate(outcome, 0, 0);
}

struct am_dns_set *am_dns_set_take(struct am_dns_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void am_dns_set_drop(struct am_dns_set *set)
{
    if (set != NULL && atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) == 1)
        free(set);
}

void am_dns_set_show(const struct am_dns_set *set, struct am_dns_answer *answer)
{
    *answer = (struct am_dns_answer){
        .outcome = set->outcome,
        .secure = set->secure,
        .ttl_s = set->ttl_s,
        .count = set->count,
        .records = set->count > 0 ? set->records : NULL,
    };
}

/* Joins the character-strings of a TXT record; `out` may be NULL to ask for the length only. */
static bool join_strings(const struct am_dns_rdata *rdata, char *out, size_t *len)
{
    size_t used = 0;

    for (size_t at = 0; at < rdata->len;) {
        size_t part = rdata->data[at++];
        if (part > rdata->len - at)
            return false;
        if (out != NULL)
            memcpy(out + used, rdata->data + at, part);
        used += part;
        at += part;
    }
    *len = used;
    return true;
}

/* The name inside PTR and MX data; it has to fill the data to its end. */
static bool read_name(const struct am_dns_rdata *rdata, size_t skip, char *out, size_t *len)
{
    struct am_dns_name name;
    char text[AM_DNS_NAME_TEXT_MAX];

    if (rdata->len <= skip ||
        !am_dns_name_from_wire(&name, rdata->data + skip, rdata->len - skip) ||
        name.len != rdata->len - skip)
        return false;
    *len = am_dns_name_print(&name, text);
    if (out != NULL)
        memcpy(out, text, *len);
    return true;
}

/*
 * Reads one record. With `record` NULL it only tells how much text there is;
 * else the text goes to `out`. Returns false when the data is malformed.
 */
static bool read_record(enum am_dns_type type, const struct am_dns_rdata *rdata,
                        struct am_dns_record *record, char *out, size_t *text_len)
{
    bool ok = false;

    *text_len = 0;
    switch (type) {
    case AM_DNS_A:
    case AM_DNS_AAAA:
        if (rdata->len != (type == AM_DNS_A ? 4u : 16u))
            return false;
        if (record != NULL)
            memcpy(record->aaaa, rdata->data, rdata->len);
        return true;
    case AM_DNS_TXT:
        ok = join_strings(rdata, out, text_len);
        break;
    case AM_DNS_PTR:
        ok = read_name(rdata, 0, out, text_len);
        break;
    case AM_DNS_MX:
        ok = read_name(rdata, 2, out, text_len);
        if (ok && record != NULL)
            record->preference = (uint16_t)(rdata->data[0] << 8 | rdata->data[1]);
        break;
    }
    if (ok && record != NULL)
        record->text = am_span_of(out, *text_len);
    return ok;
}

struct am_dns_set *am_dns_set_of_rdata(enum am_dns_type type, const struct am_dns_rdata *list,
                                       size_t count)
{
    size_t text_bytes = 0;
    size_t len;

    for (size_t i = 0; i < count; i++) {
        if (!read_record(type, &list[i], NULL, NULL, &len))
            return am_dns_set_new(AM_DNS_BAD);
        text_bytes += len;
    }
    struct am_dns_set *set = allocate(AM_DNS_OK, count, text_bytes);
    if (set == NULL)
        return NULL;
    char *text = (char *)&set->records[count];
    set->ttl_s = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        (void)read_record(type, &list[i], &set->records[i], text, &len);
        text += len;
        if (list[i].ttl_s < set->ttl_s)
            set->ttl_s = list[i].ttl_s;
    }
    set->storable = true;
    return set;
}
