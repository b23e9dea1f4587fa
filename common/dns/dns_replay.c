#include "common/dns/dns_replay.h"

#include <stdlib.h>
#include <string.h>

struct replay {
    struct am_resolver base;
    const struct am_dns_recording *recording, *other; /* `other` may be NULL */
    bool (*equals)(const char *recorded, const char *asked);
    struct am_dns_recording *missed;
    struct am_arena *arena; /* NULL: none is owned */
};

struct replay_query {
    struct am_dns_query base;
    struct replay *owner;
    bool missing;
    enum am_dns_type type;
    char name[];
};

static const struct am_dns_answer not_recorded = {.outcome = AM_DNS_SERVFAIL};

static const struct am_dns_answer *find_loosely(const struct replay *replay,
                                                const struct am_dns_recording *recording,
                                                const char *name, enum am_dns_type type)
{
    for (const struct am_dns_recorded *item = recording->first; item != NULL; item = item->next)
        if (item->type == type && replay->equals(item->name, name))
            return &item->answer;
    return NULL;
}

static const struct am_dns_answer *find(const struct replay *replay, const char *name,
                                        enum am_dns_type type)
{
    const struct am_dns_recording *const recordings[] = {replay->recording, replay->other};
    const struct am_dns_answer *answer = NULL;

    for (size_t i = 0; i < 2 && answer == NULL; i++)
        if (recordings[i] != NULL)
            answer = am_dns_recording_find(recordings[i], name, type);
    for (size_t i = 0; i < 2 && answer == NULL && replay->equals != NULL; i++)
        if (recordings[i] != NULL)
            answer = find_loosely(replay, recordings[i], name, type);
    return answer;
}

static struct am_dns_query *start(struct am_resolver *self, const char *name, enum am_dns_type type,
                                  int64_t deadline_us)
{
    struct replay *replay = (struct replay *)self;
    size_t len = strlen(name);
    struct replay_query *query = calloc(1, sizeof(*query) + len + 1);

    (void)deadline_us;
    if (query == NULL)
        return NULL;
    query->owner = replay;
    query->type = type;
    memcpy(query->name, name, len + 1);
    query->base.ops = self->ops;
    query->base.answer = find(replay, name, type);
    query->missing = query->base.answer == NULL;
    if (query->missing)
        query->base.answer = &not_recorded;
    return &query->base;
}

static void wait_any(struct am_dns_query *const *queries, size_t count)
{
    /* Every query is answered when it starts. */
    (void)queries;
    (void)count;
}

static void release(struct am_dns_query *base)
{
    struct replay_query *query = (struct replay_query *)base;

    if (query->missing && base->seen && query->owner->missed != NULL)
        am_dns_recording_add(query->owner->missed, query->name, query->type, base->answer);
    free(query);
}

static void free_replay(struct am_resolver *self)
{
    am_arena_free(((struct replay *)self)->arena);
    free(self);
}

static const struct am_resolver_ops ops = {
    .start = start, .wait_any = wait_any, .release = release, .free = free_replay};

struct am_resolver *am_dns_replay_new(const struct am_dns_recording *recording,
                                      struct am_dns_recording *missed)
{
    struct replay *replay = calloc(1, sizeof(*replay));

    if (replay == NULL)
        return NULL;
    *replay = (struct replay){.base = {&ops}, .recording = recording, .missed = missed};
    return &replay->base;
}

void am_dns_replay_beside(struct am_resolver *replay, const struct am_dns_recording *other,
                          bool (*equals)(const char *recorded, const char *asked))
{
    ((struct replay *)replay)->other = other;
    ((struct replay *)replay)->equals = equals;
}

void am_dns_replay_own(struct am_resolver *replay, struct am_arena *arena)
{
    ((struct replay *)replay)->arena = arena;
}
