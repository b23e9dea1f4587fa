#include "tests/suites/dkim/scenario.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* What is done to the tags of a signature or of a key record. */
enum deed {
    SET,
    REMOVE,
    DOUBLE,     /* a second time, with another value */
    FIRST,      /* in front of all others */
    RECORD_SET, /* the same for the record */
    RECORD_REMOVE,
    RECORD_DOUBLE,
    RECORD_FIRST,
    RECORD_TEXT, /* in place of the whole record */
    ZONE,        /* what the DNS says */
    BLANK,       /* before the "=" of b= */
    TAIL,        /* at the end of the text */
};

static const struct oddity {
    const char *name;
    enum verdict verdict;
    enum deed deed;
    const char *tag, *value;
} oddities[] = {
    /* Writings that are right. */
    {"b-blank", VERDICT_RIGHT, BLANK, NULL, " "},
    {"b-fold", VERDICT_RIGHT, BLANK, NULL, "\r\n\t "},
    {"tail", VERDICT_RIGHT, TAIL, NULL, ";"},
    {"tail-blank", VERDICT_RIGHT, TAIL, NULL, "; "},
    {"tag-blank", VERDICT_RIGHT, SET, "x_tag ", "1"},
    {"unknown-tag", VERDICT_RIGHT, SET, "B", "Zm9v"},
    {"unknown-tag", VERDICT_RIGHT, SET, "a_0", "< b"},
    {"unknown-empty", VERDICT_RIGHT, SET, "r", "(empty)"},
    {"unknown-first", VERDICT_RIGHT, FIRST, "y", "="},
    {"equals", VERDICT_RIGHT, SET, "n", "a=b==c"},
    {"utf8-tag", VERDICT_RIGHT, SET, "n", "gr\xc3\xbc\xc3\x9f"},
    {"utf8-identity", VERDICT_RIGHT, SET, "i", "j\xc3\xb6rg@example.org"},
    {"quoted-at", VERDICT_RIGHT, SET, "i", "\"a@b\"@example.org"},
    {"quoted-semicolon", VERDICT_RIGHT, SET, "i", "\"a=3Bb\"@example.org"},
    {"identity", VERDICT_RIGHT, SET, "i", "user@example.org"},
    {"identity-qp", VERDICT_RIGHT, SET, "i", "us=65r=40example.org"},
    {"identity-case", VERDICT_RIGHT, SET, "i", "@EXAMPLE.org"},
    {"identity-below", VERDICT_RIGHT, SET, "i", "@a.b.example.org"},
    {"identity-fold", VERDICT_RIGHT, SET, "i", "us\n er @example\r\n\t.org"},
    {"t-zero", VERDICT_RIGHT, SET, "t", "0"},
    {"t", VERDICT_RIGHT, SET, "t", "1600000000"},
    {"t-zeros", VERDICT_RIGHT, SET, "t", "00000001600000000"},
    {"x", VERDICT_RIGHT, SET, "x", "253402300799"},
    {"x-20-digits", VERDICT_RIGHT, SET, "x", "99999999999999999999"},
    {"x-64-bits", VERDICT_RIGHT, SET, "x", "18446744073709551615"},
    {"x-wraps", VERDICT_RIGHT, SET, "x", "18446744073709551500"},
    {"x-63-bits", VERDICT_RIGHT, SET, "x", "9223372036854775807"},
    {"z", VERDICT_RIGHT, SET, "z", "From:=20me|Subject:=20a=3Bb"},
    {"q", VERDICT_RIGHT, SET, "q", "dns/txt"},
    {"q-list", VERDICT_RIGHT, SET, "q", "x-http : dns/txt"},
    {"d-case", VERDICT_RIGHT, SET, "d", "Example.ORG"},
    /* Writings that are wrong. */
    {"double-d", VERDICT_WRONG, DOUBLE, "d", "example.net"},
    {"double-s", VERDICT_WRONG, DOUBLE, "s", "other"},
    {"double-b", VERDICT_WRONG, DOUBLE, "b", "AAAA"},
    {"double-v", VERDICT_WRONG, DOUBLE, "v", "1"},
    {"double-unknown", VERDICT_WRONG, DOUBLE, "n", "1"},
    {"double-i", VERDICT_WRONG, DOUBLE, "i", "@example.org"},
    {"no-v", VERDICT_WRONG, REMOVE, "v", NULL},
    {"no-a", VERDICT_WRONG, REMOVE, "a", NULL},
    {"no-b", VERDICT_WRONG, REMOVE, "b", NULL},
    {"no-bh", VERDICT_WRONG, REMOVE, "bh", NULL},
    {"no-d", VERDICT_WRONG, REMOVE, "d", NULL},
    {"no-h", VERDICT_WRONG, REMOVE, "h", NULL},
    {"no-s", VERDICT_WRONG, REMOVE, "s", NULL},
    {"empty-v", VERDICT_WRONG, SET, "v", "(empty)"},
    {"empty-a", VERDICT_WRONG, SET, "a", "(empty)"},
    {"empty-b", VERDICT_WRONG, SET, "b", "(empty)"},
    {"empty-bh", VERDICT_WRONG, SET, "bh", "(empty)"},
    {"empty-d", VERDICT_WRONG, SET, "d", "(empty)"},
    {"empty-h", VERDICT_WRONG, SET, "h", "(empty)"},
    {"empty-s", VERDICT_WRONG, SET, "s", "(empty)"},
    {"empty-c", VERDICT_WRONG, SET, "c", "(empty)"},
    {"empty-i", VERDICT_WRONG, SET, "i", "(empty)"},
    {"empty-l", VERDICT_WRONG, SET, "l", "(empty)"},
    {"empty-q", VERDICT_WRONG, SET, "q", "(empty)"},
    {"empty-t", VERDICT_WRONG, SET, "t", "(empty)"},
    {"empty-x", VERDICT_WRONG, SET, "x", "(empty)"},
    {"v-2", VERDICT_WRONG, SET, "v", "2"},
    {"v-0.5", VERDICT_WRONG, SET, "v", "0.5"},
    {"v-1.0", VERDICT_WRONG, SET, "v", "1.0"},
    {"v-blank", VERDICT_WRONG, SET, "v", "1 1"},
    {"a-unknown", VERDICT_WRONG, SET, "a", "rsa-sha512"},
    {"a-blank", VERDICT_WRONG, SET, "a", "rsa -sha256"},
    {"c-unknown", VERDICT_WRONG, SET, "c", "nofws/simple"},
    {"c-third", VERDICT_WRONG, SET, "c", "relaxed/relaxed/relaxed"},
    {"c-slash", VERDICT_WRONG, SET, "c", "relaxed/"},
    {"q-unknown", VERDICT_WRONG, SET, "q", "dns/cert"},
    {"q-dns", VERDICT_OPEN, SET, "q", "dns"},
    {"h-no-from", VERDICT_WRONG, SET, "h", "Subject:To:Date"},
    {"h-from-of", VERDICT_WRONG, SET, "h", "From-Of:To"},
    {"h-empty-name", VERDICT_WRONG, SET, "h", "From::To"},
    {"h-colon", VERDICT_WRONG, SET, "h", "From:To:"},
    {"h-inner-blank", VERDICT_WRONG, SET, "h", "From:Reply To"},
    {"i-outside", VERDICT_WRONG, SET, "i", "user@example.com"},
    {"i-parent", VERDICT_WRONG, SET, "i", "@org"},
    {"i-suffix", VERDICT_WRONG, SET, "i", "@badexample.org"},
    {"i-no-at", VERDICT_WRONG, SET, "i", "example.org"},
    {"i-two-ats", VERDICT_WRONG, SET, "i", "a@example.com@example.org"},
    {"i-two-ats", VERDICT_WRONG, SET, "i", "a@example.org@example.com"},
    {"i-junk", VERDICT_WRONG, SET, "i", "a@b(c.example.org"},
    {"i-qp-bad", VERDICT_WRONG, SET, "i", "us=6@example.org"},
    {"i-qp-nul", VERDICT_WRONG, SET, "i", "us=00@example.org"},
    {"i-qp-crlf", VERDICT_WRONG, SET, "i", "us=0D=0A@example.org"},
    {"d-label", VERDICT_WRONG, SET, "d", "org"},
    {"d-dot", VERDICT_WRONG, SET, "d", "example.org."},
    {"d-junk", VERDICT_WRONG, SET, "d", "example.org(.evil.example"},
    {"d-blank", VERDICT_WRONG, SET, "d", "example .org"},
    {"d-hyphen", VERDICT_WRONG, SET, "d", "-example.org"},
    {"d-underscore", VERDICT_OPEN, SET, "d", "_x.example.org"},
    {"s-junk", VERDICT_WRONG, SET, "s", "s0;x"},
    {"s-slash", VERDICT_WRONG, SET, "s", "s0/../x"},
    {"t-future", VERDICT_WRONG, SET, "t", "253402300799"},
    {"t-letters", VERDICT_WRONG, SET, "t", "1600000000s"},
    {"t-plus", VERDICT_WRONG, SET, "t", "+1600000000"},
    {"t-blank", VERDICT_WRONG, SET, "t", "1600 000000"},
    {"t-minus", VERDICT_WRONG, SET, "t", "-1"},
    {"t-hex", VERDICT_WRONG, SET, "t", "0x10"},
    {"x-past", VERDICT_WRONG, SET, "x", "1600000001"},
    {"x-letters", VERDICT_WRONG, SET, "x", "never"},
    {"x-plus", VERDICT_WRONG, SET, "x", "+253402300799"},
    {"l-letters", VERDICT_WRONG, SET, "l", "12x"},
    {"l-minus", VERDICT_WRONG, SET, "l", "-1"},
    {"l-plus", VERDICT_WRONG, SET, "l", "+0"},
    {"l-20-digits", VERDICT_WRONG, SET, "l", "99999999999999999999"},
    {"l-76-digits", VERDICT_WRONG, SET, "l",
     "1000000000000000000000000000000000000000000000000000000000000000000000000000"},
    {"bh-junk", VERDICT_WRONG, SET, "bh", "!!!!"},
    {"bh-short", VERDICT_WRONG, SET, "bh", "AAAA"},
    {"tag-name", VERDICT_WRONG, SET, "1x", "1"},
    {"tag-name", VERDICT_WRONG, SET, "x-y", "1"},
    {"tag-space", VERDICT_WRONG, SET, "x y", "1"},
    {"tail-word", VERDICT_WRONG, TAIL, NULL, "; word"},
    {"tail-two", VERDICT_WRONG, TAIL, NULL, ";;"},
    {"control", VERDICT_WRONG, SET, "n", "a\vb"},
    {"control", VERDICT_WRONG, SET, "n", "a\x01"},
    {"del", VERDICT_WRONG, SET, "n", "a\x7f"},
    {"bare-cr", VERDICT_WRONG, SET, "n", "a\rb"},
    {"bare-cr-b", VERDICT_WRONG, BLANK, NULL, "\r"},
    {"ff-b", VERDICT_WRONG, BLANK, NULL, "\f"},
    {"invalid-utf8", VERDICT_WRONG, SET, "n", "\xc3"},
    /* Records. */
    {"record-no-v", VERDICT_RIGHT, RECORD_REMOVE, "v", NULL},
    {"record-h", VERDICT_RIGHT, RECORD_SET, "h", "sha1:sha256"},
    {"record-h-blank", VERDICT_RIGHT, RECORD_SET, "h", "x-foo : sha256"},
    {"record-s", VERDICT_RIGHT, RECORD_SET, "s", "email"},
    {"record-s-all", VERDICT_RIGHT, RECORD_SET, "s", "*"},
    {"record-s-list", VERDICT_RIGHT, RECORD_SET, "s", "tlsrpt:email"},
    {"record-t", VERDICT_RIGHT, RECORD_SET, "t", "y"},
    {"record-t-empty", VERDICT_OPEN, RECORD_SET, "t", ""},
    {"record-n", VERDICT_RIGHT, RECORD_SET, "n", "a =20 note"},
    {"record-utf8", VERDICT_RIGHT, RECORD_SET, "n", "gr\xc3\xbc\xc3\x9f"},
    {"record-g", VERDICT_RIGHT, RECORD_SET, "g", "other"},
    {"record-unknown", VERDICT_RIGHT, RECORD_SET, "x_y", ""},
    {"record-blank", VERDICT_RIGHT, RECORD_SET, "m ", " 1"},
    {"cname", VERDICT_RIGHT, ZONE, NULL, "cname"},
    {"record-v-2", VERDICT_WRONG, RECORD_SET, "v", "DKIM2"},
    {"record-v-case", VERDICT_WRONG, RECORD_SET, "v", "dkim1"},
    {"record-v-empty", VERDICT_WRONG, RECORD_SET, "v", ""},
    {"record-v-late", VERDICT_WRONG, RECORD_FIRST, "n", "first"},
    {"record-k-unknown", VERDICT_WRONG, RECORD_SET, "k", "dsa"},
    {"record-k-empty", VERDICT_WRONG, RECORD_SET, "k", ""},
    {"record-h-sha1", VERDICT_WRONG, RECORD_SET, "h", "sha1"},
    {"record-h-unknown", VERDICT_WRONG, RECORD_SET, "h", "sha512"},
    {"record-h-empty", VERDICT_OPEN, RECORD_SET, "h", ""},
    {"record-s-other", VERDICT_WRONG, RECORD_SET, "s", "tlsrpt"},
    {"record-s-empty", VERDICT_OPEN, RECORD_SET, "s", ""},
    {"record-revoked", VERDICT_WRONG, RECORD_SET, "p", ""},
    {"record-no-p", VERDICT_WRONG, RECORD_REMOVE, "p", NULL},
    {"record-junk", VERDICT_WRONG, RECORD_SET, "p", "!!!!"},
    {"record-short", VERDICT_WRONG, RECORD_SET, "p", "AAAA"},
    {"record-one", VERDICT_WRONG, RECORD_SET, "p", "A"},
    {"record-double-p", VERDICT_WRONG, RECORD_DOUBLE, "p", "AAAA"},
    {"record-double-n", VERDICT_WRONG, RECORD_DOUBLE, "n", "1"},
    {"record-empty", VERDICT_WRONG, RECORD_TEXT, NULL, ""},
    {"record-spf", VERDICT_WRONG, RECORD_TEXT, NULL, "v=spf1 -all"},
    {"record-text", VERDICT_WRONG, RECORD_TEXT, NULL, "no tags here"},
    {"record-control", VERDICT_WRONG, RECORD_SET, "n", "a\x01"},
    {"several", VERDICT_WRONG, ZONE, NULL, "several"},
    {"nxdomain", VERDICT_WRONG, ZONE, NULL, "nxdomain"},
    {"nodata", VERDICT_WRONG, ZONE, NULL, "nodata"},
    {"servfail", VERDICT_WRONG, ZONE, NULL, "servfail"},
    {"timeout", VERDICT_WRONG, ZONE, NULL, "timeout"},
};

static const char *value_of(const struct oddity *oddity)
{
    return oddity->value == NULL ? "" : oddity->value;
}

static void apply(struct signature *signature, const struct oddity *oddity)
{
    bool is_record = oddity->deed >= RECORD_SET;
    struct tags *tags = is_record ? &signature->record : &signature->tags;

    switch (oddity->deed) {
    case SET:
    case RECORD_SET:
        tags_set(tags, oddity->tag, value_of(oddity));
        break;
    case REMOVE:
    case RECORD_REMOVE:
        tags_remove(tags, oddity->tag);
        break;
    case DOUBLE:
    case RECORD_DOUBLE:
        if (tags_value(tags, oddity->tag) == NULL && strcmp(oddity->tag, "b") != 0)
            tags_add(tags, oddity->tag, value_of(oddity));
        tags_add(tags, oddity->tag, value_of(oddity));
        break;
    case FIRST:
    case RECORD_FIRST:
        if (tags->count < TAGS_MAX) {
            memmove(tags->items + 1, tags->items, tags->count++ * sizeof(tags->items[0]));
            tags->items[0] = (struct tag){oddity->tag, value_of(oddity)};
        }
        break;
    case RECORD_TEXT:
        signature->record_text = value_of(oddity);
        break;
    case ZONE:
        signature->zone = oddity->value;
        break;
    case BLANK:
        signature->blank = oddity->value;
        break;
    case TAIL:
        signature->tail = oddity->value;
        break;
    }
}

/* --- oddities that need a thought --- */

static void long_names(struct scenario *scenario, struct signature *signature)
{
    for (size_t i = 0; i < 500 && signature->name_count < NAMES_MAX; i++)
        signature->names[signature->name_count++] = am_span_str("X-Absent");
    signature_note(scenario, signature, "h-long", VERDICT_RIGHT);
}

/* The same with From at the end. */
static void late_from(struct scenario *scenario, struct signature *signature)
{
    signature->name_count = 0;
    long_names(scenario, signature);
    signature->names[signature->name_count++] = am_span_str("From");
}

/* h= names every field there is, and more. */
static void all_fields(struct scenario *scenario, struct signature *signature)
{
    signature->name_count = 0;
    for (size_t i = 0; i < scenario->field_count; i++)
        signature->names[signature->name_count++] = am_span_trim(scenario->fields[i].name);
    for (size_t i = 0; i < 3; i++)
        signature->names[signature->name_count++] = am_span_str("DKIM-Signature");
    /* A signature that is added later is taken for one that was not to be added. */
    signature_note(scenario, signature, "h-all",
                   signature == scenario->signatures ? VERDICT_RIGHT : VERDICT_OPEN);
}

static void sha1_hash(struct scenario *scenario, struct signature *signature)
{
    signature->sha1 = true;
    signature->key = &scenario->keys[0];
    tags_set(&signature->tags, "a", "rsa-sha1");
    tags_set(&signature->record, "k", "rsa");
    tags_set(&signature->record, "p", signature->key->p);
    signature_note(scenario, signature, "sha1", VERDICT_WRONG);
}

static void short_key(struct scenario *scenario, struct signature *signature)
{
    signature->key = &scenario->keys[3 + random_below(&scenario->random, 2)];
    tags_set(&signature->tags, "a", "rsa-sha256");
    tags_set(&signature->record, "k", "rsa");
    tags_set(&signature->record, "p", signature->key->p);
    signature_note(scenario, signature, "short-key", VERDICT_WRONG);
}

static void other_key(struct scenario *scenario, struct signature *signature)
{
    tags_set(&signature->record, "p", scenario->keys[signature->key->is_rsa ? 2 : 0].p);
    signature_note(scenario, signature, "other-key",
                   signature->key == &scenario->keys[2] ? VERDICT_RIGHT : VERDICT_WRONG);
}

static void type_mismatch(struct scenario *scenario, struct signature *signature)
{
    tags_set(&signature->record, "k", signature->key->is_rsa ? "ed25519" : "rsa");
    signature_note(scenario, signature, "k-mismatch", VERDICT_WRONG);
}

static void type_missing(struct scenario *scenario, struct signature *signature)
{
    tags_remove(&signature->record, "k");
    signature_note(scenario, signature, "record-no-k",
                   signature->key->is_rsa ? VERDICT_RIGHT : VERDICT_WRONG);
}

static void bare_key(struct scenario *scenario, struct signature *signature)
{
    if (!signature->key->is_rsa || strcmp(tags_value(&signature->record, "p"), signature->key->p))
        return;
    tags_set(&signature->record, "p", signature->key->p_pkcs1);
    signature_note(scenario, signature, "pkcs1", VERDICT_RIGHT);
}

static void folded_key(struct scenario *scenario, struct signature *signature)
{
    const char *p = tags_value(&signature->record, "p");

    if (p == NULL || strlen(p) < 20)
        return;
    tags_set(&signature->record, "p", am_arena_printf(scenario->arena, " %.10s \t %s ", p, p + 10));
    signature_note(scenario, signature, "p-blank", VERDICT_RIGHT);
}

static void cut_key(struct scenario *scenario, struct signature *signature)
{
    const char *p = tags_value(&signature->record, "p");
    size_t len = p == NULL ? 0 : strlen(p);

    if (len < 20)
        return;
    tags_set(&signature->record, "p",
             am_arena_printf(scenario->arena, "%.*s",
                             (int)(len - 1 - random_below(&scenario->random, 9)), p));
    signature_note(scenario, signature, "p-cut", VERDICT_OPEN);
}

static void long_record(struct scenario *scenario, struct signature *signature)
{
    char *note = am_arena_alloc(scenario->arena, 1001);

    memset(note, 'n', 1000);
    tags_remove(&signature->record, "p");
    tags_set(&signature->record, "n", note);
    tags_set(&signature->record, "p", signature->key->p);
    signature_note(scenario, signature, "record-long", VERDICT_RIGHT);
}

static void strict_key(struct scenario *scenario, struct signature *signature)
{
    static const char *const identities[] = {"@example.org", "@EXAMPLE.ORG", "@a.example.org",
                                             "\"x@y\"@example.org"};
    size_t which = random_below(&scenario->random, COUNT(identities));

    tags_set(&signature->record, "t", random_below(&scenario->random, 2) ? "s" : "y : s");
    tags_set(&signature->tags, "i", identities[which]);
    signature_note(scenario, signature, "t=s", which == 2 ? VERDICT_WRONG : VERDICT_RIGHT);
}

static void idn_domain(struct scenario *scenario, struct signature *signature)
{
    tags_set(&signature->tags, "d",
             "b\xc3\xbc"
             "cher.example");
    tags_remove(&signature->tags, "i");
    signature->domain_in_dns = "xn--bcher-kva.example";
    signature_note(scenario, signature, "utf8-d", VERDICT_RIGHT);
}

static void subdomain(struct scenario *scenario, struct signature *signature)
{
    tags_set(&signature->tags, "d", "mail.example.net");
    tags_remove(&signature->tags, "i");
    signature->domain_in_dns = "mail.example.net";
    signature_note(scenario, signature, "other-d", VERDICT_RIGHT);
}

static void part_of_body(struct scenario *scenario, struct signature *signature)
{
    size_t len = forge_body_len(signature->body_canon, scenario->body);
    size_t choice = random_below(&scenario->random, 4);

    signature->length = choice == 0   ? 0
                        : choice == 1 ? len
                                      : random_below(&scenario->random, len + 1);
    signature->partial = signature->length < len;
    if (choice == 3) {
        signature->length = len + 1 + random_below(&scenario->random, 2000);
        signature->partial = false;
    }
    tags_set(
        &signature->tags, "l",
        am_arena_printf(scenario->arena, "%s%zu", choice == 2 ? "000" : "", signature->length));
    signature_note(scenario, signature, "l", choice == 3 ? VERDICT_WRONG : VERDICT_RIGHT);
}

static void expiry_order(struct scenario *scenario, struct signature *signature)
{
    bool equal = random_below(&scenario->random, 2) == 0;

    tags_set(&signature->tags, "t", "1600000000");
    tags_set(&signature->tags, "x", equal ? "1600000000" : "1599999999");
    signature_note(scenario, signature, "x-before-t", VERDICT_WRONG);
}

static void simple_body(struct scenario *scenario, struct signature *signature)
{
    bool none = random_below(&scenario->random, 2) == 0;

    signature->body_canon = DKIM_CANON_SIMPLE;
    signature->header_canon = none ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED;
    if (none)
        tags_remove(&signature->tags, "c");
    else
        tags_set(&signature->tags, "c", "relaxed");
    signature_note(scenario, signature, "c-default", VERDICT_RIGHT);
}

static void field_name(struct scenario *scenario, struct signature *signature)
{
    static const char *const names[] = {"dkim-signature", "DKIM-SIGNATURE ", "Dkim-Signature\t"};

    signature->field_name = names[random_below(&scenario->random, COUNT(names))];
    signature_note(scenario, signature, "field-name", VERDICT_RIGHT);
}

static void (*const thoughtful[])(struct scenario *scenario, struct signature *signature) = {
    long_names,   all_fields,    all_fields,   late_from,    sha1_hash,   short_key,
    other_key,    type_mismatch, type_missing, bare_key,     folded_key,  cut_key,
    strict_key,   idn_domain,    subdomain,    part_of_body, long_record, part_of_body,
    expiry_order, simple_body,   field_name,   part_of_body,
};

void oddity_apply(struct scenario *scenario, struct signature *signature)
{
    size_t number = random_below(&scenario->random, COUNT(oddities) + 2 * COUNT(thoughtful));

    if (number >= COUNT(oddities)) {
        thoughtful[(number - COUNT(oddities)) % COUNT(thoughtful)](scenario, signature);
        return;
    }
    apply(signature, &oddities[number]);
    signature_note(scenario, signature, oddities[number].name, oddities[number].verdict);
}

/* What the first oddity did stays as it is, or its verdict would be worth nothing. */
void oddity_apply_another(struct scenario *scenario, struct signature *signature)
{
    const struct oddity *oddity = &oddities[random_below(&scenario->random, COUNT(oddities))];
    static const char *const untouched[] = {"n", "r", "z", "q"};

    for (size_t i = 0; i < COUNT(untouched); i++) {
        bool is_set = oddity->deed == SET || oddity->deed == RECORD_SET;

        if (!is_set || strcmp(oddity->tag, untouched[i]) != 0 || signature->record_text != NULL ||
            tags_value(&signature->tags, oddity->tag) != NULL ||
            tags_value(&signature->record, oddity->tag) != NULL)
            continue;
        apply(signature, oddity);
        signature_note(scenario, signature, oddity->name, oddity->verdict);
        return;
    }
}
