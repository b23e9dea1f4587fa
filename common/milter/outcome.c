#include "common/milter/outcome.h"

#include <stdarg.h>

#include "common/milter/session.h"

bool am_outcome_add(struct am_outcome_taker *taker, struct am_strlist *list, const char *text)
{
    const char **items = list->items;

    /* Room doubles: a list that only this function adds to has room for the next power of two. */
    if ((list->count & (list->count - 1)) == 0)
        items =
            am_arena_alloc(taker->arena, (list->count == 0 ? 1 : 2 * list->count) * sizeof(*items));
    if (items == NULL || text == NULL) {
        taker->failed = true;
        return false;
    }
    if (list->count > 0 && items != list->items)
        memcpy(items, list->items, list->count * sizeof(*items));
    items[list->count++] = text;
    list->items = items;
    return true;
}

bool am_outcome_take_edit(struct am_outcome_taker *taker, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *text = am_arena_vprintf(taker->arena, format, args);
    va_end(args);
    return am_outcome_add(taker, &taker->outcome->edits, text);
}

bool am_outcome_take_reply(struct am_outcome_taker *taker, const struct am_reply *reply)
{
    taker->reply = am_reply_text(taker->arena, reply);
    taker->failed = taker->failed || taker->reply == NULL;
    return taker->reply != NULL;
}

/* --- the end --- */

static const char *copy(struct am_outcome_taker *taker, const char *text)
{
    if (text == NULL || *text == '\0')
        return NULL;
    text = am_arena_copy(taker->arena, am_span_str(text));
    taker->failed = taker->failed || text == NULL;
    return text;
}

/* A note may have an empty value. */
static const char *copy_value(struct am_outcome_taker *taker, const char *text)
{
    return *text == '\0' ? "" : copy(taker, text);
}

static void copy_notes(struct am_outcome_taker *taker, const struct am_message *message)
{
    struct am_outcome *outcome = taker->outcome;
    size_t count = 0;

    for (const struct am_note *note = message->notes; note != NULL; note = note->next)
        count++;
    outcome->notes = am_arena_alloc(taker->arena, (count + 1) * sizeof(*outcome->notes));
    taker->failed = taker->failed || outcome->notes == NULL;
    for (const struct am_note *note = message->notes; note != NULL && outcome->notes != NULL;
         note = note->next)
        outcome->notes[outcome->note_count++] =
            (struct am_outcome_note){copy(taker, note->key), copy_value(taker, note->value)};
}

void am_outcome_take_end(struct am_outcome_taker *taker, const struct am_session *session,
                         const char *action, const struct am_decision *decision)
{
    struct am_outcome *outcome = taker->outcome;
    const struct am_message *message = session->message;

    if (decision != NULL) {
        taker->ended = true;
        outcome->action = action;
        outcome->stage = copy(taker, decision->stage);
        outcome->module = copy(taker, decision->module);
        outcome->why = copy(taker, decision->why);
    }
    outcome->observed = copy(taker, message->observed);
    for (size_t i = 0; i < message->results.count; i++)
        if (!am_results_add(&outcome->results, taker->arena, message->results.modules[i],
                            &message->results.items[i]))
            taker->failed = true;
    copy_notes(taker, message);
}
