#include "tests/scenarios/sign.h"

#include <stdlib.h>
#include <string.h>

#include "authmilter/mta/text.h"
#include "tests/support/dkim/hand_signer.h"

enum { WORDS_MAX = 8, FIELDS_MAX = 200, STRING_LEN = 200 };

struct sign_order {
    bool alters;
    char *words[WORDS_MAX + 1]; /* ends with NULL */
};

static const struct {
    const char *name, *mark, *private_mark;
    unsigned bits;
} kinds[] = {{"rsa", "@RSA@", "@RSA-PRIVATE@", 2048},
             {"rsa1024", "@RSA1024@", "@RSA1024-PRIVATE@", 1024},
             {"ed25519", "@ED25519@", "@ED25519-PRIVATE@", 0}};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct dkim_private_key *key_of(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return hand_key(kinds[i].bits);
    return NULL;
}

bool sign_note(struct sign_orders *orders, const char *verb, char *const *words, size_t count,
               struct am_problem *problem)
{
    bool alters = strcmp(verb, "alter") == 0;
    if (alters ? count != 2 : count < 1 || key_of(words[0]) == NULL)
        return am_problem_set(problem,
                              "sign rsa|rsa1024|ed25519 [TAG=VALUE|!TAG]..., alter OLD NEW");
    struct sign_order *items = reallocarray(orders->items, orders->count + 1, sizeof(*items));
    if (items == NULL || count > WORDS_MAX)
        return am_problem_set(problem, "out of memory");
    orders->items = items;
    struct sign_order *order = &items[orders->count++];
    *order = (struct sign_order){.alters = alters};
    for (size_t i = 0; i < count; i++)
        order->words[i] = strdup(words[i]);
    return true;
}

void sign_forget(struct sign_orders *orders)
{
    for (size_t i = 0; i < orders->count; i++)
        for (size_t j = 0; j < WORDS_MAX; j++)
            free(orders->items[i].words[j]);
    free(orders->items);
    *orders = (struct sign_orders){NULL, 0};
}

/* A mail taken apart. */
struct parts {
    struct hand_field fields[FIELDS_MAX];
    size_t count;
    struct am_buf body;
};

static void parts_fini(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free(parts->fields[i].name);
        free(parts->fields[i].value);
    }
    am_buf_fini(&parts->body);
}

static bool take_field(struct parts *parts, const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);
    if (colon == NULL || parts->count == FIELDS_MAX)
        return false;
    char *raw = strndup(colon + 1, len - (size_t)(colon + 1 - text));
    struct am_buf value;
    am_buf_init(&value, 0);
    bool ok = mta_text_unescape(&value, raw);
    parts->fields[parts->count++] =
        (struct hand_field){strndup(text, (size_t)(colon - text)), strdup(am_buf_str(&value))};
    am_buf_fini(&value);
    free(raw);
    return ok;
}

static bool take_apart(struct parts *parts, const char *mail)
{
    parts->count = 0;
    am_buf_init(&parts->body, 0);
    while (*mail != '\0' && *mail != '\n') {
        size_t len = strcspn(mail, "\n");
        while (mail[len] == '\n' && (mail[len + 1] == ' ' || mail[len + 1] == '\t'))
            len += 1 + strcspn(mail + len + 1, "\n");
        if (!take_field(parts, mail, len))
            return false;
        mail += len + (mail[len] == '\n');
    }
    return mta_text_body(&parts->body, mail + (*mail == '\n'));
}

/* Puts a signature on top; backslashes are escapes in the file. */
static void put_on_top(struct am_buf *mail, const char *value)
{
    struct am_buf out;
    am_buf_init(&out, 0);
    am_buf_add_str(&out, "DKIM-Signature:");
    for (; *value != '\0'; value++) {
        if (*value == '\\')
            am_buf_add_char(&out, '\\');
        am_buf_add_char(&out, *value);
    }
    am_buf_add_char(&out, '\n');
    am_buf_add(&out, am_buf_span(mail));
    am_buf_clear(mail);
    am_buf_add(mail, am_buf_span(&out));
    am_buf_fini(&out);
}

static bool sign(const struct sign_order *order, struct am_buf *mail, struct am_problem *problem)
{
    struct parts parts;
    bool ok = take_apart(&parts, am_buf_str(mail));
    if (ok) {
        char *value = hand_sign(parts.fields, parts.count, am_buf_span(&parts.body),
                                key_of(order->words[0]), (const char *const *)order->words + 1);
        put_on_top(mail, value);
        free(value);
    } else {
        am_problem_set(problem, "cannot sign: not a header field, or an unknown escape");
    }
    parts_fini(&parts);
    return ok;
}

static bool alter(const struct sign_order *order, struct am_buf *mail, struct am_problem *problem)
{
    char *text = strdup(am_buf_str(mail));
    char *at = strstr(text, order->words[0]);
    if (at == NULL) {
        free(text);
        return am_problem_set(problem, "nothing to alter: %s", order->words[0]);
    }
    am_buf_clear(mail);
    am_buf_add(mail, am_span_of(text, (size_t)(at - text)));
    am_buf_add_str(mail, order->words[1]);
    am_buf_add_str(mail, at + strlen(order->words[0]));
    free(text);
    return true;
}

bool sign_apply(struct sign_orders *orders, const char *mail, struct am_buf *out,
                struct am_problem *problem)
{
    bool ok = true;
    am_buf_clear(out);
    am_buf_add_str(out, mail);
    for (size_t i = 0; i < orders->count && ok; i++)
        if (!orders->items[i].alters)
            ok = sign(&orders->items[i], out, problem);
    for (size_t i = 0; i < orders->count && ok; i++)
        if (orders->items[i].alters)
            ok = alter(&orders->items[i], out, problem);
    sign_forget(orders);
    return ok;
}

static void put_key(struct am_buf *out, unsigned bits)
{
    struct am_buf text;
    am_buf_init(&text, 0);
    hand_key_text(&text, hand_key(bits));
    for (size_t i = 0; i < text.len; i++) {
        if (i > 0 && i % STRING_LEN == 0)
            am_buf_add_str(out, "\" \"");
        am_buf_add_char(out, text.data[i]);
    }
    am_buf_fini(&text);
}

static bool takes(const char **text, const char *mark)
{
    size_t len = strlen(mark);
    if (strncmp(*text, mark, len) != 0)
        return false;
    *text += len;
    return true;
}

/* Puts the key whose mark comes next. Returns false when none does. */
static bool put_marked(struct am_buf *out, const char **text)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (takes(text, kinds[i].mark)) {
            put_key(out, kinds[i].bits);
            return true;
        }
        if (takes(text, kinds[i].private_mark))
            return dkim_private_key_write_pem(hand_key(kinds[i].bits), out);
    }
    return false;
}

void sign_substitute_keys(struct am_buf *out, const char *text)
{
    while (*text != '\0') {
        if (*text != '@' || !put_marked(out, &text))
            am_buf_add_char(out, *text++);
    }
}
