#include "tests/unit/dkim/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_body_hash.h"
#include "dkim-milter/dkim_canon_header.h"
#include "dkim-milter/dkim_selection.h"

/* --- the DNS --- */

struct rig_query {
    struct am_dns_query query;
    struct rig *rig;
    const struct am_dns_answer *answer;
    int64_t ready_us;
    struct rig_query *next;
};

static const struct am_dns_answer nothing = {.outcome = AM_DNS_NXDOMAIN};
static const struct am_dns_answer late = {.outcome = AM_DNS_TIMEOUT};
static const struct am_resolver_ops rig_ops;

static void deliver(struct rig *rig)
{
    for (struct rig_query *q = rig->alive; q != NULL; q = q->next)
        if (q->query.answer == NULL && q->ready_us <= rig->now_us)
            q->query.answer = q->answer;
}

static struct rig_answer *find_answer(const struct rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->answer_count; i++)
        if (strcmp(rig->answers[i].name, name) == 0)
            return &rig->answers[i];
    return NULL;
}

static struct am_dns_query *start(struct am_resolver *self, const char *name, enum am_dns_type type,
                                  int64_t deadline_us)
{
    struct rig *rig = (struct rig *)((char *)self - offsetof(struct rig, resolver));
    struct rig_answer *answer = find_answer(rig, name);
    struct rig_query *q = calloc(1, sizeof(*q));
    assert_int_equal(type, AM_DNS_TXT);
    if (q == NULL)
        return NULL;
    q->query.ops = &rig_ops;
    q->rig = rig;
    q->answer = answer == NULL ? &nothing : &answer->answer;
    q->ready_us = rig->now_us + rig->delay_us;
    if (q->ready_us > deadline_us) {
        q->ready_us = deadline_us;
        q->answer = &late;
    }
    if (answer != NULL)
        answer->asked++;
    q->next = rig->alive;
    rig->alive = q;
    rig->queries++;
    deliver(rig);
    return &q->query;
}

static void wait_any(struct am_dns_query *const *queries, size_t count)
{
    struct rig *rig = ((struct rig_query *)queries[0])->rig;
    int64_t ready_us = AM_NEVER;
    for (size_t i = 0; i < count; i++)
        ready_us = am_deadline_earlier(ready_us, ((struct rig_query *)queries[i])->ready_us);
    rig->waits++;
    rig->now_us = ready_us;
    deliver(rig);
}

static void release(struct am_dns_query *query)
{
    struct rig_query *q = (struct rig_query *)query;
    struct rig_query **at = &q->rig->alive;
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    free(q);
}

static const struct am_resolver_ops rig_ops = {
    .start = start, .wait_any = wait_any, .release = release};

static const struct rig *rig_of(const struct am_clock *clock)
{
    return (const struct rig *)((const char *)clock - offsetof(struct rig, clock));
}

static int64_t monotonic_us(const struct am_clock *clock)
{
    return rig_of(clock)->now_us;
}

static int64_t wall_s(const struct am_clock *clock)
{
    return rig_of(clock)->wall_s;
}

static void set_name(char out[320], const char *selector, const char *domain)
{
    assert_true(snprintf(out, 320, "%s._domainkey.%s", selector, domain) < 320);
}

void rig_publish(struct rig *rig, const char *selector, const char *domain,
                 enum am_dns_outcome outcome, const char *text)
{
    char name[320];
    set_name(name, selector, domain);
    struct rig_answer *answer = find_answer(rig, name);
    if (answer == NULL) {
        assert_true(rig->answer_count < RIG_ANSWERS_MAX);
        answer = &rig->answers[rig->answer_count++];
    }
    free(answer->text);
    *answer = (struct rig_answer){.answer.outcome = outcome};
    memcpy(answer->name, name, sizeof(name));
    answer->answer.records = answer->records;
    answer->answer.count = outcome == AM_DNS_OK;
    if (text != NULL)
        answer->text = strdup(text);
    answer->records[0].text = am_span_str(answer->text);
}

void rig_publish_again(struct rig *rig, const char *text)
{
    struct rig_answer *answer = &rig->answers[rig->answer_count - 1];
    answer->records[answer->answer.count++].text = am_span_str(text);
}

void rig_publish_key(struct rig *rig, const char *selector, const char *domain,
                     const struct dkim_private_key *key, const char *extra)
{
    struct am_buf text;
    am_buf_init(&text, 0);
    am_buf_printf(&text, "v=DKIM1; k=%s; %s p=", dkim_key_type_word(dkim_private_key_type(key)),
                  extra);
    dkim_base64_encode(&text, dkim_private_key_public_octets(key));
    rig_publish(rig, selector, domain, AM_DNS_OK, am_buf_str(&text));
    am_buf_fini(&text);
}

unsigned rig_asked(const struct rig *rig, const char *selector, const char *domain)
{
    char name[320];
    set_name(name, selector, domain);
    const struct rig_answer *answer = find_answer(rig, name);
    return answer == NULL ? 0 : answer->asked;
}

/* --- keys --- */

static struct made_key {
    unsigned bits;
    struct dkim_private_key *key;
} made_keys[8];

static void free_keys(void)
{
    for (size_t i = 0; i < sizeof(made_keys) / sizeof(made_keys[0]); i++)
        dkim_private_key_free(made_keys[i].key);
}

const struct dkim_private_key *rig_key(unsigned bits)
{
    struct am_problem problem = {""};
    struct made_key *made = made_keys;
    if (made->key == NULL)
        atexit(free_keys);
    while (made->key != NULL && made->bits != bits)
        made++;
    if (made->key == NULL) {
        made->bits = bits;
        made->key =
            dkim_private_key_generate(bits == 0 ? DKIM_KEY_ED25519 : DKIM_KEY_RSA, bits, &problem);
    }
    assert_non_null(made->key);
    return made->key;
}

/* --- the message --- */

void rig_clear(struct rig *rig)
{
    for (size_t i = 0; i < rig->field_count; i++) {
        free(rig->fields[i].name);
        free(rig->fields[i].value);
    }
    rig->field_count = 0;
    am_buf_clear(&rig->body);
}

static void insert(struct rig *rig, size_t at, const char *name, const char *value)
{
    assert_true(rig->field_count < RIG_FIELDS_MAX);
    memmove(&rig->fields[at + 1], &rig->fields[at],
            (rig->field_count - at) * sizeof(rig->fields[0]));
    rig->fields[at] = (struct rig_field){strdup(name), strdup(value)};
    rig->field_count++;
}

void rig_add(struct rig *rig, const char *name, const char *value)
{
    insert(rig, rig->field_count, name, value);
}

void rig_add_top(struct rig *rig, const char *name, const char *value)
{
    insert(rig, 0, name, value);
}

void rig_body(struct rig *rig, const char *text)
{
    am_buf_clear(&rig->body);
    am_buf_add_str(&rig->body, text);
}

void rig_usual(struct rig *rig)
{
    rig_clear(rig);
    rig_add(rig, "From", " Author <author@example.org>");
    rig_add(rig, "To", " reader@example.com");
    rig_add(rig, "Subject", " a  subject\n in two lines");
    rig_body(rig, "Good day,\r\n\r\nthis is  all. \r\n\r\n");
}

static void fill(const struct rig *rig, struct dkim_fields *fields, struct am_arena *arena)
{
    dkim_fields_init(fields, arena, false);
    for (size_t i = 0; i < rig->field_count; i++)
        assert_non_null(dkim_fields_add(fields, am_span_str(rig->fields[i].name),
                                        am_span_str(rig->fields[i].value)));
    assert_true(dkim_fields_prepare(fields));
}

/* --- signing --- */

static bool changes_tag(const char *const *changes, const char *name, const char **value)
{
    size_t len = strlen(name);
    for (; changes != NULL && *changes != NULL; changes++) {
        if ((*changes)[0] == '!' && strcmp(*changes + 1, name) == 0) {
            *value = NULL;
            return true;
        }
        if (strncmp(*changes, name, len) == 0 && (*changes)[len] == '=') {
            *value = *changes + len + 1;
            return true;
        }
    }
    return false;
}

static void put_tag(struct am_buf *out, const char *name, const char *value)
{
    if (value != NULL)
        am_buf_printf(out, "%s %s=%s", out->len > 0 ? ";" : "", name, value);
}

static void put_body_hash(const struct rig *rig, struct am_arena *arena,
                          const struct dkim_signature *parts, struct am_buf *out)
{
    struct dkim_body_hash *hash = dkim_body_hash_new(arena);
    const struct dkim_body_request *request =
        dkim_body_hash_want(hash, parts->body_canon, parts->has_length, parts->length);
    assert_true(dkim_body_hash_start(hash));
    dkim_body_hash_update(hash, am_buf_span(&rig->body));
    dkim_body_hash_finish(hash);
    dkim_base64_encode(out, am_span_of((const char *)request->digest, DKIM_HASH_LEN));
}

static void hash_take(void *user, const char *ptr, size_t len)
{
    dkim_hash_update(user, ptr, len);
}

/* What a signer does (RFC 6376 section 5), in the plainest way. */
static void put_signature(const struct rig *rig, struct am_arena *arena,
                          const struct dkim_private_key *key, const struct dkim_signature *parts,
                          struct am_buf *out)
{
    uint8_t digest[DKIM_HASH_LEN], octets[DKIM_SIGNATURE_LEN_MAX];
    struct dkim_hash hash = {0};
    struct dkim_sink sink = {hash_take, &hash};
    struct dkim_fields fields;
    size_t len;
    fill(rig, &fields, arena);
    struct dkim_selection *selection = dkim_selection_new(arena, &fields);
    dkim_selection_begin(selection, NULL);
    dkim_hash_init(&hash);
    for (size_t i = 0; i < parts->name_count; i++) {
        const struct dkim_field *field = dkim_selection_take(selection, parts->names[i]);
        if (field != NULL)
            dkim_canon_header(parts->header_canon, field, &sink);
    }
    const struct dkim_field *self =
        dkim_field_new(arena, am_span_str("DKIM-Signature"), am_buf_span(out));
    dkim_canon_header_signature(parts->header_canon, self, am_span_of(NULL, 0), &sink);
    assert_true(dkim_hash_final(&hash, digest));
    dkim_hash_fini(&hash);
    assert_true(dkim_private_key_sign(key, digest, octets, &len));
    dkim_base64_encode(out, am_span_of((const char *)octets, len));
}

static const char *const usual_tags[][2] = {
    {"v", "1"},           {"a", ""},    {"c", "relaxed/relaxed"},
    {"d", "example.org"}, {"s", "sel"}, {"h", "From:To:Subject"},
    {"t", "1767225000"}};

static void put_usual(struct am_buf *out, const struct dkim_private_key *key,
                      const char *const *changes)
{
    for (size_t i = 0; i < sizeof(usual_tags) / sizeof(usual_tags[0]); i++) {
        const char *name = usual_tags[i][0], *value = usual_tags[i][1];
        if (strcmp(name, "a") == 0)
            value = dkim_algorithm_word(dkim_private_key_type(key));
        changes_tag(changes, name, &value);
        put_tag(out, name, value);
    }
    for (; changes != NULL && *changes != NULL; changes++) {
        const char *equals = strchr(*changes, '=');
        bool usual = (*changes)[0] == '!' || strncmp(*changes, "b=", 2) == 0 ||
                     strncmp(*changes, "bh=", 3) == 0;
        for (size_t i = 0; i < sizeof(usual_tags) / sizeof(usual_tags[0]); i++)
            usual = usual || (equals == *changes + 1 && **changes == usual_tags[i][0][0]);
        if (!usual)
            am_buf_printf(out, "; %s", *changes);
    }
}

char *rig_sign(struct rig *rig, const struct dkim_private_key *key, const char *const *changes)
{
    static const char placeholder[] = "; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=QUJD";
    struct am_arena *arena = am_arena_new(65536, 0);
    struct dkim_signature parts;
    struct am_buf out, trial;
    const char *value = "QUJD";
    am_buf_init(&out, 0);
    am_buf_init(&trial, 0);
    put_usual(&out, key, changes);
    am_buf_add(&trial, am_buf_span(&out));
    am_buf_add_str(&trial, placeholder);
    bool readable = dkim_signature_parse(&parts, arena, am_buf_span(&trial)) == DKIM_REASON_NONE;
    if (changes_tag(changes, "bh", &value)) {
        put_tag(&out, "bh", value);
    } else {
        am_buf_add_str(&out, "; bh=");
        put_body_hash(rig, arena, &parts, &out);
    }
    value = "QUJD";
    if (changes_tag(changes, "b", &value) || !readable) {
        put_tag(&out, "b", value);
    } else {
        am_buf_add_str(&out, "; b=");
        put_signature(rig, arena, key, &parts, &out);
    }
    char *text = strdup(am_buf_str(&out));
    am_buf_fini(&out);
    am_buf_fini(&trial);
    am_arena_free(arena);
    return text;
}

void rig_add_signature(struct rig *rig, const struct dkim_private_key *key,
                       const char *const *changes)
{
    char *value = rig_sign(rig, key, changes);
    rig_add_top(rig, "DKIM-Signature", value);
    free(value);
}

/* --- verifying --- */

const struct dkim_report *rig_verify(struct rig *rig, size_t chunk)
{
    struct dkim_fields *fields;
    am_arena_reset(rig->arena);
    fields = am_arena_alloc(rig->arena, sizeof(*fields));
    assert_non_null(fields);
    fill(rig, fields, rig->arena);
    rig->env.lookup_deadline_us = rig->now_us + 20000000;
    struct dkim_verifier *verifier = dkim_engine_builtin.start(&rig->env, fields);
    if (verifier == NULL)
        return NULL;
    struct am_span rest = am_buf_span(&rig->body);
    while (rest.len > 0 && dkim_engine_builtin.wants_body(verifier)) {
        size_t len = chunk == 0 || chunk > rest.len ? rest.len : chunk;
        dkim_engine_builtin.body(verifier, am_span_of(rest.ptr, len));
        rest = am_span_of(rest.ptr + len, rest.len - len);
    }
    return dkim_engine_builtin.finish(verifier);
}

enum dkim_reason rig_reason(struct rig *rig, size_t index)
{
    const struct dkim_report *report = rig_verify(rig, 0);
    assert_non_null(report);
    assert_true(index < report->count);
    assert_int_equal(report->outcomes[index].result,
                     dkim_reason_result(report->outcomes[index].reason));
    return report->outcomes[index].reason;
}

void rig_init(struct rig *rig)
{
    *rig = (struct rig){.clock = {monotonic_us, wall_s},
                        .resolver = {&rig_ops},
                        .now_us = 1000000,
                        .wall_s = RIG_NOW,
                        .limits = dkim_limits_default};
    rig->arena = am_arena_new(65536, 0);
    rig->answers = calloc(RIG_ANSWERS_MAX, sizeof(*rig->answers));
    rig->fields = calloc(RIG_FIELDS_MAX, sizeof(*rig->fields));
    assert_true(rig->arena != NULL && rig->answers != NULL && rig->fields != NULL);
    am_buf_init(&rig->body, 0);
    rig->env = (struct dkim_verify_env){
        .arena = rig->arena,
        .resolver = &rig->resolver,
        .clock = &rig->clock,
        .limits = &rig->limits,
    };
}

void rig_fini(struct rig *rig)
{
    rig_clear(rig);
    am_arena_free(rig->arena);
    assert_null(rig->alive); /* every look-up was given back */
    am_buf_fini(&rig->body);
    for (size_t i = 0; i < rig->answer_count; i++)
        free(rig->answers[i].text);
    free(rig->answers);
    free(rig->fields);
}
