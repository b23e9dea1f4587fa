#include "tests/suites/dkim/kinds.h"

#include <stdlib.h>

#include "tests/suites/dkim/grammar.h"

/* Octets that are no line end and yet move the library's lines: a CR or LF alone, VT, FF. */
#define ODD_OCTET "[\v\f]|\r($|[^\n])|(^|[^\r])\n([^ \t]|$)"
#define ODD_LINE "(^|[^\r])\n"
#define W "[ \t\r\n]*"

static struct am_span record_of(const struct difference *d)
{
    return am_span_str(d->signature->record_text);
}

static const char *value(const struct difference *d, const char *tag)
{
    return grammar_value(d->scenario->arena, d->text, tag);
}

static bool has_high_octet(struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return true;
    return false;
}

/* What we verify, as the maker of the signature said. */
static bool we_verify(const struct difference *d)
{
    return d->ours->result == DKIM_PASS || d->ours->reason == DKIM_REASON_LENGTH_INCOMPLETE;
}

static bool theirs_is(const struct difference *d, enum dkim_reason reason)
{
    return d->theirs->reason == reason;
}

/* --- what the library cannot read --- */

static bool utf8_in_signature(const struct difference *d)
{
    return theirs_is(d, DKIM_REASON_SIGNATURE_SYNTAX) && has_high_octet(d->text);
}

static bool tab_in_own_name(const struct difference *d)
{
    return theirs_is(d, DKIM_REASON_SIGNATURE_SYNTAX) &&
           strchr(d->signature->field_name, '\t') != NULL;
}

static bool large_time(const struct difference *d)
{
    const char *x = value(d, "x");

    return theirs_is(d, DKIM_REASON_SIGNATURE_SYNTAX) && x != NULL &&
           strtoull(x, NULL, 10) == UINT64_MAX;
}

static bool early_time(const struct difference *d)
{
    const char *t = value(d, "t");

    return theirs_is(d, DKIM_REASON_FUTURE) && t != NULL && strtoull(t, NULL, 10) < 300;
}

static bool late_expiry(const struct difference *d)
{
    const char *x = value(d, "x");

    return theirs_is(d, DKIM_REASON_EXPIRED) && x != NULL && strtoull(x, NULL, 10) > INT64_MAX;
}

static bool quoted_at(const struct difference *d)
{
    const char *i = value(d, "i");

    return (theirs_is(d, DKIM_REASON_IDENTITY_OUTSIDE) ||
            theirs_is(d, DKIM_REASON_IDENTITY_STRICT)) &&
           i != NULL && grammar_matches(am_span_str(i), "^\"[^\"]*@");
}

static bool utf8_in_record(const struct difference *d)
{
    return theirs_is(d, DKIM_REASON_KEY_SYNTAX) && has_high_octet(record_of(d));
}

static bool long_record(const struct difference *d)
{
    return record_of(d).len > 1024 && dkim_reason_result(d->theirs->reason) != DKIM_PASS &&
           d->theirs->dns == AM_DNS_OK;
}

static bool bare_key(const struct difference *d)
{
    const char *p = grammar_value(d->scenario->arena, record_of(d), "p");

    return theirs_is(d, DKIM_REASON_KEY_MALFORMED) && p != NULL &&
           d->signature->key->p_pkcs1 != NULL && strcmp(p, d->signature->key->p_pkcs1) == 0;
}

/* --- what it hashes otherwise --- */

static bool header_mismatch(const struct difference *d)
{
    return we_verify(d) && theirs_is(d, DKIM_REASON_SIGNATURE_MISMATCH);
}

static bool blank_after_b(const struct difference *d)
{
    return header_mismatch(d) && grammar_matches(d->text, "(^|;)" W "b[ \t\r\n]+=");
}

static bool long_names(const struct difference *d)
{
    const char *h = value(d, "h");

    return (header_mismatch(d) || theirs_is(d, DKIM_REASON_FROM_UNSIGNED)) && h != NULL &&
           strlen(h) > 4095;
}

static bool own_field(const struct difference *d)
{
    for (size_t i = 0; i < d->signature->name_count; i++)
        if (am_span_equal_nocase(d->signature->names[i], am_span_str("dkim-signature")))
            return header_mismatch(d);
    return false;
}

/* A field that h= names has it. */
static bool any_signed(const struct difference *d, bool (*judge)(const struct forge_field *field))
{
    for (size_t i = 0; i < d->scenario->field_count; i++) {
        const struct forge_field *field = &d->scenario->fields[i];
        struct am_span name = am_span_trim(field->name);

        for (size_t k = 0; k < d->signature->name_count; k++)
            if (am_span_equal_nocase(d->signature->names[k], name) && judge(field))
                return true;
    }
    return false;
}

static bool has_tab_name(const struct forge_field *field)
{
    return am_span_find(field->name, '\t') < field->name.len;
}

static bool has_odd_value(const struct forge_field *field)
{
    return grammar_matches(field->value, ODD_OCTET);
}

static bool tab_in_name(const struct difference *d)
{
    return header_mismatch(d) && any_signed(d, has_tab_name);
}

/* What the engines make of octets that only one of them takes for white space or a line end. */
static bool differs(const struct difference *d, enum dkim_reason mismatch)
{
    return (we_verify(d) && theirs_is(d, mismatch)) ||
           (d->ours->reason == mismatch && d->theirs->result == DKIM_PASS);
}

static bool odd_header(const struct difference *d)
{
    return differs(d, DKIM_REASON_SIGNATURE_MISMATCH) && any_signed(d, has_odd_value);
}

static bool odd_body(const struct difference *d)
{
    struct am_span body = d->scenario->body;

    return (differs(d, DKIM_REASON_BODY_HASH_MISMATCH) ||
            theirs_is(d, DKIM_REASON_LENGTH_BEYOND)) &&
           (memchr(body.ptr, '\0', body.len) != NULL ||
            grammar_matches(body, ODD_OCTET "|" ODD_LINE));
}

/* --- what it lets pass, or does not look at --- */

static bool sha1(const struct difference *d)
{
    const char *a = value(d, "a");

    return d->ours->reason == DKIM_REASON_ALGORITHM_SHA1 && a != NULL && strcmp(a, "rsa-sha1") == 0;
}

static bool short_key(const struct difference *d)
{
    return d->ours->reason == DKIM_REASON_KEY_SHORT && d->signature->key->bits < 1024;
}

static bool double_tag(const struct difference *d)
{
    return d->ours->reason == DKIM_REASON_DUPLICATE_TAG && grammar_has_double(d->text);
}

static bool type_mismatch(const struct difference *d)
{
    const char *k = grammar_value(d->scenario->arena, record_of(d), "k");

    return d->ours->reason == DKIM_REASON_KEY_TYPE_MISMATCH &&
           d->signature->key->is_rsa != (k == NULL || strcmp(k, "rsa") == 0);
}

static bool query(const struct difference *d)
{
    const char *q = value(d, "q");

    return d->ours->reason == DKIM_REASON_QUERY_UNKNOWN && q != NULL &&
           strstr(q, "dns/txt") == NULL;
}

static bool malformed(const struct difference *d)
{
    return d->ours->result == DKIM_PERMERROR && !grammar_accepts_signature(d->text);
}

static bool double_in_record(const struct difference *d)
{
    return d->ours->reason == DKIM_REASON_KEY_SYNTAX && grammar_has_double(record_of(d));
}

static bool late_version(const struct difference *d)
{
    return d->ours->reason == DKIM_REASON_KEY_VERSION &&
           grammar_matches(record_of(d), ";" W "v" W "=");
}

/* Good base 64, but not of 32 octets. */
static bool short_hash(const struct difference *d)
{
    const char *bh = value(d, "bh");

    return d->ours->reason == DKIM_REASON_BAD_BH && bh != NULL && d->theirs->result == DKIM_FAIL &&
           !grammar_matches(am_span_str(bh), "^([A-Za-z0-9+/]" W "){43}=?$");
}

static bool body_before_dns(const struct difference *d)
{
    return d->ours->reason == DKIM_REASON_BODY_HASH_MISMATCH && d->ours->dns != AM_DNS_OK &&
           d->ours->dns == d->theirs->dns;
}

static bool partial_body(const struct difference *d)
{
    return d->signature->length != SIZE_MAX && (theirs_is(d, DKIM_REASON_LENGTH_INCOMPLETE) ||
                                                d->ours->reason == DKIM_REASON_LENGTH_INCOMPLETE);
}

static bool several_from(const struct difference *d)
{
    return theirs_is(d, DKIM_REASON_SEVERAL_FROM) && d->ours->result == DKIM_PERMERROR;
}

static bool dead_process(const struct difference *d)
{
    return theirs_is(d, DKIM_REASON_ENGINE);
}

const struct difference_kind difference_kinds[] = {
    {"several-from", "ours names a fault of the signature before one of the message", several_from},
    {"utf8", "RFC 8616 4: tags may hold UTF-8; libopendkim takes ASCII only", utf8_in_signature},
    {"own-tab", "RFC 5322 4.5: a TAB may stand before the colon", tab_in_own_name},
    {"x-large", "RFC 6376 3.5: numbers too large for 64 bits never come", large_time},
    {"x-wrap", "the same; libopendkim adds its clock drift and wraps around", late_expiry},
    {"t-wrap", "RFC 6376 3.5: libopendkim takes its clock drift off t= and wraps around",
     early_time},
    {"quoted-at", "RFC 6376 3.5: the local part of i= may be quoted, and hold an @", quoted_at},
    {"record-utf8", "RFC 8616 4: key records may hold UTF-8", utf8_in_record},
    {"record-long", "libopendkim has room for 1,024 octets of a key record", long_record},
    {"pkcs1", "RFC 6376 3.6.1: p= holds an RSAPublicKey", bare_key},
    {"b-blank", "RFC 6376 3.2, 3.5: white space may stand before the = of b=", blank_after_b},
    {"h-long", "libopendkim has room for 4,095 octets of h=", long_names},
    {"own-field", "RFC 6376 3.5: the field itself is never one that h= names", own_field},
    {"tab-name", "RFC 5322 4.5: libopendkim leaves fields with a TAB before the colon out",
     tab_in_name},
    {"odd-header", "RFC 6376 2.8: only SP, TAB and folds are white space", odd_header},
    {"odd-body", "RFC 6376 3.4.3, 3.4.4: only SP, TAB and CRLF count", odd_body},
    {"sha1", "RFC 8301 3.1: rsa-sha1 must not be verified", sha1},
    {"short-key", "RFC 8301 3.2: 1,023 bits are fewer than 1,024", short_key},
    {"double-tag", "RFC 6376 3.2: a tag that is there twice spoils the list", double_tag},
    {"record-double", "the same of a key record", double_in_record},
    {"record-v-late", "RFC 6376 3.6.1: v= comes first", late_version},
    {"type-mismatch", "RFC 6376 3.6.1: k= says what the key is for", type_mismatch},
    {"query", "RFC 6376 3.5: without a method that is known there is no key", query},
    {"malformed",
     "RFC 6376 3.2, 3.5: the text breaks the grammar, and expressions of its own agree", malformed},
    {"bh-short", "RFC 6376 6.1.1: a hash of another length is malformed, not another hash",
     short_hash},
    {"body-before-dns", "a body that does not fit is final; what the DNS did not say is not",
     body_before_dns},
    {"partial", "RFC 6376 8.2: l= is held against the canonical body, not the one that came",
     partial_body},
    {"dead",
     "libopendkim wrote beyond its list of fields when h= named more than there are, and died",
     dead_process},
    {NULL, NULL, NULL},
};

int difference_kind(const struct difference *difference)
{
    for (int i = 0; difference_kinds[i].name != NULL; i++)
        if (difference_kinds[i].applies(difference))
            return i;
    return -1;
}
