#include "tests/support/dkim/hand_signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_body_hash.h"
#include "dkim-milter/dkim_canon_header.h"
#include "dkim-milter/dkim_selection.h"
#include "dkim-milter/dkim_signature.h"

/* These are tools of tests: what fails here is the test. */
static void must(bool true_thing)
{
    if (!true_thing)
        abort();
}

static struct made_key {
    unsigned bits;
    struct dkim_private_key *key;
} made_keys[8];

static void free_keys(void)
{
    for (size_t i = 0; i < sizeof(made_keys) / sizeof(made_keys[0]); i++)
        dkim_private_key_free(made_keys[i].key);
}

const struct dkim_private_key *hand_key(unsigned bits)
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
    must(made->key != NULL);
    return made->key;
}

void hand_key_text(struct am_buf *out, const struct dkim_private_key *key)
{
    dkim_base64_encode(out, dkim_private_key_public_octets(key));
}

/* What is signed, and with what. */
struct work {
    const struct hand_field *fields;
    size_t count;
    struct am_span body;
    const struct dkim_private_key *key;
    struct am_arena *arena;
    struct dkim_signature parts; /* of the tags so far */
};

static void fill(const struct work *work, struct dkim_fields *fields)
{
    dkim_fields_init(fields, work->arena, false);
    for (size_t i = 0; i < work->count; i++)
        must(dkim_fields_add(fields, am_span_str(work->fields[i].name),
                             am_span_str(work->fields[i].value)) != NULL);
    must(dkim_fields_prepare(fields));
}

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

static void put_body_hash(const struct work *work, struct am_buf *out)
{
    const struct dkim_signature *parts = &work->parts;
    struct dkim_body_hash *hash = dkim_body_hash_new(work->arena);
    const struct dkim_body_request *request =
        dkim_body_hash_want(hash, parts->body_canon, parts->has_length, parts->length);
    must(dkim_body_hash_start(hash));
    dkim_body_hash_update(hash, work->body);
    dkim_body_hash_finish(hash);
    dkim_base64_encode(out, am_span_of((const char *)request->digest, DKIM_HASH_LEN));
}

static void hash_take(void *user, const char *ptr, size_t len)
{
    dkim_hash_update(user, ptr, len);
}

/* What a signer does (RFC 6376 section 5), in the plainest way. */
static void put_signature(const struct work *work, struct am_buf *out)
{
    const struct dkim_signature *parts = &work->parts;
    uint8_t digest[DKIM_HASH_LEN], octets[DKIM_SIGNATURE_LEN_MAX];
    struct dkim_hash hash = {0};
    struct dkim_sink sink = {hash_take, &hash};
    struct dkim_fields fields;
    size_t len;
    fill(work, &fields);
    struct dkim_selection *selection = dkim_selection_new(work->arena, &fields);
    dkim_selection_begin(selection, NULL);
    dkim_hash_init(&hash);
    for (size_t i = 0; i < parts->name_count; i++) {
        const struct dkim_field *field = dkim_selection_take(selection, parts->names[i]);
        if (field != NULL)
            dkim_canon_header(parts->header_canon, field, &sink);
    }
    const struct dkim_field *self =
        dkim_field_new(work->arena, am_span_str("DKIM-Signature"), am_buf_span(out));
    dkim_canon_header_signature(parts->header_canon, self, am_span_of(NULL, 0), &sink);
    must(dkim_hash_final(&hash, digest));
    dkim_hash_fini(&hash);
    must(dkim_private_key_sign(work->key, digest, octets, &len));
    dkim_base64_encode(out, am_span_of((const char *)octets, len));
}

static const char *const usual_tags[][2] = {
    {"v", "1"},           {"a", ""},    {"c", "relaxed/relaxed"},
    {"d", "example.org"}, {"s", "sel"}, {"h", "From:To:Subject"},
    {"t", "1500000000"}};

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

char *hand_sign(const struct hand_field *fields, size_t count, struct am_span body,
                const struct dkim_private_key *key, const char *const *changes)
{
    static const char placeholder[] = "; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=QUJD";
    struct work work = {fields, count, body, key, am_arena_new(65536, 0), {.value = {NULL, 0}}};
    struct am_buf out, trial;
    const char *value = "QUJD";
    must(work.arena != NULL);
    am_buf_init(&out, 0);
    am_buf_init(&trial, 0);
    put_usual(&out, key, changes);
    am_buf_add(&trial, am_buf_span(&out));
    am_buf_add_str(&trial, placeholder);
    bool readable =
        dkim_signature_parse(&work.parts, work.arena, am_buf_span(&trial)) == DKIM_REASON_NONE;
    if (changes_tag(changes, "bh", &value)) {
        put_tag(&out, "bh", value);
    } else {
        am_buf_add_str(&out, "; bh=");
        put_body_hash(&work, &out);
    }
    value = "QUJD";
    if (changes_tag(changes, "b", &value) || !readable) {
        put_tag(&out, "b", value);
    } else {
        am_buf_add_str(&out, "; b=");
        put_signature(&work, &out);
    }
    char *text = strdup(am_buf_str(&out));
    must(text != NULL);
    am_buf_fini(&out);
    am_buf_fini(&trial);
    am_arena_free(work.arena);
    return text;
}
