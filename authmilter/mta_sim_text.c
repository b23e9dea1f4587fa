#include "authmilter/mta_sim.h"

#include <stdio.h>
#include <string.h>

#include "authmilter/mta/terms.h"
#include "common/base/log.h"

/* Prints text of strangers: nothing in it moves a cursor. */
static void put(const char *before, struct am_span text, const char *after)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, text);
    printf("%s%s%s", before, am_buf_str(&escaped), after);
    am_buf_fini(&escaped);
}

/* Line by line: LF ends one, and a CR before it belongs to its end. */
static void put_lines(const char *before, struct am_span text)
{
    while (text.len > 0) {
        size_t len = am_span_find(text, '\n');
        size_t bare = len > 0 && len < text.len && text.ptr[len - 1] == '\r' ? len - 1 : len;
        put(before, am_span_of(text.ptr, bare), "\n");
        len += len < text.len;
        text = am_span_of(text.ptr + len, text.len - len);
    }
}

static void put_terms(const struct mta_terms *terms)
{
    static const char *const stages[] = {"connect", "helo", "mail", "rcpt", "data", "eom", "eoh"};
    struct am_buf text;

    am_buf_init(&text, 0);
    am_buf_printf(&text, "version %u; actions: ", terms->version);
    mta_actions_print(terms->actions, &text);
    am_buf_add_str(&text, "; steps: ");
    mta_steps_print(terms->steps, &text);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (terms->macros[i] != NULL)
            am_buf_printf(&text, "; macros at %s: %s", stages[i], terms->macros[i]);
    }
    put("", am_buf_span(&text), "\n");
    am_buf_fini(&text);
}

/* The answer of a step in words. */
static void put_answer(const struct mta_sim *sim, const char *step, const struct mta_reply *reply)
{
    bool skip = strcmp(step, "body") == 0 && mta_skips_body(sim->player.session);

    if (reply->path == MTA_NOT_SENT && !skip)
        printf("not wanted\n");
    else if (reply->path == MTA_NOT_ANSWERED)
        printf("sent\n");
    else {
        printf("%s%s", reply->path == MTA_DECIDED ? "decided already: " : "",
               skip ? "skip" : mta_outcome_word(reply->outcome));
        put(reply->text[0] == '\0' ? "" : " ", am_span_str(reply->text), "\n");
    }
}

void mta_sim_text_step(const struct mta_sim *sim, const struct mta_script_line *line,
                       const char *step, const char *about, const struct mta_reply *reply)
{
    /* A message has many fields, and hardly one of them is answered with a verdict. */
    if (sim->quiet || (strcmp(step, "header") == 0 && reply->outcome == MTA_CONTINUE))
        return;
    printf("%4u  %s", line->number, step);
    put(about[0] == '\0' ? "" : " ", am_span_str(about), ": ");
    if (strcmp(step, "negotiate") == 0 && reply->outcome != MTA_ERROR)
        put_terms(mta_terms(sim->player.session));
    else
        put_answer(sim, step, reply);
}

void mta_sim_text_message(const struct mta_sim *sim, const struct mta_reply *reply,
                          const struct mta_message *message)
{
    struct am_buf header;

    if (sim->quiet)
        return;
    printf("      message %u: %s", sim->player.messages, mta_outcome_word(reply->outcome));
    put(reply->text[0] == '\0' ? "" : " ", am_span_str(reply->text), "\n");
    if (reply->outcome != MTA_CONTINUE && reply->outcome != MTA_ACCEPT)
        return;
    if (message->quarantine != NULL)
        put("      held: ", am_span_str(message->quarantine), "\n");
    put("      from ", am_span_str(message->sender == NULL ? "" : message->sender), "\n");
    for (size_t i = 0; i < message->recipients.count; i++)
        put("      to ", am_span_str(message->recipients.items[i]), "\n");
    am_buf_init(&header, 0);
    mta_headers_print(&message->headers, &header);
    put_lines("      | ", am_buf_span(&header));
    printf("      |\n");
    put_lines("      | ", am_buf_span(&message->body));
    am_buf_fini(&header);
}

void mta_sim_text_failure(const struct mta_sim *sim, const struct mta_script_line *line,
                          const char *sentence)
{
    const char *end = strchr(sentence, '\n');

    put("", am_span_str(sim->path), "");
    printf(":%u: ", line == NULL ? 0 : line->number);
    put("", am_span_of(sentence, end == NULL ? strlen(sentence) : (size_t)(end - sentence)), "\n");
    if (end != NULL)
        put_lines("      | ", am_span_str(end + 1));
}

void mta_sim_text_end(const struct mta_sim *sim)
{
    if (sim->player.failures > 0)
        printf("failed: %u\n", sim->player.failures);
    else
        printf("passed: %u expectation%s\n", sim->player.expectations,
               sim->player.expectations == 1 ? "" : "s");
}
