#include "tests/unit/dkim/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    hand_key_text(&text, key);
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
    rig->fields[at] = (struct hand_field){strdup(name), strdup(value)};
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

const struct dkim_private_key *rig_key(unsigned bits)
{
    return hand_key(bits);
}

void rig_add_signature(struct rig *rig, const struct dkim_private_key *key,
                       const char *const *changes)
{
    char *value = hand_sign(rig->fields, rig->field_count, am_buf_span(&rig->body), key, changes);
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
