#include "authmilter/explain.h"

#include "spf-milter/spf_relay.h"

bool explain_mail_read(struct explain_mail *mail, struct am_arena *arena, const char *path,
                       struct am_problem *problem)
{
    struct tool_mail *file = tool_mail_open(arena, path, false, problem);
    struct am_span chunk;

    am_buf_init(&mail->body, EXPLAIN_BODY_MAX);
    if (file == NULL)
        return false;
    dkim_fields_init(&mail->fields, arena, false);
    if (!tool_mail_header(file, &mail->fields, problem))
        return false;
    do {
        if (!tool_mail_body(file, &chunk, problem))
            return false;
        am_buf_add(&mail->body, chunk);
    } while (chunk.len > 0);
    mail->notes = tool_mail_notes(file);
    return !mail->body.failed || am_problem_set(problem, "%s: its body has more than %zu MiB", path,
                                                EXPLAIN_BODY_MAX >> 20);
}

/* --- the envelope --- */

static bool set(struct am_arena *arena, struct explain_fact *fact, struct am_span value,
                const char *source)
{
    fact->value = am_arena_copy(arena, value);
    fact->source = source;
    return fact->value != NULL && source != NULL;
}

static bool guess_sender(struct explain_envelope *envelope, struct am_arena *arena,
                         const struct dkim_fields *fields)
{
    for (const struct dkim_field *field = fields->first; field != NULL; field = field->below) {
        struct am_address address;

        if (!dkim_field_is(field, "return-path"))
            continue;
        if (!am_address_parse(&address, am_span_trim(field->value)))
            return true;
        return set(arena, &envelope->sender, address.full, "Return-Path");
    }
    return true;
}

/* The name in front of the brackets: "from helo (ptr [192.0.2.1])" as Postfix and Sendmail have it.
 */
static struct am_span name_before(struct am_span value)
{
    size_t open = am_span_find(value, '('), end;

    if (open == value.len)
        return am_span_of(NULL, 0);
    value = am_span_of(value.ptr + open + 1, value.len - open - 1);
    end = am_span_find(value, '[');
    if (end == value.len || am_span_find(value, ')') < end)
        return am_span_of(NULL, 0);
    value = am_span_trim(am_span_of(value.ptr, end));
    return am_span_find(value, ' ') < value.len || am_span_find(value, '@') < value.len
               ? am_span_of(NULL, 0)
               : value;
}

static bool take_hop(struct explain_envelope *envelope, struct am_arena *arena,
                     const struct dkim_field *field, const struct spf_hop *hop)
{
    char text[AM_IP_TEXT_MAX];
    const char *source =
        am_arena_printf(arena, "Received, number %zu of the header", field->position + 1);
    struct am_span name = name_before(field->value);

    if (envelope->client.value != NULL)
        return true; /* the client was given: what others wrote of theirs says nothing of it */
    if (!set(arena, &envelope->client, am_span_str(am_ip_format(&hop->ip, text)), source))
        return false;
    if (envelope->helo.value == NULL && hop->helo.len > 0 &&
        !set(arena, &envelope->helo, hop->helo, source))
        return false;
    return envelope->client_name.value != NULL || name.len == 0 ||
           set(arena, &envelope->client_name, name, source);
}

static bool guess_client(struct explain_envelope *envelope, struct am_arena *arena,
                         const struct dkim_fields *fields)
{
    for (const struct dkim_field *field = fields->first; field != NULL; field = field->below) {
        struct spf_hop hop;

        if (!dkim_field_is(field, "received"))
            continue;
        spf_relay_parse(&hop, field->value);
        /* What was handed on within a machine, by a content filter for instance. */
        if (hop.ip.family == 0 ? hop.helo.len == 0 : am_ip_is_loopback(&hop.ip))
            continue;
        if (hop.ip.family == 0 || hop.ambiguous)
            return true;
        return take_hop(envelope, arena, field, &hop);
    }
    return true;
}

static bool guess_recipient(struct explain_envelope *envelope, struct am_arena *arena,
                            const struct dkim_fields *fields)
{
    static const char *const names[] = {"delivered-to", "x-original-to"};
    const char **items = am_arena_alloc(arena, sizeof(*items));

    if (items == NULL)
        return false;
    items[0] = "<recipient@unknown.invalid>";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (const struct dkim_field *field = fields->first; field != NULL; field = field->below) {
            struct am_address address;

            if (!dkim_field_is(field, names[i]) ||
                !am_address_parse(&address, am_span_trim(field->value)) || address.is_null)
                continue;
            items[0] = am_arena_printf(arena, "<%.*s>", (int)address.full.len, address.full.ptr);
        }
    envelope->recipients = (struct am_strlist){items, 1};
    return items[0] != NULL;
}

bool explain_envelope_guess(struct explain_envelope *envelope, struct am_arena *arena,
                            const struct dkim_fields *fields)
{
    return (envelope->sender.value != NULL || guess_sender(envelope, arena, fields)) &&
           guess_client(envelope, arena, fields) &&
           (envelope->recipients.count > 0 || guess_recipient(envelope, arena, fields));
}
