#include "dkim-milter/dkim_key_record.h"

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_tag.h"

/* Tells whether a list holds a word; what else it holds is of no interest (section 3.6.1). */
static bool lists(const struct dkim_tag *tag, const char *word)
{
    struct am_span rest = tag->value, item;
    while (dkim_list_next(&rest, &item))
        if (am_span_equal(item, am_span_str(word)))
            return true;
    return false;
}

static bool read_type(struct dkim_key_record *record, const struct dkim_tag *tag)
{
    record->type = DKIM_KEY_RSA;
    if (tag == NULL)
        return true;
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        if (!am_span_equal(tag->value, am_span_str(dkim_key_type_word((enum dkim_key_type)type))))
            continue;
        record->type = (enum dkim_key_type)type;
        return true;
    }
    return false;
}

static enum dkim_reason read_octets(struct dkim_key_record *record, struct am_arena *arena,
                                    const struct dkim_tag *tag)
{
    if (tag == NULL)
        return DKIM_REASON_KEY_NO_P;
    if (tag->value.len == 0)
        return DKIM_REASON_KEY_REVOKED;
    if (dkim_base64_decode(arena, tag->value, &record->octets))
        return DKIM_REASON_NONE;
    bool memory = record->octets.len > 0;
    record->octets.len = 0;
    return memory ? DKIM_REASON_MEMORY : DKIM_REASON_KEY_MALFORMED;
}

enum dkim_reason dkim_key_record_parse(struct dkim_key_record *record, struct am_arena *arena,
                                       struct am_span text)
{
    struct dkim_tag_list list;
    *record = (struct dkim_key_record){.type = DKIM_KEY_RSA};
    enum dkim_tag_status status = dkim_tag_list_parse(&list, text);
    const struct dkim_tag *tag = dkim_tag_find(&list, "v");
    /* What follows in a record of another kind need not look like ours. */
    if (tag != NULL && (tag != list.tags || !am_span_equal(tag->value, am_span_str("DKIM1"))))
        return DKIM_REASON_KEY_VERSION;
    if (status != DKIM_TAG_OK)
        return DKIM_REASON_KEY_SYNTAX;
    tag = dkim_tag_find(&list, "t");
    record->testing = tag != NULL && lists(tag, "y");
    record->strict = tag != NULL && lists(tag, "s");
    const struct dkim_tag *p = dkim_tag_find(&list, "p");
    /* A revoked key is revoked whatever else is said about it. */
    if (p != NULL && p->value.len == 0)
        return DKIM_REASON_KEY_REVOKED;
    tag = dkim_tag_find(&list, "s");
    if (tag != NULL && !lists(tag, "*") && !lists(tag, "email"))
        return DKIM_REASON_KEY_SERVICE;
    tag = dkim_tag_find(&list, "h");
    if (tag != NULL && !lists(tag, "sha256"))
        return DKIM_REASON_KEY_HASH;
    if (!read_type(record, dkim_tag_find(&list, "k")))
        return DKIM_REASON_KEY_TYPE_UNKNOWN;
    return read_octets(record, arena, p);
}

enum dkim_reason dkim_key_answer_judge(const struct am_dns_answer *answer)
{
    switch (answer->outcome) {
    case AM_DNS_OK:
        return answer->count == 1 ? DKIM_REASON_NONE : DKIM_REASON_KEY_SEVERAL;
    case AM_DNS_NODATA:
    case AM_DNS_NXDOMAIN:
        return DKIM_REASON_KEY_NONE;
    case AM_DNS_TIMEOUT:
        return DKIM_REASON_DNS_TIMEOUT;
    case AM_DNS_BAD:
        return DKIM_REASON_DNS_BAD;
    default:
        return DKIM_REASON_DNS_FAILURE;
    }
}

const char *dkim_key_record_write(struct am_arena *arena, const struct dkim_private_key *key)
{
    struct am_buf digits;

    am_buf_init(&digits, 0);
    dkim_base64_encode(&digits, dkim_private_key_public_octets(key));
    const char *record =
        digits.failed
            ? NULL
            : am_arena_printf(arena, "v=DKIM1; k=%s; p=%s",
                              dkim_key_type_word(dkim_private_key_type(key)), am_buf_str(&digits));
    am_buf_fini(&digits);
    return record;
}
