#include "dkim-milter/dkim_body_hash.h"

#include <stdlib.h>

#include "dkim-milter/dkim_canon_body.h"

/* One canonicalisation of the body. */
struct stream {
    struct dkim_canon_body body;
    struct dkim_hash running;
    struct dkim_hash ended; /* copies of `running`, one after the other */
    uint64_t total;
    struct dkim_body_request **requests; /* by limit; those without one last */
    size_t count;
    size_t next; /* the first without an answer */
    bool failed;
};

struct dkim_body_hash {
    struct am_arena *arena;
    struct dkim_body_request *requests;
    struct stream streams[DKIM_CANON_COUNT];
};

static void release(void *object)
{
    struct dkim_body_hash *hash = object;

    for (size_t i = 0; i < DKIM_CANON_COUNT; i++) {
        dkim_hash_fini(&hash->streams[i].running);
        dkim_hash_fini(&hash->streams[i].ended);
    }
}

struct dkim_body_hash *dkim_body_hash_new(struct am_arena *arena)
{
    struct dkim_body_hash *hash = am_arena_alloc(arena, sizeof(*hash));

    if (hash == NULL || !am_arena_defer(arena, release, hash))
        return NULL;
    hash->arena = arena;
    return hash;
}

const struct dkim_body_request *dkim_body_hash_want(struct dkim_body_hash *hash,
                                                    enum dkim_canon canon, bool has_limit,
                                                    uint64_t limit)
{
    struct dkim_body_request *request = am_arena_alloc(hash->arena, sizeof(*request));

    if (request == NULL)
        return NULL;
    request->canon = canon;
    request->has_limit = has_limit;
    request->limit = limit;
    request->next = hash->requests;
    hash->requests = request;
    hash->streams[canon].count++;
    return request;
}

static int compare_limits(const void *a, const void *b)
{
    const struct dkim_body_request *left = *(struct dkim_body_request *const *)a;
    const struct dkim_body_request *right = *(struct dkim_body_request *const *)b;

    if (left->has_limit != right->has_limit)
        return left->has_limit ? -1 : 1;
    if (!left->has_limit)
        return 0;
    return (left->limit > right->limit) - (left->limit < right->limit);
}

/* The next request that needs the hash at some count of octets, or NULL. */
static struct dkim_body_request *waiting(const struct stream *stream)
{
    return stream->next < stream->count ? stream->requests[stream->next] : NULL;
}

static bool is_equal(const struct dkim_body_request *a, const struct dkim_body_request *b)
{
    return compare_limits(&a, &b) == 0;
}

/*
 * Answers the next request, and all that are equal, with the hash as it stands. The last ones need
 * no copy of it: nothing is hashed after them.
 */
static void answer(struct stream *stream)
{
    struct dkim_body_request *first = waiting(stream);
    struct dkim_hash *ending = &stream->running;
    size_t end = stream->next + 1;

    while (end < stream->count && is_equal(first, stream->requests[end]))
        end++;
    if (end < stream->count) {
        ending = &stream->ended;
        if (!dkim_hash_copy(ending, &stream->running))
            stream->failed = true;
    }
    if (!dkim_hash_final(ending, first->digest))
        stream->failed = true;
    first->done = !stream->failed;
    for (stream->next++; stream->next < end; stream->next++) {
        struct dkim_body_request *request = waiting(stream);
        request->done = first->done;
        memcpy(request->digest, first->digest, sizeof(request->digest));
    }
}

static void take(void *user, const char *ptr, size_t len)
{
    struct stream *stream = user;
    const struct dkim_body_request *request;

    while ((request = waiting(stream)) != NULL) {
        bool reached = request->has_limit && request->limit - stream->total <= len;
        size_t part = reached ? (size_t)(request->limit - stream->total) : len;
        dkim_hash_update(&stream->running, ptr, part);
        stream->total += part;
        ptr += part;
        len -= part;
        if (!reached)
            return;
        answer(stream);
    }
    /* Nobody hashes these; they are counted to know that they are there. */
    stream->total += len;
}

static bool start(struct dkim_body_hash *hash, enum dkim_canon canon)
{
    struct stream *stream = &hash->streams[canon];
    size_t count = 0;

    stream->requests = am_arena_alloc(hash->arena, stream->count * sizeof(*stream->requests));
    if (stream->requests == NULL || !dkim_hash_init(&stream->running))
        return false;
    for (struct dkim_body_request *request = hash->requests; request != NULL;
         request = request->next) {
        if (request->canon == canon)
            stream->requests[count++] = request;
    }
    qsort(stream->requests, count, sizeof(*stream->requests), compare_limits);
    dkim_canon_body_init(&stream->body, canon);
    if (waiting(stream)->has_limit && waiting(stream)->limit == 0)
        answer(stream);
    return !stream->failed;
}

bool dkim_body_hash_start(struct dkim_body_hash *hash)
{
    for (size_t i = 0; i < DKIM_CANON_COUNT; i++) {
        if (hash->streams[i].count > 0 && !start(hash, (enum dkim_canon)i))
            return false;
    }
    return true;
}

void dkim_body_hash_update(struct dkim_body_hash *hash, struct am_span chunk)
{
    for (size_t i = 0; i < DKIM_CANON_COUNT; i++) {
        struct stream *stream = &hash->streams[i];
        if (stream->count > 0)
            dkim_canon_body_update(&stream->body, chunk, &(struct dkim_sink){take, stream});
    }
}

static void finish(struct stream *stream)
{
    dkim_canon_body_finish(&stream->body, &(struct dkim_sink){take, stream});
    for (size_t i = 0; i < stream->count; i++) {
        struct dkim_body_request *request = stream->requests[i];
        if (request->has_limit) {
            request->past_end = request->limit > stream->total;
            request->unsigned_octets = request->past_end ? 0 : stream->total - request->limit;
        }
    }
    while (waiting(stream) != NULL && waiting(stream)->has_limit)
        stream->next++;
    if (waiting(stream) != NULL)
        answer(stream);
}

void dkim_body_hash_finish(struct dkim_body_hash *hash)
{
    for (size_t i = 0; i < DKIM_CANON_COUNT; i++) {
        if (hash->streams[i].count > 0)
            finish(&hash->streams[i]);
    }
}

uint64_t dkim_body_hash_total(const struct dkim_body_hash *hash, enum dkim_canon canon)
{
    return hash->streams[canon].total;
}
