#include "common/dns/dns_recorder.h"

#include <stdlib.h>
#include <string.h>

struct recorder {
    struct am_resolver base;
    struct am_resolver *inner;
    struct am_dns_recording *recording;
};

struct recorder_query {
    struct am_dns_query base;
    struct recorder *owner;
    struct am_dns_query *inner;
    enum am_dns_type type;
    char name[];
};

static struct am_dns_query *start(struct am_resolver *self, const char *name, enum am_dns_type type,
                                  int64_t deadline_us)
{
    struct recorder *recorder = (struct recorder *)self;
    size_t len = strlen(name);
    struct recorder_query *query = calloc(1, sizeof(*query) + len + 1);

    if (query == NULL)
        return NULL;
    query->base.ops = self->ops;
    query->owner = recorder;
    query->type = type;
    memcpy(query->name, name, len + 1);
    query->inner = am_dns_start(recorder->inner, name, type, deadline_us);
    return &query->base;
}

/* Shows and keeps what the inner query has by now. Returns whether there is an answer. */
static bool take_over(struct recorder_query *query)
{
    if (query->base.answer != NULL)
        return true;
    const struct am_dns_answer *answer = am_dns_answer_of(query->inner);
    if (answer == NULL)
        return false;
    query->base.answer = answer;
    if (query->owner->recording != NULL)
        am_dns_recording_add(query->owner->recording, query->name, query->type, answer);
    return true;
}

/* How many are waited for at once; of more the first ones are. */
#define WAIT_MAX 64

static void wait_any(struct am_dns_query *const *queries, size_t count)
{
    struct am_dns_query *inner[WAIT_MAX];
    size_t pending = 0;
    bool news = false;

    for (size_t i = 0; i < count; i++) {
        struct recorder_query *query = (struct recorder_query *)queries[i];
        if (query->base.answer != NULL)
            continue;
        if (take_over(query))
            news = true;
        else if (pending < WAIT_MAX)
            inner[pending++] = query->inner;
    }
    if (news || pending == 0)
        return;
    am_dns_wait_any(inner, pending);
    for (size_t i = 0; i < count; i++)
        (void)take_over((struct recorder_query *)queries[i]);
}

static void release(struct am_dns_query *base)
{
    struct recorder_query *query = (struct recorder_query *)base;

    am_dns_release(query->inner);
    free(query);
}

static void free_recorder(struct am_resolver *self)
{
    free(self);
}

static const struct am_resolver_ops ops = {
    .start = start, .wait_any = wait_any, .release = release, .free = free_recorder};

struct am_resolver *am_dns_recorder_new(struct am_resolver *inner,
                                        struct am_dns_recording *recording)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));

    if (recorder == NULL)
        return NULL;
    *recorder = (struct recorder){.base = {&ops}, .inner = inner, .recording = recording};
    return &recorder->base;
}

void am_dns_recorder_turn(struct am_resolver *recorder, struct am_dns_recording *recording)
{
    ((struct recorder *)recorder)->recording = recording;
}
