#include "common/milter/recent.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What stands in front of each line. */
struct head {
    int64_t time_s;
    uint32_t len;
};

struct am_recent {
    pthread_mutex_t lock;
    size_t size, first, used; /* bytes; the oldest begins at `first` */
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
static void put(struct am_recent *recent, size_t at, const void *from, size_t len)
{
    size_t here = recent->size - at % recent->size;

    at %= recent->size;
    memcpy(recent->data + at, from, len < here ? len : here);
    if (len > here)
        memcpy(recent->data, (const char *)from + here, len - here);
}

static void get(const struct am_recent *recent, size_t at, void *to, size_t len)
{
    size_t here = recent->size - at % recent->size;

    at %= recent->size;
    memcpy(to, recent->data + at, len < here ? len : here);
    if (len > here)
        memcpy((char *)to + here, recent->data, len - here);
}

static void drop_oldest(struct am_recent *recent)
{
    struct head head;

    get(recent, recent->first, &head, sizeof(head));
    recent->first = (recent->first + sizeof(head) + head.len) % recent->size;
    recent->used -= sizeof(head) + head.len;
}

void am_recent_add(struct am_recent *recent, int64_t time_s, struct am_span line)
{
    const struct head head = {time_s, (uint32_t)line.len};
    size_t need = sizeof(head) + line.len;

    if (recent == NULL || need > recent->size / 4)
        return;
    pthread_mutex_lock(&recent->lock);
    while (recent->size - recent->used < need)
        drop_oldest(recent);
    put(recent, recent->first + recent->used, &head, sizeof(head));
    put(recent, recent->first + recent->used + sizeof(head), line.ptr, line.len);
    recent->used += need;
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

void am_recent_find(struct am_recent *recent, const char *pair, struct am_buf *out)
{
    char *line;

    if (recent == NULL || (line = malloc(recent->size / 4 + 1)) == NULL)
        return;
    pthread_mutex_lock(&recent->lock);
    for (size_t done = 0; done < recent->used;) {
        struct head head;

        get(recent, recent->first + done, &head, sizeof(head));
        get(recent, recent->first + done + sizeof(head), line, head.len);
        line[head.len] = '\0';
        if (holds(line, pair))
            am_buf_printf(out, "%lld %s\n", (long long)head.time_s, line);
        done += sizeof(head) + head.len;
    }
    pthread_mutex_unlock(&recent->lock);
    free(line);
}
