#include "dmarc-milter/dmarc_record.h"

struct tag {
    struct am_span name, value;
};

/* Takes the next tag off `rest`; one without "=" has an empty name. */
static bool next_tag(struct am_span *rest, struct tag *tag)
{
    if (rest->len == 0)
        return false;
    size_t end = am_span_find(*rest, ';');
    struct am_span all = am_span_of(rest->ptr, end);
    size_t used = end < rest->len ? end + 1 : end;
    *rest = am_span_of(rest->ptr + used, rest->len - used);
    size_t equals = am_span_find(all, '=');
    *tag = (struct tag){{NULL, 0}, {NULL, 0}};
    if (equals == all.len)
        return true;
    tag->name = am_span_trim(am_span_of(all.ptr, equals));
    tag->value = am_span_trim(am_span_of(all.ptr + equals + 1, all.len - equals - 1));
    return true;
}

static bool is(struct am_span text, const char *word)
{
    return am_span_equal_nocase(text, am_span_str(word));
}

/* --- reporting URIs --- */

/* RFC 3986 section 2, without the two that stand for something else here. */
static bool is_uri_char(char c)
{
    return am_is_alnum((unsigned char)c) ||
           (c != '\0' && strchr("-._~:/?#[]@$&'()*+;=%", c) != NULL);
}

/* Takes "!10m" off the end; what is no size stays and spoils the URI. */
static struct am_span without_size(struct am_span uri)
{
    size_t mark = am_span_find_last(uri, '!'), at = mark + 1, digits = 0;

    for (; at < uri.len && am_is_digit((unsigned char)uri.ptr[at]); at++)
        digits++;
    if (at < uri.len && strchr("kmgt", am_lower(uri.ptr[at])) != NULL)
        at++;
    return mark < uri.len && digits > 0 && at == uri.len ? am_span_of(uri.ptr, mark) : uri;
}

static bool is_address(struct am_span uri)
{
    struct am_span text = without_size(am_span_trim(uri));
    size_t colon = am_span_find(text, ':');

    if (colon == 0 || colon + 1 >= text.len || !am_is_alpha((unsigned char)text.ptr[0]))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (i < colon ? !am_is_alnum((unsigned char)c) && c != '+' && c != '-' && c != '.'
                      : !is_uri_char(c))
            return false;
    }
    if (!is(am_span_of(text.ptr, colon), "mailto"))
        return true;
    size_t at = am_span_find(text, '@');
    return at > colon + 1 && at + 1 < text.len;
}

bool dmarc_record_has_address(struct am_span list)
{
    while (list.len > 0) {
        size_t end = am_span_find(list, ',');
        size_t used = end < list.len ? end + 1 : end;

        if (is_address(am_span_of(list.ptr, end)))
            return true;
        list = am_span_of(list.ptr + used, list.len - used);
    }
    return false;
}

/* --- the record --- */

static enum dmarc_policy policy_of(struct am_span value)
{
    if (is(value, "none"))
        return DMARC_POLICY_NONE;
    if (is(value, "quarantine"))
        return DMARC_POLICY_QUARANTINE;
    return is(value, "reject") ? DMARC_POLICY_REJECT : DMARC_POLICY_ABSENT;
}

static enum dmarc_psd psd_of(struct am_span value)
{
    if (is(value, "y"))
        return DMARC_PSD_YES;
    return is(value, "n") ? DMARC_PSD_NO : DMARC_PSD_UNKNOWN;
}

/* RFC 9989 section 4.8, dmarc-fo: 0 or 1, d and s, each once, in any order. */
static bool is_options(struct am_span value)
{
    unsigned seen = 0;

    for (size_t i = 0; i < value.len; i++) {
        static const char options[] = "01ds";
        const char *known = value.ptr[i] == '\0' ? NULL : strchr(options, am_lower(value.ptr[i]));
        unsigned bit = known == NULL ? 0 : 1U << (known - options);

        if (i % 2 == 1 ? value.ptr[i] != ':' : bit == 0 || (seen & bit) != 0)
            return false;
        seen |= bit;
    }
    return value.len % 2 == 1 && (seen & 3) != 3;
}

/* In the order of enum dmarc_tag. */
static const char *const names[] = {"p",   "sp",  "np", "t",   "adkim", "aspf", "psd",
                                    "rua", "ruf", "fo", "pct", "rf",    "ri"};

/* Takes one tag; returns whether its value is one of its kind. */
static bool take(struct dmarc_record *record, enum dmarc_tag tag, struct am_span value)
{
    switch (tag) {
    case DMARC_TAG_P:
        return (record->p = policy_of(value)) != DMARC_POLICY_ABSENT;
    case DMARC_TAG_SP:
        return (record->sp = policy_of(value)) != DMARC_POLICY_ABSENT;
    case DMARC_TAG_NP:
        return (record->np = policy_of(value)) != DMARC_POLICY_ABSENT;
    case DMARC_TAG_T:
        record->testing = is(value, "y");
        return record->testing || is(value, "n");
    case DMARC_TAG_ADKIM:
        record->strict_dkim = is(value, "s");
        return record->strict_dkim || is(value, "r");
    case DMARC_TAG_ASPF:
        record->strict_spf = is(value, "s");
        return record->strict_spf || is(value, "r");
    case DMARC_TAG_PSD:
        record->psd = psd_of(value);
        return record->psd != DMARC_PSD_UNKNOWN || is(value, "u");
    case DMARC_TAG_RUA:
        record->rua = value;
        return dmarc_record_has_address(value);
    case DMARC_TAG_RUF:
        record->ruf = value;
        return dmarc_record_has_address(value);
    case DMARC_TAG_FO:
        record->fo = is_options(value) ? value : am_span_of(NULL, 0);
        return record->fo.len > 0;
    default:
        return true;
    }
}

bool dmarc_record_is_one(struct am_span text)
{
    struct tag tag;

    /* The grammar has no white space in front of the version. */
    return text.len > 0 && am_lower(text.ptr[0]) == 'v' && next_tag(&text, &tag) &&
           is(tag.name, "v") && am_span_equal(tag.value, am_span_str("DMARC1"));
}

bool dmarc_record_parse(struct dmarc_record *record, struct am_span text)
{
    struct tag tag;

    *record = (struct dmarc_record){.present = 0};
    if (!dmarc_record_is_one(text))
        return false;
    while (next_tag(&text, &tag))
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            unsigned bit = 1U << i;

            if (!is(tag.name, names[i]) || (record->present & bit) != 0)
                continue;
            record->present |= bit;
            if (!take(record, (enum dmarc_tag)bit, tag.value))
                record->bad |= bit;
        }
    return true;
}

enum dmarc_standing dmarc_record_standing(const struct dmarc_record *record)
{
    bool whole =
        record->p != DMARC_POLICY_ABSENT && (record->bad & (DMARC_TAG_SP | DMARC_TAG_NP)) == 0;

    if (whole)
        return DMARC_STANDING_GOOD;
    return (record->present & ~record->bad & DMARC_TAG_RUA) != 0 ? DMARC_STANDING_NONE
                                                                 : DMARC_STANDING_BROKEN;
}

const char *dmarc_policy_word(enum dmarc_policy policy)
{
    static const char *const words[] = {"", "none", "quarantine", "reject"};

    return words[policy];
}
