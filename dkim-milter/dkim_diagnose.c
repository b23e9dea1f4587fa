#include "dkim-milter/dkim_diagnose.h"

#include "dkim-milter/dkim_diagnose_body.h"

/* What a diagnosis of the header works with. */
struct work {
    const struct dkim_verify_env *env;
    const struct dkim_fields *fields;
    const struct dkim_outcome *outcome;
    struct am_span body;
    struct dkim_diagnosis *diagnosis;
    unsigned tries;
    bool failed; /* memory was short */
};

/* A change that is undone: of one field, or of all. */
struct change {
    const struct dkim_field *field; /* NULL: `edit` is asked of every field */
    bool remove;
    const struct dkim_field *also_remove; /* NULL: none */
    const char *value;                    /* in place of the field's */
    /* Returns another value for a field, or NULL for the same. */
    const char *(*edit)(struct am_arena *arena, const struct dkim_field *field);
};

static void add(struct dkim_diagnosis *diagnosis, bool confirmed, const char *sentence)
{
    if (sentence == NULL || diagnosis->count == DKIM_DIAGNOSE_SENTENCES_MAX)
        return;
    diagnosis->sentences[diagnosis->count].confirmed = confirmed;
    diagnosis->sentences[diagnosis->count++].text = sentence;
}

/* Says what a hash or the signature confirms. */
static void say(struct dkim_diagnosis *diagnosis, const char *sentence)
{
    add(diagnosis, true, sentence);
}

/* Says what is only likely. */
static void suppose(struct dkim_diagnosis *diagnosis, const char *sentence)
{
    add(diagnosis, false, sentence);
}

/* --- trying --- */

/* The header with the change undone, of it the one signature alone. Returns false on no memory. */
static bool make_header(struct work *work, const struct change *change, struct dkim_fields *out)
{
    struct am_arena *arena = work->env->arena;

    dkim_fields_init(out, arena, false);
    for (const struct dkim_field *field = work->fields->first; field != NULL;
         field = field->below) {
        const char *value = NULL;

        if (dkim_field_is(field, "dkim-signature") && field->position != work->outcome->field)
            continue;
        if ((field == change->field && change->remove) || field == change->also_remove)
            continue;
        if (field == change->field)
            value = change->value;
        else if (change->edit != NULL && field->position != work->outcome->field)
            value = change->edit(arena, field);
        if (dkim_fields_add(out, field->name, value == NULL ? field->value : am_span_str(value)) ==
            NULL)
            return false;
    }
    return dkim_fields_prepare(out);
}

/* Tells whether the signature verifies with a change undone. */
static bool verifies(struct work *work, const struct change *change)
{
    struct dkim_fields fields;

    if (work->failed || work->tries++ >= DKIM_DIAGNOSE_TRIES_MAX)
        return false;
    struct dkim_verifier *verifier = NULL;
    struct dkim_verify_env *env = am_arena_alloc(work->env->arena, sizeof(*env));
    if (env != NULL && make_header(work, change, &fields)) {
        *env = *work->env;
        env->header_only = true;
        verifier = dkim_engine_builtin.start(env, &fields);
    }
    if (verifier == NULL) {
        work->failed = true;
        return false;
    }
    const struct dkim_report *report = dkim_engine_builtin.finish(verifier);
    /* A pass, or a policy of ours about a signature that is right. */
    return report->count == 1 &&
           (report->outcomes[0].result == DKIM_PASS || report->outcomes[0].result == DKIM_POLICY);
}

/* --- changes that are made often --- */

/* Returns the text behind a leading "[tag]", "Re:" and the like, or NULL. */
static const char *without_prefix(struct am_arena *arena, const struct dkim_field *field)
{
    static const char *const words[] = {"Re:",     "Fwd:",  "Fw:",  "***SPAM***", "*****SPAM*****",
                                        "{Spam?}", "SPAM:", "Spam:"};
    struct am_span text = am_span_trim(field->value);
    size_t skip = 0, close = am_span_find(text, ']');

    if (text.len > 0 && text.ptr[0] == '[' && close < text.len)
        skip = close + 1;
    for (size_t i = 0; skip == 0 && i < sizeof(words) / sizeof(words[0]); i++)
        if (am_span_starts_nocase(text, am_span_str(words[i])))
            skip = strlen(words[i]);
    if (skip == 0)
        return NULL;
    text = am_span_trim(am_span_of(text.ptr + skip, text.len - skip));
    return am_arena_printf(arena, " %.*s", (int)text.len, text.ptr);
}

static bool try_subject(struct work *work)
{
    for (const struct dkim_field *field = work->fields->first; field != NULL;
         field = field->below) {
        const char *value;

        if (!dkim_field_is(field, "subject") ||
            (value = without_prefix(work->env->arena, field)) == NULL)
            continue;
        const struct change change = {.field = field, .value = value};
        if (!verifies(work, &change))
            continue;
        struct am_span now = am_span_trim(field->value);
        size_t len = now.len - (strlen(value) - 1);
        say(work->diagnosis,
            am_arena_printf(work->env->arena,
                            "the Subject was changed: without \"%.*s\" in front the signature "
                            "verifies",
                            (int)am_span_trim(am_span_of(now.ptr, len)).len, now.ptr));
        return true;
    }
    return false;
}

/* Mailing lists keep the author they replace in another field. */
static bool try_from(struct work *work)
{
    static const char *const keepers[] = {"x-original-from", "reply-to", "x-original-sender",
                                          "x-google-original-from", "author"};
    size_t count;
    const struct dkim_field *const *from =
        dkim_fields_find(work->fields, am_span_str("from"), &count);

    if (count != 1)
        return false;
    for (const struct dkim_field *field = work->fields->first; field != NULL;
         field = field->below) {
        for (size_t i = 0; i < sizeof(keepers) / sizeof(keepers[0]); i++) {
            if (!dkim_field_is(field, keepers[i]))
                continue;
            struct change change = {.field = from[0],
                                    .value = am_arena_copy(work->env->arena, field->value)};
            if (change.value == NULL)
                return false;
            bool found = verifies(work, &change);
            /* What keeps the author may be new, and h= say that there was none. */
            change.also_remove = field;
            if (!found && !verifies(work, &change))
                continue;
            say(work->diagnosis,
                am_arena_printf(work->env->arena,
                                "From was replaced: with what stands in %.*s the signature "
                                "verifies",
                                (int)field->name.len, field->name.ptr));
            return true;
        }
    }
    return false;
}

/* A field that was not there, and h= says how many there were. */
static bool try_additions(struct work *work)
{
    const struct dkim_signature *parts = work->outcome->parts;

    for (const struct dkim_field *field = work->fields->first; field != NULL;
         field = field->below) {
        bool named = false;

        for (size_t i = 0; i < parts->name_count && !named; i++)
            named = am_span_equal_nocase(parts->names[i], field->name);
        const struct change change = {.field = field, .remove = true};
        if (!named || field->position == work->outcome->field || !verifies(work, &change))
            continue;
        say(work->diagnosis,
            am_arena_printf(work->env->arena,
                            "a field was added: without %.*s (number %zu of the header) the "
                            "signature verifies",
                            (int)field->name.len, field->name.ptr, field->position + 1));
        return true;
    }
    return false;
}

/* --- white space, for the simple canonicalisation --- */

static const char *map_folds(struct am_arena *arena, const struct dkim_field *field,
                             const char *fold)
{
    char *out = am_arena_alloc(arena, field->value.len * 2 + 1);
    size_t used = 0;

    for (size_t i = 0; out != NULL && i < field->value.len; i++) {
        char c = field->value.ptr[i];
        if (c == '\r')
            continue;
        if (c != '\n') {
            out[used++] = c;
            continue;
        }
        if (*fold != '\0')
            out[used++] = '\n';
        for (const char *p = fold; *p != '\0'; p++)
            out[used++] = *p;
        if (*fold != '\0')
            while (i + 1 < field->value.len &&
                   (field->value.ptr[i + 1] == ' ' || field->value.ptr[i + 1] == '\t'))
                i++;
    }
    return out;
}

static const char *unfolded(struct am_arena *arena, const struct dkim_field *field)
{
    return map_folds(arena, field, "");
}

static const char *with_tab_folds(struct am_arena *arena, const struct dkim_field *field)
{
    return map_folds(arena, field, "\t");
}

static const char *with_blank_folds(struct am_arena *arena, const struct dkim_field *field)
{
    return map_folds(arena, field, " ");
}

static const char *without_blank(struct am_arena *arena, const struct dkim_field *field)
{
    return field->value.len > 0 && field->value.ptr[0] == ' '
               ? am_arena_copy(arena, am_span_of(field->value.ptr + 1, field->value.len - 1))
               : NULL;
}

/* One blank behind the colon, whatever stands there. */
static const char *with_one_blank(struct am_arena *arena, const struct dkim_field *field)
{
    size_t skip = 0;

    while (skip < field->value.len &&
           (field->value.ptr[skip] == ' ' || field->value.ptr[skip] == '\t'))
        skip++;
    return am_arena_printf(arena, " %.*s", (int)(field->value.len - skip), field->value.ptr + skip);
}

static bool try_white_space(struct work *work)
{
    static const struct {
        const char *(*edit)(struct am_arena *arena, const struct dkim_field *field);
        const char *sentence;
    } ways[] = {
        {unfolded, "header lines were folded on the way: unfolded, the signature verifies"},
        {with_tab_folds, "header lines were folded anew: with TAB in front of continuations the "
                         "signature verifies"},
        {with_blank_folds, "header lines were folded anew: with a blank in front of continuations "
                           "the signature verifies"},
        {with_one_blank, "the white space behind a colon was changed: with one blank the "
                         "signature verifies"},
        {without_blank, "a blank was put behind the colons: without it the signature verifies"},
    };

    if (work->outcome->parts->header_canon != DKIM_CANON_SIMPLE)
        return false;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const struct change change = {.edit = ways[i].edit};
        if (verifies(work, &change)) {
            say(work->diagnosis, ways[i].sentence);
            return true;
        }
    }
    return false;
}

/* --- z=: what the signer saw --- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 6376 section 2.11: dkim-quoted-printable. White space of the field itself is none of it. */
static struct am_span decode(struct am_arena *arena, struct am_span text)
{
    char *out = am_arena_alloc(arena, text.len + 1);
    size_t used = 0;

    for (size_t i = 0; out != NULL && i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '=' && i + 2 < text.len && digit(text.ptr[i + 1]) >= 0 &&
            digit(text.ptr[i + 2]) >= 0) {
            out[used++] = (char)(digit(text.ptr[i + 1]) << 4 | digit(text.ptr[i + 2]));
            i += 2;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            out[used++] = c;
        }
    }
    return am_span_of(out, used);
}

/* Compares but for the white space that relaxed does not see. */
static bool differs(struct am_span a, struct am_span b)
{
    size_t i = 0, j = 0;

    for (;;) {
        while (i < a.len && strchr(" \t\r\n", a.ptr[i]) != NULL)
            i++;
        while (j < b.len && strchr(" \t\r\n", b.ptr[j]) != NULL)
            j++;
        if (i == a.len || j == b.len)
            return i != a.len || j != b.len;
        if (a.ptr[i++] != b.ptr[j++])
            return true;
    }
}

static void compare_copy(struct work *work, struct am_span item)
{
    size_t colon = am_span_find(item, ':'), count;
    struct am_span name = am_span_trim(am_span_of(item.ptr, colon));

    if (colon == item.len)
        return;
    struct am_span was =
        decode(work->env->arena, am_span_of(item.ptr + colon + 1, item.len - colon - 1));
    const struct dkim_field *const *now = dkim_fields_find(work->fields, name, &count);
    for (size_t i = 0; i < count; i++)
        if (!differs(now[i]->value, was))
            return;
    was = am_span_trim(was);
    if (was.len > 120)
        was.len = 120;
    suppose(work->diagnosis,
            am_arena_printf(work->env->arena, "z= says that %.*s %s \"%.*s\" when it was signed",
                            (int)name.len, name.ptr, count == 0 ? "was there, and was" : "was",
                            (int)was.len, was.ptr));
}

static void compare_copies(struct work *work)
{
    struct am_span rest = work->outcome->parts->copied_fields;

    while (rest.len > 0) {
        size_t end = am_span_find(rest, '|');
        compare_copy(work, am_span_of(rest.ptr, end));
        end += end < rest.len;
        rest = am_span_of(rest.ptr + end, rest.len - end);
    }
}

/* --- the whole --- */

static bool diagnose_header(struct work *work)
{
    size_t said = work->diagnosis->count;

    compare_copies(work);
    if (!try_subject(work) && !try_white_space(work) && !try_from(work) && !try_additions(work) &&
        !work->failed && work->diagnosis->count == said)
        suppose(work->diagnosis,
                work->tries >= DKIM_DIAGNOSE_TRIES_MAX
                    ? "a signed header field was changed, and the usual changes are too many to try"
                    : "a signed header field was changed, in none of the usual ways");
    return !work->failed;
}

/* The body is known as it was: was the header changed, too? */
static bool diagnose_rest(struct work *work)
{
    const struct change none = {.remove = false};

    if (verifies(work, &none)) {
        say(work->diagnosis, "with that undone the signature verifies");
        return true;
    }
    return diagnose_header(work);
}

static bool diagnose_body(struct work *work)
{
    struct am_arena *arena = work->env->arena;
    struct dkim_body_diagnosis body;
    const char *sentence = NULL;
    bool confirmed = true;

    if (!dkim_diagnose_body(arena, work->outcome->parts, work->body, &body))
        return false;
    switch (body.change) {
    case DKIM_BODY_FOOTER:
        sentence = am_arena_printf(arena,
                                   "the first %llu octets of the canonical body are as they were "
                                   "signed; from line %llu on text was added: \"%.*s\"",
                                   (unsigned long long)body.octets, (unsigned long long)body.line,
                                   (int)body.text.len, body.text.ptr);
        break;
    case DKIM_BODY_BANNER:
        sentence =
            am_arena_printf(arena,
                            "the first %llu octets of the canonical body were added in "
                            "front; the rest is as it was signed: \"%.*s\"",
                            (unsigned long long)body.octets, (int)body.text.len, body.text.ptr);
        break;
    case DKIM_BODY_BOTH:
        sentence =
            am_arena_printf(arena,
                            "the first %llu octets of the canonical body were added in front, and "
                            "from line %llu on "
                            "text was added: \"%.*s\"; what stands between is as it was signed",
                            (unsigned long long)body.octets, (unsigned long long)body.line,
                            (int)body.text.len, body.text.ptr);
        break;
    case DKIM_BODY_OTHER_CANON:
        sentence = am_arena_printf(
            arena, "with %s in place of %s for the body its hash is right",
            work->outcome->parts->body_canon == DKIM_CANON_SIMPLE ? "relaxed" : "simple",
            work->outcome->parts->body_canon == DKIM_CANON_SIMPLE ? "simple" : "relaxed");
        break;
    case DKIM_BODY_CUT:
        confirmed = false;
        sentence = am_arena_printf(arena,
                                   "the body was cut: %llu octets are missing of those that l= "
                                   "counts",
                                   (unsigned long long)body.octets);
        break;
    case DKIM_BODY_EMPTY:
        sentence = "what was signed is an empty body";
        break;
    case DKIM_BODY_UNKNOWN:
        confirmed = false;
        sentence = work->body.len > DKIM_DIAGNOSE_BODY_MAX
                       ? "the body was changed; it is too long to look for the place"
                       : "the body was changed within its lines: nothing was only added in front "
                         "or behind";
        break;
    }
    add(work->diagnosis, confirmed, sentence);
    if (sentence == NULL)
        return false;
    return !body.is_restored || diagnose_rest(work);
}

bool dkim_diagnose(const struct dkim_verify_env *env, const struct dkim_fields *fields,
                   const struct dkim_report *report, size_t index, struct am_span body,
                   struct dkim_diagnosis *diagnosis)
{
    struct work work = {.env = env,
                        .fields = fields,
                        .outcome = &report->outcomes[index],
                        .body = body,
                        .diagnosis = diagnosis};

    *diagnosis = (struct dkim_diagnosis){0};
    if (work.outcome->reason == DKIM_REASON_BODY_HASH_MISMATCH ||
        work.outcome->reason == DKIM_REASON_LENGTH_BEYOND)
        return diagnose_body(&work);
    if (work.outcome->reason == DKIM_REASON_SIGNATURE_MISMATCH)
        return diagnose_header(&work);
    return true;
}
