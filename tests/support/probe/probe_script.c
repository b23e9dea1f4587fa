#include "tests/support/probe/probe.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A line of the script at work; an act returns false when the framework refused it. */
struct step {
    struct am_ctx *ctx;
    struct am_eom_ctx *eom;
    char *rest; /* what follows the word */
};

/* Cuts the first word off. "" at the end. */
static char *take_word(char **rest)
{
    char *word = *rest;
    size_t len = strcspn(word, " ");

    *rest = word + len;
    if (**rest == ' ')
        *(*rest)++ = '\0';
    return word;
}

static unsigned take_number(char **rest)
{
    return (unsigned)strtoul(take_word(rest), NULL, 10);
}

/* The rest, or NULL when there is none. */
static const char *or_null(const char *rest)
{
    return *rest == '\0' ? NULL : rest;
}

/* `\n` and `\r` become the bytes, so that one line of the script can hold them. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (text[0] == '\\' && (text[1] == 'n' || text[1] == 'r'))
            *to++ = *++text == 'n' ? '\n' : '\r';
        else
            *to++ = *text;
    }
    *to = '\0';
}

static bool do_reply(struct step *step)
{
    int code = (int)take_number(&step->rest);
    const char *xcode = take_word(&step->rest);
    return am_ctx_set_reply(step->ctx, code, strcmp(xcode, "-") == 0 ? NULL : xcode, step->rest);
}

static bool do_hold(struct step *step)
{
    am_ctx_set_quarantine(step->ctx, step->rest);
    return true;
}

static bool do_publish(struct step *step)
{
    struct am_result result = {0};
    result.method = take_word(&step->rest);
    result.result = take_word(&step->rest);
    result.reason = or_null(step->rest);
    am_ctx_publish(step->ctx, &result);
    return true;
}

static bool do_sleep(struct step *step)
{
    unsigned ms = take_number(&step->rest);
    am_ctx_before_wait(step->ctx);
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
    return true;
}

static bool do_observe(struct step *step)
{
    am_ctx_observe(step->ctx, AM_REJECT, step->rest);
    return true;
}

static bool do_note(struct step *step)
{
    const char *key = take_word(&step->rest);
    am_ctx_note(step->ctx, key, "%s", step->rest);
    return true;
}

static bool do_count(struct step *step)
{
    am_ctx_count(step->ctx, "seen", step->rest, 1);
    return true;
}

static bool do_macro(struct step *step)
{
    const char *value = am_ctx_macro(step->ctx, step->rest);
    probe_trace(step->ctx, "macro %s=%s", step->rest, value == NULL ? "(none)" : value);
    return true;
}

static bool do_results(struct step *step)
{
    const struct am_results *results = am_ctx_results(step->ctx);
    for (size_t i = 0; i < results->count; i++)
        probe_trace(step->ctx, "sees %s=%s of %s", results->items[i].method,
                    results->items[i].result, results->modules[i]);
    return true;
}

static bool do_add(struct step *step)
{
    const char *name = take_word(&step->rest);
    return am_eom_add_header(step->eom, name, step->rest);
}

static bool do_insert(struct step *step)
{
    unsigned index = take_number(&step->rest);
    const char *name = take_word(&step->rest);
    return am_eom_insert_header(step->eom, index, name, step->rest);
}

static bool do_change(struct step *step)
{
    unsigned index = take_number(&step->rest);
    const char *name = take_word(&step->rest);
    return am_eom_change_header(step->eom, index, name, step->rest);
}

static bool do_delete(struct step *step)
{
    unsigned index = take_number(&step->rest);
    return am_eom_delete_header(step->eom, index, step->rest);
}

static bool do_add_rcpt(struct step *step)
{
    const char *recipient = take_word(&step->rest);
    return am_eom_add_recipient(step->eom, recipient, or_null(step->rest));
}

static bool do_delete_rcpt(struct step *step)
{
    return am_eom_delete_recipient(step->eom, step->rest);
}

static bool do_from(struct step *step)
{
    const char *sender = take_word(&step->rest);
    return am_eom_change_sender(step->eom, sender, or_null(step->rest));
}

static bool do_body(struct step *step)
{
    return am_eom_replace_body(step->eom, am_span_str(step->rest));
}

static bool do_big_body(struct step *step)
{
    size_t len = take_number(&step->rest);
    char *text = malloc(len + 1);
    if (text == NULL)
        return false;
    memset(text, 'b', len);
    bool done = am_eom_replace_body(step->eom, am_span_of(text, len));
    free(text);
    return done;
}

static bool do_progress(struct step *step)
{
    return am_eom_progress(step->eom);
}

static const struct {
    const char *word;
    bool (*run)(struct step *);
} acts[] = {
    {"reply", do_reply},       {"hold", do_hold},         {"publish", do_publish},
    {"sleep", do_sleep},       {"observe", do_observe},   {"note", do_note},
    {"count", do_count},       {"macro", do_macro},       {"results", do_results},
    {"add", do_add},           {"insert", do_insert},     {"change", do_change},
    {"delete", do_delete},     {"add_rcpt", do_add_rcpt}, {"delete_rcpt", do_delete_rcpt},
    {"from", do_from},         {"body", do_body},         {"big_body", do_big_body},
    {"progress", do_progress},
};

static const struct {
    const char *word;
    enum am_verdict verdict;
} verdicts[] = {
    {"continue", AM_CONTINUE},     {"done", AM_DONE},         {"skip_body", AM_SKIP_BODY},
    {"accept", AM_ACCEPT},         {"discard", AM_DISCARD},   {"reject", AM_REJECT},
    {"quarantine", AM_QUARANTINE}, {"tempfail", AM_TEMPFAIL}, {"fail", AM_FAIL},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void run_line(struct step *step, enum am_verdict *verdict)
{
    const char *word = take_word(&step->rest);

    for (size_t i = 0; i < COUNT(verdicts); i++) {
        if (strcmp(word, verdicts[i].word) == 0) {
            *verdict = verdicts[i].verdict;
            return;
        }
    }
    unescape(step->rest);
    for (size_t i = 0; i < COUNT(acts); i++) {
        if (strcmp(word, acts[i].word) != 0)
            continue;
        if (!acts[i].run(step))
            probe_trace(step->ctx, "refused %s", word);
        return;
    }
    probe_trace(step->ctx, "unknown word %s", word);
}

enum am_verdict probe_script_run(struct am_ctx *ctx, struct am_eom_ctx *eom, const char *stage)
{
    const struct probe *probe = am_ctx_derived(ctx);
    enum am_verdict verdict = AM_CONTINUE;
    char macro[32] = "{";

    strncat(strncat(macro, probe->name, 16), "}", 2);
    const char *script = am_ctx_macro(ctx, macro);
    char *text = script == NULL ? NULL : strdup(script);
    for (char *line = text; line != NULL && *line != '\0';) {
        char *next = line + strcspn(line, "\n");
        if (*next == '\n')
            *next++ = '\0';
        struct step step = {ctx, eom, line};
        if (strcmp(take_word(&step.rest), stage) == 0)
            run_line(&step, &verdict);
        line = next;
    }
    free(text);
    return verdict;
}
