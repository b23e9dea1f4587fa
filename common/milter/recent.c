#include "common/milter/recent.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What stands in front of each line. */
struct head {
    int64_t time_s;
    uint32_t len;
};

/* Bytes that are looked through before who writes lines gets a turn. */
#define FIND_STEP ((size_t)256 << 10)

struct am_recent {
    pthread_mutex_t lock;
    atomic_uint waiting; /* who have a line to add */
    size_t size;
    uint64_t first, end; /* of all bytes ever written, those that are there */
    char data[];
};

struct am_recent *am_recent_new(size_t bytes)
{
    struct am_recent *recent = malloc(sizeof(*recent) + bytes);

    if (recent == NULL)
        return NULL;
    *recent = (struct am_recent){.size = bytes};
    pthread_mutex_init(&recent->lock, NULL);
    return recent;
}

void am_recent_free(struct am_recent *recent)
{
    if (recent == NULL)
        return;
    pthread_mutex_destroy(&recent->lock);
    free(recent);
}

/* Copies to or from the ring, over its end. */
static void put(struct am_recent *recent, uint64_t where, const void *from, size_t len)
{
    size_t at = (size_t)(where % recent->size), here = recent->size - at;

    memcpy(recent->data + at, from, len < here ? len : here);
    if (len > here)
        memcpy(recent->data, (const char *)from + here, len - here);
}

static void get(const struct am_recent *recent, uint64_t where, void *to, size_t len)
{
    size_t at = (size_t)(where % recent->size), here = recent->size - at;

    memcpy(to, recent->data + at, len < here ? len : here);
    if (len > here)
        memcpy((char *)to + here, recent->data, len - here);
}

static void drop_oldest(struct am_recent *recent)
{
    struct head head;

    get(recent, recent->first, &head, sizeof(head));
    recent->first += sizeof(head) + head.len;
}

void am_recent_add(struct am_recent *recent, int64_t time_s, struct am_span line)
{
    const struct head head = {time_s, (uint32_t)line.len};
    size_t need = sizeof(head) + line.len;

    if (recent == NULL || need > recent->size / 4)
        return;
    atomic_fetch_add(&recent->waiting, 1);
    pthread_mutex_lock(&recent->lock);
    atomic_fetch_sub(&recent->waiting, 1);
    while (recent->size - (size_t)(recent->end - recent->first) < need)
        drop_oldest(recent);
    put(recent, recent->end, &head, sizeof(head));
    put(recent, recent->end + sizeof(head), line.ptr, line.len);
    recent->end += need;
    pthread_mutex_unlock(&recent->lock);
}

static bool holds(const char *line, const char *pair)
{
    size_t len = strlen(pair);

    for (const char *at = line; (at = strstr(at, pair)) != NULL; at += len)
        if ((at == line || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
            return true;
    return false;
}

/* Looks through some lines from `*at` on, with the lock held; moves it behind them. */
static void find_some(const struct am_recent *recent, const char *pair, uint64_t *at, char *line,
                      struct am_buf *out)
{
    /* What was there may have been pushed out meanwhile. */
    uint64_t from = *at < recent->first ? recent->first : *at, place = from;

    while (place < recent->end && place - from < FIND_STEP) {
        struct head head;

        get(recent, place, &head, sizeof(head));
        get(recent, place + sizeof(head), line, head.len);
        line[head.len] = '\0';
        if (holds(line, pair))
            am_buf_printf(out, "%lld %s\n", (long long)head.time_s, line);
        place += sizeof(head) + head.len;
    }
    *at = place;
}

/* A lock goes to who asks for it next, not to who waits: without a pause that is the searcher. */
static void let_others(const struct am_recent *recent)
{
    if (atomic_load(&recent->waiting) > 0)
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

void am_recent_find(struct am_recent *recent, const char *pair, struct am_buf *out)
{
    uint64_t at = 0, end = UINT64_MAX;
    char *line;

    if (recent == NULL || (line = malloc(recent->size / 4 + 1)) == NULL)
        return;
    /* Lines that come while it looks are not looked at: it would never end. */
    while (at < end) {
        pthread_mutex_lock(&recent->lock);
        if (end == UINT64_MAX)
            end = recent->end;
        if (at < end)
            find_some(recent, pair, &at, line, out);
        pthread_mutex_unlock(&recent->lock);
        let_others(recent);
    }
    free(line);
}
