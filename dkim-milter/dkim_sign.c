#include "dkim-milter/dkim_sign.h"

#include <stdio.h>

#include "dkim-milter/dkim_base64.h"
#include "dkim-milter/dkim_body_hash.h"
#include "dkim-milter/dkim_selection.h"
#include "dkim-milter/dkim_sign_names.h"
#include "dkim-milter/dkim_sign_text.h"

/* Longest value: h= and z= of a large header, and what stands around them. */
#define VALUE_MAX ((size_t)1 << 20)

/* One signature on its way. */
struct task {
    struct dkim_sign_request request;
    const struct dkim_body_request *body;
    struct dkim_hash header; /* of the fields; the signature's own follows at the end */
    bool left_out;
};

struct dkim_signer {
    struct am_arena *arena;
    const struct dkim_fields *fields;
    struct dkim_selection *selection;
    struct dkim_body_hash *body;
    int64_t now_s;
    size_t count;
    struct task tasks[];
};

static void release(void *object)
{
    struct dkim_signer *signer = object;

    for (size_t i = 0; i < signer->count; i++)
        dkim_hash_fini(&signer->tasks[i].header);
}

static void hash_take(void *user, const char *ptr, size_t len)
{
    dkim_hash_update(user, ptr, len);
}

/* Walks over the names as they stand in h=; `field` of an oversigned name's last one is NULL. */
struct walk {
    struct dkim_selection *selection;
    const struct dkim_sign_names *names;
    size_t index;
    bool ended; /* the name's last field was taken */
};

static void walk_begin(struct walk *walk, const struct dkim_signer *signer,
                       const struct dkim_sign_names *names)
{
    *walk = (struct walk){signer->selection, names, 0, false};
    dkim_selection_begin(signer->selection, NULL);
}

static bool walk_next(struct walk *walk, struct am_span *name, const struct dkim_field **field)
{
    while (walk->index < walk->names->count) {
        const struct dkim_sign_name *item = &walk->names->items[walk->index];

        if (!walk->ended) {
            *field = dkim_selection_take(walk->selection, item->name);
            walk->ended = *field == NULL;
            if (*field != NULL || item->over) {
                *name = item->name;
                return true;
            }
        }
        walk->index++;
        walk->ended = false;
    }
    return false;
}

/* Hashes the signed fields; keys that sign the same share the work. */
static bool hash_fields(struct dkim_signer *signer, struct task *task)
{
    const struct dkim_sign_request *request = &task->request;
    struct dkim_sink sink = {hash_take, &task->header};
    const struct dkim_field *field;
    struct am_span name;
    struct walk walk;

    for (struct task *done = signer->tasks; done < task; done++)
        if (done->request.names == request->names &&
            done->request.header_canon == request->header_canon)
            return dkim_hash_copy(&task->header, &done->header);
    if (!dkim_hash_init(&task->header))
        return false;
    walk_begin(&walk, signer, request->names);
    while (walk_next(&walk, &name, &field))
        if (field != NULL)
            dkim_canon_header(request->header_canon, field, &sink);
    return true;
}

struct dkim_signer *dkim_signer_new(struct am_arena *arena, const struct am_clock *clock,
                                    const struct dkim_fields *fields,
                                    const struct dkim_sign_request *requests, size_t count)
{
    struct dkim_signer *signer =
        am_arena_alloc(arena, sizeof(*signer) + count * sizeof(struct task));

    if (signer == NULL || !am_arena_defer(arena, release, signer))
        return NULL;
    signer->arena = arena;
    signer->fields = fields;
    signer->now_s = clock->wall_s(clock);
    signer->selection = dkim_selection_new(arena, fields);
    signer->body = dkim_body_hash_new(arena);
    if (signer->selection == NULL || signer->body == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct task *task = &signer->tasks[i];

        signer->count++;
        task->request = requests[i];
        task->body = dkim_body_hash_want(signer->body, requests[i].body_canon, false, 0);
        if (task->body == NULL || !hash_fields(signer, task))
            return NULL;
    }
    return dkim_body_hash_start(signer->body) ? signer : NULL;
}

void dkim_signer_body(struct dkim_signer *signer, struct am_span chunk)
{
    dkim_body_hash_update(signer->body, chunk);
}

/* --- the field's text --- */

static void put_names(const struct dkim_signer *signer, const struct task *task,
                      struct dkim_sign_text *text)
{
    struct am_span name, next;
    const struct dkim_field *field;
    struct walk walk;

    dkim_sign_text_line(text, "h=");
    walk_begin(&walk, signer, task->request.names);
    if (!walk_next(&walk, &name, &field))
        name = am_span_str("From"); /* on every list; what is not there is signed as absent */
    for (; walk_next(&walk, &next, &field); name = next)
        dkim_sign_text_item(text, name, ':');
    dkim_sign_text_item(text, name, ';');
}

/* Writes a copied value as it goes out: its folds are CR LF there. */
static void put_copy(struct dkim_sign_text *text, struct am_span value)
{
    while (value.len > 0) {
        size_t len = am_span_find(value, '\n');
        bool fold = len < value.len, bare = fold && (len == 0 || value.ptr[len - 1] != '\r');

        dkim_sign_text_quoted(text, am_span_of(value.ptr, len));
        if (fold)
            dkim_sign_text_quoted(text, am_span_str(bare ? "\r\n" : "\n"));
        value = am_span_of(value.ptr + len + fold, value.len - len - fold);
    }
}

/* Writes z= (RFC 6376 section 3.5); takes it back when it gets too long. */
static void put_copies(const struct dkim_signer *signer, const struct task *task,
                       struct dkim_sign_text *text)
{
    size_t start = text->out->len, column = text->column;
    const struct dkim_field *field;
    struct am_span name;
    struct walk walk;
    bool first = true;

    dkim_sign_text_line(text, "z=");
    walk_begin(&walk, signer, task->request.names);
    while (walk_next(&walk, &name, &field) && text->out->len - start <= DKIM_COPIED_MAX) {
        if (field == NULL)
            continue;
        if (!first)
            dkim_sign_text_join(text, am_span_str("|"));
        dkim_sign_text_name(text, field->name);
        dkim_sign_text_join(text, am_span_str(":"));
        put_copy(text, field->value);
        first = false;
    }
    dkim_sign_text_join(text, am_span_str(";"));
    if (text->out->len - start > DKIM_COPIED_MAX) {
        text->out->len = start;
        text->column = column;
    }
}

/* Writes a tag with a value that needs no encoding: "d=example.org;". */
static void put_tag(struct dkim_sign_text *text, struct am_arena *arena, const char *name,
                    const char *value)
{
    const char *word = am_arena_printf(arena, "%s=%s;", name, value);

    if (word == NULL)
        text->out->failed = true;
    else
        dkim_sign_text_word(text, word);
}

static void put_time(struct dkim_sign_text *text, struct am_arena *arena, const char *name,
                     int64_t time_s)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%lld", (long long)time_s);
    put_tag(text, arena, name, digits);
}

static void put_base64(struct dkim_sign_text *text, const void *octets, size_t len)
{
    struct am_buf digits;

    am_buf_init(&digits, 0);
    dkim_base64_encode(&digits, am_span_of(octets, len));
    if (digits.failed)
        text->out->failed = true;
    dkim_sign_text_split(text, am_buf_span(&digits));
    am_buf_fini(&digits);
}

static const char *const canon_words[DKIM_CANON_COUNT][DKIM_CANON_COUNT] = {
    {"simple/simple", "simple/relaxed"}, {"relaxed/simple", "relaxed/relaxed"}};

/* Writes i=; where a domain name is divided by a fold not every reader puts it together again. */
static void put_identity(struct dkim_sign_text *text, const char *identity)
{
    dkim_sign_text_word(text, "i=");
    dkim_sign_text_name(text, am_span_str(identity));
    dkim_sign_text_join(text, am_span_str(";"));
}

/* Writes everything up to "b=". */
static void put_tags(const struct dkim_signer *signer, const struct task *task,
                     struct dkim_sign_text *text)
{
    const struct dkim_sign_request *request = &task->request;
    struct am_arena *arena = signer->arena;

    put_tag(text, arena, "v", "1");
    put_tag(text, arena, "a", dkim_algorithm_word(dkim_private_key_type(request->key)));
    put_tag(text, arena, "c", canon_words[request->header_canon][request->body_canon]);
    put_tag(text, arena, "d", request->domain);
    put_tag(text, arena, "s", request->selector);
    if (request->timestamp)
        put_time(text, arena, "t", signer->now_s);
    if (request->expire_s > 0)
        put_time(text, arena, "x", signer->now_s + request->expire_s);
    if (request->identity != NULL)
        put_identity(text, request->identity);
    put_names(signer, task, text);
    if (request->copied_fields)
        put_copies(signer, task, text);
    dkim_sign_text_line(text, "bh=");
    put_base64(text, task->body->digest, sizeof(task->body->digest));
    dkim_sign_text_join(text, am_span_str(";"));
    dkim_sign_text_line(text, "b=");
}

/* Ends the header's hash with the field itself as it will stand there, b= empty. */
static bool hash_self(const struct dkim_signer *signer, struct task *task, struct am_span value,
                      uint8_t digest[DKIM_HASH_LEN])
{
    struct dkim_sink sink = {hash_take, &task->header};
    const char *spaced = am_arena_printf(signer->arena, " %s", value.ptr);
    struct dkim_field *field = spaced == NULL
                                   ? NULL
                                   : dkim_field_new(signer->arena, am_span_str("DKIM-Signature"),
                                                    am_span_of(spaced, value.len + 1));

    if (field == NULL)
        return false;
    dkim_canon_header_signature(task->request.header_canon, field, am_span_of(NULL, 0), &sink);
    return dkim_hash_final(&task->header, digest);
}

static const char *sign(const struct dkim_signer *signer, struct task *task,
                        struct am_problem *problem)
{
    uint8_t digest[DKIM_HASH_LEN], signature[DKIM_SIGNATURE_LEN_MAX];
    const char *value = NULL;
    struct dkim_sign_text text;
    struct am_buf out;
    size_t len;

    if (!task->body->done) {
        am_problem_set(problem, "the body could not be hashed");
        return NULL;
    }
    am_buf_init(&out, VALUE_MAX);
    dkim_sign_text_init(&text, &out);
    put_tags(signer, task, &text);
    if (out.failed || !hash_self(signer, task, am_buf_span(&out), digest) ||
        !dkim_private_key_sign(task->request.key, digest, signature, &len)) {
        am_problem_set(problem,
                       "no signature with d=%s s=%s: memory is short or the "
                       "cryptographic library failed",
                       task->request.domain, task->request.selector);
    } else {
        put_base64(&text, signature, len);
        if (!out.failed)
            value = am_arena_copy(signer->arena, am_buf_span(&out));
        if (value == NULL)
            am_problem_set(problem, "out of memory");
    }
    am_buf_fini(&out);
    return value;
}

void dkim_signer_leave_out(struct dkim_signer *signer, size_t index)
{
    signer->tasks[index].left_out = true;
}

size_t dkim_signer_finish(struct dkim_signer *signer, const char **values,
                          struct am_problem *problem)
{
    size_t made = 0;

    dkim_body_hash_finish(signer->body);
    for (size_t i = 0; i < signer->count; i++) {
        values[i] = signer->tasks[i].left_out ? NULL : sign(signer, &signer->tasks[i], problem);
        made += values[i] != NULL;
    }
    return made;
}
