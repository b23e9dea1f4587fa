#include "common/milter/shadow.h"

#include <string.h>
#include <strings.h>

#include "authres/authres.h"
#include "common/base/log.h"
#include "common/milter/session.h"

bool am_shadow_is_on(const struct am_session *session)
{
    return session->runtime->milter->shadow;
}

static bool is_field(struct am_span name, const char *wanted)
{
    return am_span_equal_nocase(am_span_trim(name), am_span_str(wanted));
}

static void take_results(struct am_session *session, struct am_span value)
{
    const struct am_runtime *runtime = session->runtime;
    const struct am_strlist *ids = &runtime->milter->shadow_authserv_ids;
    struct am_message *message = session->message;
    const char **names =
        am_arena_alloc(message->arena, (runtime->module_count + 1) * sizeof(*names));

    if (names == NULL) {
        message->shadow.results.cut = true;
        return;
    }
    for (size_t i = 0; i < runtime->module_count; i++) {
        const struct am_module *module = runtime->modules[i].module;
        names[i] = module->method != NULL ? module->method : module->name;
    }
    const struct am_shadow_methods methods = {names, runtime->module_count};
    if (ids->count > 0)
        am_shadow_claims_add_field(&message->shadow.results, message->arena, value,
                                   (const char *const *)ids->items, ids->count, &methods);
    else
        am_shadow_claims_add_field(&message->shadow.results, message->arena, value,
                                   &session->authserv_id, 1, &methods);
}

void am_shadow_take(struct am_session *session, struct am_span name, struct am_span value)
{
    struct am_message *message = session->message;
    struct am_shadow *shadow = &message->shadow;
    bool is_results = is_field(name, AM_SCRUB_FIELD);

    if (!is_results && !is_field(name, "DKIM-Signature"))
        return;
    if (++shadow->fields > AM_SHADOW_FIELDS_MAX) {
        shadow->results.cut = true;
        return;
    }
    if (is_results) {
        take_results(session, value);
        return;
    }
    const char *copy = am_arena_copy(message->arena, value);
    if (copy == NULL)
        shadow->signatures.cut = true;
    else
        am_shadow_claims_add_signature(&shadow->signatures, message->arena,
                                       am_span_of(copy, value.len));
}

/* --- the end of the message --- */

/* A word of the other side that is a result of the method; anything else is "other": a label must
 * not be a stranger's choice. */
static const char *label_word(const char *method, const char *word)
{
    if (strcasecmp(method, AM_SHADOW_SIGNATURE) == 0 ||
        ar_registry_result(method, word) == AR_ACTIVE ||
        ar_registry_result(method, word) == AR_DEPRECATED)
        return word;
    return "other";
}

static void count_difference(const struct am_session *session, const char *method, const char *ours,
                             const char *theirs)
{
    char label[AM_COUNTERS_TEXT_MAX + 1];
    struct am_buf text;

    am_buf_init(&text, sizeof(label));
    am_buf_printf(&text, "%s ours=%s theirs=%s", method, label_word(method, ours),
                  label_word(method, theirs));
    for (size_t i = 0; i < text.len; i++)
        text.data[i] = am_lower(text.data[i]);
    am_counters_module(session->runtime->counters, "shadow", "differs",
                       text.failed ? method : am_buf_str(&text), 1);
    am_buf_fini(&text);
}

static void add_known(struct am_log_line *line, const char *key, struct am_span ours,
                      struct am_span theirs)
{
    am_log_line_text(line, key,
                     ours.len > 0 ? ours
                                  : am_span_of(theirs.len > 0 ? theirs.ptr : NULL, theirs.len));
}

static void log_difference(const struct am_session *session, const struct am_shadow_claim *ours,
                           const struct am_shadow_claim *theirs)
{
    const struct am_shadow_claim *one = ours != NULL ? ours : theirs;
    const struct am_shadow_claim *other = theirs != NULL ? theirs : ours;
    const struct am_message *message = session->message;
    struct am_log_line line;

    am_log_line_begin(&line, AM_LOG_INFO, "difference");
    if (*message->info.queue_id != '\0')
        am_log_line_str(&line, "queue_id", message->info.queue_id);
    am_log_line_int(&line, "conn", (int64_t)session->info.id);
    am_log_line_str(&line, "method", one->method);
    if (*one->identity != '\0')
        am_log_line_str(&line, "identity", one->identity);
    am_log_line_str(&line, "ours", am_shadow_claim_word(ours, one));
    am_log_line_str(&line, "theirs", am_shadow_claim_word(theirs, one));
    add_known(&line, "domain", one->domain, other->domain);
    add_known(&line, "selector", one->selector, other->selector);
    am_log_line_end(&line);
}

static void tell(void *user, const struct am_shadow_claim *ours,
                 const struct am_shadow_claim *theirs)
{
    struct am_session *session = user;
    struct am_shadow *shadow = &session->message->shadow;
    const struct am_shadow_claim *one = ours != NULL ? ours : theirs;
    const char *our_word = am_shadow_claim_word(ours, one);
    const char *their_word = am_shadow_claim_word(theirs, one);

    if (strcasecmp(our_word, their_word) == 0) {
        shadow->same++;
        am_counters_module(session->runtime->counters, "shadow", "same", one->method, 1);
        return;
    }
    shadow->differs++;
    count_difference(session, one->method, our_word, their_word);
    log_difference(session, ours, theirs);
}

/* What we would have put on the message. */
static void take_own_signatures(struct am_message *message, struct am_shadow_claims *claims)
{
    for (const struct am_edit *edit = message->edits.first; edit != NULL; edit = edit->next)
        if ((edit->kind == AM_EDIT_INSERT_HEADER || edit->kind == AM_EDIT_ADD_HEADER) &&
            is_field(am_span_str(edit->name), "DKIM-Signature"))
            am_shadow_claims_add_signature(claims, message->arena, am_span_str(edit->value));
}

void am_shadow_finish(struct am_session *session)
{
    struct am_message *message = session->message;
    struct am_shadow *shadow = &message->shadow;
    struct am_shadow_claims results = {0}, signatures = {0};

    am_shadow_claims_add_results(&results, message->arena, &message->results);
    shadow->compared = true;
    am_shadow_claims_compare(&results, &shadow->results, tell, session);
    if (message->outgoing) {
        take_own_signatures(message, &signatures);
        am_shadow_claims_compare(&signatures, &shadow->signatures, tell, session);
    }
    if (shadow->results.cut || shadow->signatures.cut || results.cut || signatures.cut)
        am_session_log(session, AM_LOG_WARNING,
                       "shadow: more fields or results than are compared; the rest was not looked "
                       "at");
}
