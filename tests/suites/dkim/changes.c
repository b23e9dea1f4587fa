#include <stdlib.h>

#include "tests/suites/dkim/scenario.h"

/* What happens to a message after it was signed. */

static void note_all(struct scenario *scenario, const char *change, enum verdict verdict)
{
    for (size_t i = 0; i < scenario->signature_count; i++)
        signature_note(scenario, &scenario->signatures[i], change, verdict);
}

static void set_body(struct scenario *scenario, struct am_buf *body)
{
    scenario->body = am_span_of(am_arena_copy(scenario->arena, am_buf_span(body)), body->len);
    am_buf_fini(body);
}

static void add_to_body(struct scenario *scenario, const char *text)
{
    struct am_buf body;

    am_buf_init(&body, 0);
    am_buf_add(&body, scenario->body);
    am_buf_add_str(&body, text);
    set_body(scenario, &body);
}

static void more_body(struct scenario *scenario)
{
    add_to_body(scenario, "more\r\n");
    for (size_t i = 0; i < scenario->signature_count; i++) {
        struct signature *signature = &scenario->signatures[i];
        bool has_length = signature->length != SIZE_MAX;

        /* With l= the rest of the body is nobody's business, but for what it makes of the end. */
        signature->partial = signature->partial || has_length;
        signature_note(scenario, signature, "body-added",
                       has_length ? VERDICT_OPEN : VERDICT_WRONG);
    }
}

static void empty_lines(struct scenario *scenario)
{
    bool ended = scenario->body.len == 0 ||
                 (scenario->body.len >= 2 &&
                  memcmp(scenario->body.ptr + scenario->body.len - 2, "\r\n", 2) == 0);

    add_to_body(scenario, "\r\n\r\n");
    note_all(scenario, "empty-lines", ended ? VERDICT_RIGHT : VERDICT_OPEN);
}

static void flip(struct scenario *scenario, struct am_span *text)
{
    char *copy = am_arena_copy(scenario->arena, *text);
    size_t place = random_below(&scenario->random, text->len);

    /* No NUL: libmilter cannot carry one in a field. */
    char c = (char)(copy[place] ^ (1 << random_below(&scenario->random, 7)));
    copy[place] = c == '\0' || c == '\n' ? '?' : c;
    text->ptr = copy;
}

static void flip_body(struct scenario *scenario)
{
    if (scenario->body.len == 0)
        return;
    flip(scenario, &scenario->body);
    note_all(scenario, "body-octet", VERDICT_OPEN);
}

static void flip_field(struct scenario *scenario)
{
    struct forge_field *field =
        &scenario->fields[random_below(&scenario->random, scenario->field_count)];

    if (field->value.len == 0)
        return;
    flip(scenario, &field->value);
    for (size_t i = 0; i < scenario->signature_count; i++)
        if (scenario->signatures[i].text.ptr != NULL)
            signature_note(scenario, &scenario->signatures[i], "field-octet", VERDICT_OPEN);
}

static void drop_field(struct scenario *scenario)
{
    size_t place = random_below(&scenario->random, scenario->field_count);

    for (size_t i = 0; i < scenario->signature_count; i++)
        if (scenario->fields[place].value.ptr == scenario->signatures[i].text.ptr)
            return;
    memmove(&scenario->fields[place], &scenario->fields[place + 1],
            (scenario->field_count - place - 1) * sizeof(scenario->fields[0]));
    scenario->field_count--;
    note_all(scenario, "field-dropped", VERDICT_OPEN);
}

static void second_from(struct scenario *scenario)
{
    scenario_add_field(scenario, am_span_str("From"), am_span_str(" evil@example.net"));
    note_all(scenario, "second-from", VERDICT_WRONG);
}

static void new_field(struct scenario *scenario)
{
    scenario_add_field(scenario, am_span_str("X-New"), am_span_str(" field"));
    note_all(scenario, "new-field", VERDICT_RIGHT);
}

static void second_subject(struct scenario *scenario)
{
    scenario_add_field(scenario, am_span_str("Subject"), am_span_str(" another"));
    note_all(scenario, "second-subject", VERDICT_OPEN);
}

static void utf8_name(struct scenario *scenario)
{
    scenario_add_field(scenario, am_span_str("X-\xc3\xa4"), am_span_str(" field"));
    note_all(scenario, "utf8-name", VERDICT_RIGHT);
}

static void (*const changes[])(struct scenario *scenario) = {
    more_body,   empty_lines, flip_body,      flip_field, flip_field, flip_field,
    second_from, new_field,   second_subject, utf8_name,  drop_field,
};

void oddity_change_message(struct scenario *scenario)
{
    changes[random_below(&scenario->random, sizeof(changes) / sizeof(changes[0]))](scenario);
}
