#include "tests/suites/dkim/scenario.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static size_t below(struct scenario *scenario, size_t limit)
{
    return random_below(&scenario->random, limit);
}

static bool one_in(struct scenario *scenario, size_t n)
{
    return below(scenario, n) == 0;
}

/* --- tags --- */

static struct tag *find(struct tags *tags, const char *name)
{
    for (size_t i = 0; i < tags->count; i++)
        if (strcmp(tags->items[i].name, name) == 0)
            return &tags->items[i];
    return NULL;
}

void tags_add(struct tags *tags, const char *name, const char *value)
{
    if (tags->count < TAGS_MAX)
        tags->items[tags->count++] = (struct tag){name, value};
}

void tags_set(struct tags *tags, const char *name, const char *value)
{
    struct tag *tag = find(tags, name);

    if (tag != NULL)
        tag->value = value;
    else
        tags_add(tags, name, value);
}

void tags_remove(struct tags *tags, const char *name)
{
    struct tag *tag = find(tags, name);

    if (tag == NULL)
        return;
    memmove(tag, tag + 1, (size_t)(tags->items + tags->count - tag - 1) * sizeof(*tag));
    tags->count--;
}

const char *tags_value(const struct tags *tags, const char *name)
{
    for (size_t i = 0; i < tags->count; i++)
        if (strcmp(tags->items[i].name, name) == 0)
            return tags->items[i].value;
    return NULL;
}

static void shuffle(struct scenario *scenario, struct tags *tags)
{
    for (size_t i = tags->count; i > 1; i--) {
        size_t other = below(scenario, i);
        struct tag tag = tags->items[i - 1];

        tags->items[i - 1] = tags->items[other];
        tags->items[other] = tag;
    }
}

void signature_note(struct scenario *scenario, struct signature *signature, const char *oddity,
                    enum verdict verdict)
{
    signature->oddities = am_arena_printf(scenario->arena, "%s %s", signature->oddities, oddity);
    if (verdict > signature->verdict)
        signature->verdict = verdict;
}

void scenario_add_field(struct scenario *scenario, struct am_span name, struct am_span value)
{
    if (scenario->field_count == FORGE_FIELDS_MAX)
        abort();
    memmove(scenario->fields + 1, scenario->fields,
            scenario->field_count * sizeof(scenario->fields[0]));
    scenario->fields[0] = (struct forge_field){name, value};
    scenario->field_count++;
}

/* --- content --- */

/* Lines as mail programs write them. */
static void add_lines(struct scenario *scenario, struct am_buf *body)
{
    static const char *const lines[] = {"Hello,",    "",  "two  blanks\tand a TAB", "trailing \t ",
                                        " indented", " ", "> quoted \xc3\xa4",      "--"};

    for (size_t i = below(scenario, 12); i > 0; i--)
        am_buf_printf(body, "%s\r\n", lines[below(scenario, COUNT(lines))]);
}

void scenario_add_content(struct scenario *scenario)
{
    static const char *const values[] = {" A subject", "No blank in front", " ", "",
                                         " trailing blanks \t", "\tfolded\n\twith TABs",
                                         " folded\r\n with CRLF", " a\n  b\n \t c ",
                                         " r\xc3\xa4tsel \xff", " = ; \" ; d=example.net",
                                         /* the odd ones */
                                         " VT\v and FF\f", " a bare\rCR", " \r\r\n x"};
    static const char *const names[] = {"Subject",  "To",       "SUBJECT ", "cc",         "X-Long",
                                        "Comments", "Received", "Reply-To", "X-Odd.Name!"};

    scenario_add_field(scenario, am_span_str("From"), am_span_str(" A <user@example.org>"));
    scenario_add_field(scenario, am_span_str("Date"),
                       am_span_str(" Sat, 12 Sep 2020 01:02:03 +0000"));
    for (size_t i = below(scenario, 10); i > 0; i--) {
        size_t range = COUNT(values) - (one_in(scenario, 10) ? 0 : 3);
        const char *name =
            one_in(scenario, 60) ? "Reply-To\t" : names[below(scenario, COUNT(names))];

        scenario_add_field(scenario, am_span_str(name),
                           am_span_str(values[below(scenario, range)]));
    }
    struct am_buf body;
    am_buf_init(&body, 0);
    if (one_in(scenario, 4))
        random_body(&scenario->random, below(scenario, one_in(scenario, 10) ? 400 : 12), &body);
    else
        add_lines(scenario, &body);
    if (one_in(scenario, 8))
        am_buf_add_str(&body, "no line end");
    scenario->body = am_span_of(am_arena_copy(scenario->arena, am_buf_span(&body)), body.len);
    am_buf_fini(&body);
}

/* --- signatures --- */

static void choose_names(struct scenario *scenario, struct signature *signature)
{
    static const char *const others[] = {"subject",  "To",          "date", "Absent",  "Cc",
                                         "received", "X-Odd.Name!", "FROM", "Reply-To"};
    size_t count = below(scenario, 12), from = below(scenario, count + 1);

    for (size_t i = 0; i <= count; i++)
        signature->names[signature->name_count++] =
            am_span_str(i == from ? "From" : others[below(scenario, COUNT(others))]);
}

/* A valid signature and record; no writing chosen yet. */
static void set_defaults(struct scenario *scenario, struct signature *signature, size_t number)
{
    static const char *const canons[] = {"simple", "relaxed"};
    static const size_t usual[] = {0, 0, 0, 0, 1, 2, 5, 5};

    signature->key = &scenario->keys[usual[below(scenario, COUNT(usual))]];
    signature->header_canon = (enum dkim_canon)below(scenario, 2);
    signature->body_canon = (enum dkim_canon)below(scenario, 2);
    signature->length = SIZE_MAX;
    signature->blank = signature->tail = signature->oddities = "";
    signature->field_name = "DKIM-Signature";
    signature->domain_in_dns = "example.org";
    snprintf(signature->selector, sizeof(signature->selector), "s%zu", number);
    choose_names(scenario, signature);
    tags_add(&signature->tags, "v", "1");
    tags_add(&signature->tags, "a", signature->key->is_rsa ? "rsa-sha256" : "ed25519-sha256");
    tags_add(&signature->tags, "c",
             am_arena_printf(scenario->arena, "%s/%s", canons[signature->header_canon],
                             canons[signature->body_canon]));
    tags_add(&signature->tags, "d", "example.org");
    tags_add(&signature->tags, "s", signature->selector);
    tags_add(&signature->tags, "h", "");
    tags_add(&signature->tags, "bh", "");
    tags_add(&signature->tags, "b", NULL);
    tags_add(&signature->record, "v", "DKIM1");
    tags_add(&signature->record, "k", signature->key->is_rsa ? "rsa" : "ed25519");
    tags_add(&signature->record, "p", signature->key->p);
    if (one_in(scenario, 3))
        shuffle(scenario, &signature->tags);
}

/* White space where it may stand, most often none. */
static const char *blanks(struct scenario *scenario)
{
    static const char *const list[] = {" ", "\t", "\n ", "\r\n\t", "  ", " \n  ", "\r\n "};

    return one_in(scenario, 8) ? list[below(scenario, COUNT(list))] : "";
}

/* Fills h= and bh=, unless an oddity has. */
static void complete_tags(struct scenario *scenario, struct signature *signature)
{
    struct tag *h = find(&signature->tags, "h"), *bh = find(&signature->tags, "bh");
    struct am_buf text;

    if (bh != NULL && strcmp(bh->value, "") == 0)
        bh->value = forge_body_hash(scenario->arena, signature->sha1, signature->body_canon,
                                    scenario->body, signature->length);
    if (h == NULL || strcmp(h->value, "") != 0)
        return;
    am_buf_init(&text, 0);
    for (size_t i = 0; i < signature->name_count; i++) {
        if (i > 0)
            am_buf_printf(&text, "%s:%s", blanks(scenario), blanks(scenario));
        am_buf_add(&text, signature->names[i]);
    }
    h->value = am_arena_copy(scenario->arena, am_buf_span(&text));
    am_buf_fini(&text);
}

/* Writes the text; returns where b= belongs, SIZE_MAX for nowhere. */
static size_t write_tags(struct scenario *scenario, struct signature *signature,
                         struct am_buf *text)
{
    size_t place = SIZE_MAX;

    am_buf_add_str(text, one_in(scenario, 8) ? "" : " ");
    for (size_t i = 0; i < signature->tags.count; i++) {
        const struct tag *tag = &signature->tags.items[i];
        bool is_empty = tag->value != NULL && strcmp(tag->value, "(empty)") == 0;

        if (i > 0)
            am_buf_printf(text, ";%s",
                          one_in(scenario, 4)   ? "\n "
                          : one_in(scenario, 3) ? ""
                                                : " ");
        am_buf_printf(text, "%s%s=", tag->name, tag->value == NULL ? signature->blank : "");
        if (tag->value == NULL && place == SIZE_MAX)
            place = text->len;
        else
            am_buf_printf(text, "%s%s%s", blanks(scenario), is_empty ? "" : tag->value,
                          blanks(scenario));
    }
    am_buf_add_str(text, signature->tail);
    return place;
}

/* b= as it is written: base 64 in one piece, or folded anywhere. */
static void add_signature(struct scenario *scenario, const char *digits, struct am_buf *text)
{
    size_t fold = one_in(scenario, 3) ? 1 + below(scenario, 70) : SIZE_MAX;

    am_buf_add_str(text, blanks(scenario));
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > 0 && i % fold == 0)
            am_buf_add_str(text, "\n ");
        am_buf_add_char(text, digits[i]);
    }
    am_buf_add_str(text, blanks(scenario));
}

static void write_signature(struct scenario *scenario, struct signature *signature)
{
    struct am_buf text, whole;

    complete_tags(scenario, signature);
    am_buf_init(&text, 0);
    am_buf_init(&whole, 0);
    size_t place = write_tags(scenario, signature, &text);
    am_buf_add(&whole, am_span_of(text.data, place < text.len ? place : text.len));
    if (place != SIZE_MAX) {
        const struct forge_order order = {
            .key = signature->key,
            .sha1 = signature->sha1,
            .header_canon = signature->header_canon,
            .fields = scenario->fields,
            .field_count = scenario->field_count,
            .names = signature->names,
            .name_count = signature->name_count,
            .name = am_span_str(signature->field_name),
            .before = am_span_of(text.data, place),
            .after = am_span_of(text.data + place, text.len - place),
        };
        add_signature(scenario, forge_sign(scenario->arena, &order), &whole);
        am_buf_add(&whole, order.after);
    }
    signature->text = am_span_of(am_arena_copy(scenario->arena, am_buf_span(&whole)), whole.len);
    am_buf_fini(&whole);
    am_buf_fini(&text);
    scenario_add_field(scenario, am_span_str(signature->field_name), signature->text);
}

/* --- the zone --- */

/* A TXT record of several strings, as RFC 1035 section 5.1 writes it. */
static void add_txt(struct am_buf *zone, const char *name, const char *text)
{
    size_t len = strlen(text);

    am_buf_printf(zone, "%s 300 IN TXT \"", name);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (i > 0 && i % 200 == 0)
            am_buf_add_str(zone, "\" \"");
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            am_buf_printf(zone, "\\%03u", c);
        else
            am_buf_add_char(zone, (char)c);
    }
    am_buf_add_str(zone, "\"\n");
}

static void add_record(struct scenario *scenario, struct signature *signature, struct am_buf *zone)
{
    struct am_arena *arena = scenario->arena;
    const char *name =
        am_arena_printf(arena, "%s._domainkey.%s.", signature->selector, signature->domain_in_dns);
    struct am_buf text;

    am_buf_init(&text, 0);
    for (size_t i = 0; i < signature->record.count; i++) {
        const struct tag *tag = &signature->record.items[i];

        am_buf_printf(&text, "%s%s=%s", i > 0 ? ";" : "", tag->name, tag->value);
        if (one_in(scenario, 3))
            am_buf_add_char(&text, ' ');
    }
    if (signature->record_text == NULL)
        signature->record_text = am_arena_copy(arena, am_buf_span(&text));
    am_buf_fini(&text);
    if (signature->zone == NULL) {
        add_txt(zone, name, signature->record_text);
    } else if (strcmp(signature->zone, "cname") == 0) {
        am_buf_printf(zone, "%s 300 IN CNAME %s.keys.example.\n", name, signature->selector);
        add_txt(zone, am_arena_printf(arena, "%s.keys.example.", signature->selector),
                signature->record_text);
    } else if (strcmp(signature->zone, "several") == 0) {
        add_txt(zone, name, signature->record_text);
        add_txt(zone, name, "v=spf1 -all");
    } else if (strcmp(signature->zone, "nodata") == 0) {
        am_buf_printf(zone, "%s 300 IN A 192.0.2.1\n", name);
    } else if (strcmp(signature->zone, "nxdomain") != 0) {
        am_buf_printf(zone, ";!%s %s\n", signature->zone, name);
    }
}

void scenario_make(struct scenario *scenario, struct am_arena *arena, const struct forge_key *keys,
                   uint64_t seed)
{
    struct am_buf zone;

    memset(scenario, 0, sizeof(*scenario));
    scenario->arena = arena;
    scenario->keys = keys;
    scenario->random.state = seed;
    scenario_add_content(scenario);
    scenario->signature_count = one_in(scenario, 4) ? 2 + below(scenario, 2) : 1;
    am_buf_init(&zone, 0);
    am_buf_add_str(&zone, "$ORIGIN .\n");
    for (size_t i = scenario->signature_count; i-- > 0;) { /* the lowest signs first */
        struct signature *signature = &scenario->signatures[i];

        set_defaults(scenario, signature, i);
        if (!one_in(scenario, 4))
            oddity_apply(scenario, signature);
        if (one_in(scenario, 8))
            oddity_apply_another(scenario, signature);
        write_signature(scenario, signature);
        add_record(scenario, signature, &zone);
    }
    scenario->zone = am_arena_copy(arena, am_buf_span(&zone));
    am_buf_fini(&zone);
    if (one_in(scenario, 4))
        oddity_change_message(scenario);
}
