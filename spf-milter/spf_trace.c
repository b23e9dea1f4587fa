#include "spf-milter/spf_trace.h"

#include <string.h>

#include "spf-milter/spf_lookup.h"

#define STEPS_FIRST 16

static bool grow(struct spf_check *check)
{
    size_t capacity = check->step_capacity == 0 ? STEPS_FIRST : check->step_capacity * 4;
    if (capacity > SPF_TRACE_MAX)
        return false;
    struct spf_step *steps = am_arena_alloc(check->arena, capacity * sizeof(*steps));
    if (steps == NULL)
        return false;
    if (check->outcome.step_count > 0)
        memcpy(steps, check->steps, check->outcome.step_count * sizeof(*steps));
    check->steps = steps;
    check->step_capacity = capacity;
    check->outcome.steps = steps;
    return true;
}

size_t spf_trace_add(struct spf_check *check, const struct spf_frame *frame, struct am_span term)
{
    if (check->outcome.step_count == check->step_capacity && !grow(check))
        return SPF_TRACE_MAX;
    size_t number = check->outcome.step_count++;
    check->steps[number] = (struct spf_step){
        .depth = frame->depth,
        .domain = frame->shown,
        .term = term,
        .outcome = "no match",
        .terms_used = check->outcome.terms_used,
        .voids_used = check->outcome.voids_used,
    };
    return number;
}

void spf_trace_answer(struct spf_check *check, size_t step, const struct spf_lookup *lookup)
{
    if (step >= check->outcome.step_count)
        return;
    check->steps[step].target = lookup->name;
    check->steps[step].type = lookup->type;
    check->steps[step].answer = lookup->answer;
    check->steps[step].terms_used = check->outcome.terms_used;
}

void spf_trace_outcome(struct spf_check *check, size_t step, const char *outcome)
{
    if (step >= check->outcome.step_count)
        return;
    check->steps[step].outcome = outcome;
    check->steps[step].terms_used = check->outcome.terms_used;
    check->steps[step].voids_used = check->outcome.voids_used;
}

/* Most octets of a text record that a step shows. */
#define SHOWN_TEXT_MAX 100

static void write_text(struct am_buf *out, struct am_span text)
{
    for (size_t i = 0; i < text.len && i < SHOWN_TEXT_MAX; i++) {
        char c = text.ptr[i];
        am_buf_add_char(out, c < ' ' || c > '~' ? '?' : c);
    }
    if (text.len > SHOWN_TEXT_MAX)
        am_buf_add_str(out, "...");
}

static void write_record(struct am_buf *out, enum am_dns_type type,
                         const struct am_dns_record *record)
{
    char text[AM_IP_TEXT_MAX];
    struct am_ip ip = {.family = 0};
    switch (type) {
    case AM_DNS_A:
        ip.family = 4;
        memcpy(ip.bytes, record->a, sizeof(record->a));
        am_buf_add_str(out, am_ip_format(&ip, text));
        break;
    case AM_DNS_AAAA:
        ip.family = 6;
        memcpy(ip.bytes, record->aaaa, sizeof(record->aaaa));
        am_buf_add_str(out, am_ip_format(&ip, text));
        break;
    case AM_DNS_MX:
    case AM_DNS_PTR:
        if (record->text.len == 0)
            am_buf_add_char(out, '.');
        write_text(out, record->text);
        break;
    case AM_DNS_TXT:
        am_buf_add_char(out, '"');
        write_text(out, record->text);
        am_buf_add_char(out, '"');
        break;
    }
}

void spf_step_dns(const struct spf_step *step, struct am_buf *out)
{
    if (step->answer == NULL)
        return;
    am_buf_add_str(out, am_dns_type_word(step->type));
    am_buf_add_char(out, ' ');
    if (step->answer->outcome != AM_DNS_OK) {
        am_buf_add_str(out, am_dns_outcome_word(step->answer->outcome));
        return;
    }
    write_record(out, step->type, &step->answer->records[0]);
    if (step->answer->count > 1)
        am_buf_printf(out, " (+%zu)", step->answer->count - 1);
}
