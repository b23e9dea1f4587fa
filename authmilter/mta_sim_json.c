#include "authmilter/mta_sim.h"

#include <string.h>

#include "authmilter/mta/terms.h"
#include "authmilter/tool_json.h"

/* The words of a text as a list. */
static json_t *words(const struct am_buf *text)
{
    json_t *list = json_array();
    const char *at = am_buf_str(text);

    if (strcmp(at, "none") == 0)
        return list;
    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        json_array_append_new(list, tool_json_text(am_span_of(at, len)));
        at += len + (at[len] == ' ');
    }
    return list;
}

static json_t *terms_of(const struct mta_terms *terms)
{
    static const char *const stages[] = {"connect", "helo", "mail", "rcpt", "data", "eom", "eoh"};
    struct am_buf actions, steps;
    json_t *macros = json_object();

    am_buf_init(&actions, 0);
    am_buf_init(&steps, 0);
    mta_actions_print(terms->actions, &actions);
    mta_steps_print(terms->steps, &steps);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (terms->macros[i] != NULL)
            json_object_set_new(macros, stages[i], tool_json_str(terms->macros[i]));
    }
    json_t *object = json_pack("{s:i, s:o, s:o, s:o}", "version", (int)terms->version, "actions",
                               words(&actions), "steps", words(&steps), "macros", macros);
    am_buf_fini(&actions);
    am_buf_fini(&steps);
    return object;
}

bool mta_sim_json_begin(struct mta_sim *sim)
{
    sim->steps = json_array();
    sim->messages = json_array();
    sim->failed = json_array();
    return sim->steps != NULL && sim->messages != NULL && sim->failed != NULL;
}

void mta_sim_json_step(struct mta_sim *sim, const struct mta_script_line *line, const char *step,
                       const char *about, const struct mta_reply *reply)
{
    bool skip = strcmp(step, "body") == 0 && mta_skips_body(sim->player.session);
    json_t *object = json_pack("{s:i, s:s, s:o, s:s, s:s, s:o}", "line", (int)line->number, "step",
                               step, "about", tool_json_str(about), "outcome",
                               skip ? "skip" : mta_outcome_word(reply->outcome), "way",
                               mta_path_word(reply->path), "reply", tool_json_str(reply->text));

    if (object != NULL && strcmp(step, "negotiate") == 0 && reply->outcome != MTA_ERROR)
        json_object_set_new(object, "terms", terms_of(mta_terms(sim->player.session)));
    json_array_append_new(sim->steps, object);
}

static json_t *texts(const struct mta_texts *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, tool_json_str(list->items[i]));
    return array;
}

static json_t *header(const struct mta_header_model *model)
{
    json_t *array = json_array();

    for (size_t i = 0; i < model->count; i++)
        json_array_append_new(array,
                              json_pack("{s:o, s:o}", "name", tool_json_str(model->items[i].name),
                                        "value", tool_json_str(model->items[i].value)));
    return array;
}

static json_t *lines(struct am_span text)
{
    json_t *array = json_array();

    while (text.len > 0) {
        size_t len = am_span_find(text, '\n');
        size_t bare = len > 0 && len < text.len && text.ptr[len - 1] == '\r' ? len - 1 : len;
        json_array_append_new(array, tool_json_text(am_span_of(text.ptr, bare)));
        len += len < text.len;
        text = am_span_of(text.ptr + len, text.len - len);
    }
    return array;
}

void mta_sim_json_message(struct mta_sim *sim, const struct mta_script_line *line,
                          const struct mta_reply *reply, const struct mta_message *message)
{
    json_array_append_new(
        sim->messages,
        json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:I, s:o}", "line",
                  (int)line->number, "outcome", mta_outcome_word(reply->outcome), "reply",
                  tool_json_str(reply->text), "sender", tool_json_str(message->sender),
                  "recipients", texts(&message->recipients), "quarantine",
                  tool_json_str(message->quarantine), "progress", (json_int_t)message->progress,
                  "edits", texts(&message->log), "header", header(&message->headers),
                  "body_replaced", message->body_replaced, "body_bytes",
                  (json_int_t)message->body.len, "body", lines(am_buf_span(&message->body))));
}

void mta_sim_json_failure(struct mta_sim *sim, const struct mta_script_line *line,
                          const char *sentence)
{
    json_array_append_new(sim->failed,
                          json_pack("{s:i, s:o}", "line", line == NULL ? 0 : (int)line->number,
                                    "text", tool_json_str(sentence)));
}

bool mta_sim_json_end(struct mta_sim *sim)
{
    return tool_json_print(json_pack("{s:s, s:i, s:o, s:s, s:i, s:o, s:o, s:o}", "format",
                                     "authmilter-mta-sim", "version", 1, "script",
                                     tool_json_str(sim->path), "status",
                                     sim->player.failures == 0 ? "passed" : "failed",
                                     "expectations", (int)sim->player.expectations, "failures",
                                     sim->failed, "steps", sim->steps, "messages", sim->messages),
                           stdout);
}
