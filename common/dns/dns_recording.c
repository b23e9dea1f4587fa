#include "common/dns/dns_recording.h"

#include <strings.h>

void am_dns_recording_init(struct am_dns_recording *recording, struct am_arena *arena)
{
    *recording = (struct am_dns_recording){.arena = arena};
}

static struct am_span without_dot(const char *name)
{
    struct am_span text = am_span_str(name);

    if (text.len > 0 && text.ptr[text.len - 1] == '.')
        text.len--;
    return text;
}

static struct am_dns_recorded *find(const struct am_dns_recording *recording, struct am_span name,
                                    enum am_dns_type type)
{
    for (struct am_dns_recorded *item = recording->first; item != NULL; item = item->next)
        if (item->type == type && am_span_equal_nocase(am_span_str(item->name), name))
            return item;
    return NULL;
}

static bool has_text(enum am_dns_type type)
{
    return type == AM_DNS_TXT || type == AM_DNS_PTR || type == AM_DNS_MX;
}

static size_t size_of(struct am_span name, enum am_dns_type type,
                      const struct am_dns_answer *answer)
{
    size_t size = sizeof(struct am_dns_recorded) + name.len + 1;

    for (size_t i = 0; i < answer->count; i++)
        size += sizeof(struct am_dns_record) + (has_text(type) ? answer->records[i].text.len : 0);
    return size;
}

static bool copy_records(struct am_arena *arena, struct am_dns_recorded *item,
                         const struct am_dns_answer *answer)
{
    if (answer->count == 0)
        return true;
    struct am_dns_record *records = am_arena_alloc(arena, answer->count * sizeof(*records));

    if (records == NULL)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        records[i] = answer->records[i];
        if (!has_text(item->type))
            continue;
        records[i].text.ptr = am_arena_copy(arena, answer->records[i].text);
        if (records[i].text.ptr == NULL)
            return false;
    }
    item->answer.records = records;
    return true;
}

static bool fill(struct am_dns_recording *recording, struct am_dns_recorded *item,
                 const struct am_dns_answer *answer)
{
    item->answer = *answer;
    item->answer.from_cache = false;
    item->answer.records = NULL;
    return copy_records(recording->arena, item, answer);
}

static bool add_new(struct am_dns_recording *recording, struct am_span name, enum am_dns_type type,
                    const struct am_dns_answer *answer)
{
    struct am_dns_recorded *item = am_arena_alloc(recording->arena, sizeof(*item));
    char *copy = item == NULL ? NULL : am_arena_copy(recording->arena, name);

    if (copy == NULL)
        return false;
    for (char *p = copy; *p != '\0'; p++)
        *p = am_lower(*p);
    *item = (struct am_dns_recorded){.name = copy, .type = type};
    if (!fill(recording, item, answer))
        return false;
    if (recording->last == NULL)
        recording->first = item;
    else
        recording->last->next = item;
    recording->last = item;
    recording->count++;
    return true;
}

/* A former answer is not lost to one that finds no room. */
static bool replace(struct am_dns_recording *recording, struct am_dns_recorded *item,
                    const struct am_dns_answer *answer)
{
    struct am_dns_recorded other = *item;

    if (!fill(recording, &other, answer))
        return false;
    *item = other;
    return true;
}

void am_dns_recording_add(struct am_dns_recording *recording, const char *name,
                          enum am_dns_type type, const struct am_dns_answer *answer)
{
    struct am_span text = without_dot(name);
    struct am_dns_recorded *item = find(recording, text, type);
    size_t size = size_of(text, type, answer);

    if (item != NULL && !recording->latest)
        return;
    bool room = recording->bytes + size <= AM_DNS_RECORDING_BYTES_MAX &&
                (item != NULL || recording->count < AM_DNS_RECORDING_QUESTIONS_MAX);
    if (room &&
        (item == NULL ? add_new(recording, text, type, answer) : replace(recording, item, answer)))
        recording->bytes += size;
    else
        recording->cut = true;
}

const struct am_dns_answer *am_dns_recording_find(const struct am_dns_recording *recording,
                                                  const char *name, enum am_dns_type type)
{
    const struct am_dns_recorded *item = find(recording, without_dot(name), type);

    return item == NULL ? NULL : &item->answer;
}

bool am_dns_type_find(const char *word, enum am_dns_type *type)
{
    static const enum am_dns_type types[] = {AM_DNS_A, AM_DNS_PTR, AM_DNS_MX, AM_DNS_TXT,
                                             AM_DNS_AAAA};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        *type = types[i];
        if (strcasecmp(word, am_dns_type_word(types[i])) == 0)
            return true;
    }
    return false;
}

bool am_dns_outcome_find(const char *word, enum am_dns_outcome *outcome)
{
    for (int i = AM_DNS_OK; i <= AM_DNS_BAD; i++) {
        *outcome = (enum am_dns_outcome)i;
        if (strcmp(word, am_dns_outcome_word(*outcome)) == 0)
            return true;
    }
    return false;
}
