#include "common/dns/dns_zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/dns/dns_zone_data.h"

/* A zone file larger than this is none that was meant for tests and tools. */
#define FILE_MAX ((size_t)16 << 20)

struct zone {
    struct am_resolver base;
    struct am_dns_zone_data data;
};

struct zone_query {
    struct am_dns_query base;
    struct am_dns_answer answer;
    struct am_dns_set *set;
};

/* Shows the records of a match; a TXT record of 64 KiB is copied once more, which a test can
 * afford. */
static struct am_dns_set *set_of(enum am_dns_type type, const struct am_dns_zone_match *match)
{
    struct am_dns_rdata *list = calloc(match->count, sizeof(*list));

    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < match->count; i++)
        list[i] = match->entries[i].rdata;
    struct am_dns_set *set = am_dns_set_of_rdata(type, list, match->count);
    free(list);
    return set;
}

static struct am_dns_set *look_up(const struct am_dns_zone_data *data, struct am_dns_name *name,
                                  enum am_dns_type type)
{
    struct am_dns_zone_match match;

    for (unsigned hops = 0; hops <= AM_DNS_CNAME_MAX; hops++) {
        am_dns_zone_data_find(data, name, (uint16_t)type, &match);
        if (match.outcome != AM_DNS_OK)
            return am_dns_set_new(match.outcome);
        if (!match.alias)
            return set_of(type, &match);
        const struct am_dns_rdata *target = &match.entries[0].rdata;
        if (!am_dns_name_from_wire(name, target->data, target->len))
            break;
    }
    return am_dns_set_new(AM_DNS_BAD);
}

static struct am_dns_query *zone_start(struct am_resolver *self, const char *text,
                                       enum am_dns_type type, int64_t deadline_us)
{
    const struct zone *zone = (const struct zone *)self;
    struct zone_query *query = calloc(1, sizeof(*query));
    struct am_dns_name name;

    (void)deadline_us;
    if (query == NULL)
        return NULL;
    query->set = am_dns_name_parse(&name, text) ? look_up(&zone->data, &name, type)
                                                : am_dns_set_new(AM_DNS_NXDOMAIN);
    if (query->set == NULL) {
        free(query);
        return NULL;
    }
    am_dns_set_show(query->set, &query->answer);
    query->base.ops = self->ops;
    query->base.answer = &query->answer;
    return &query->base;
}

static void zone_wait_any(struct am_dns_query *const *queries, size_t count)
{
    /* Every query is answered when it starts. */
    (void)queries;
    (void)count;
}

static void zone_release(struct am_dns_query *query)
{
    struct zone_query *self = (struct zone_query *)query;

    am_dns_set_drop(self->set);
    free(self);
}

static void zone_free(struct am_resolver *self)
{
    struct zone *zone = (struct zone *)self;

    am_dns_zone_data_fini(&zone->data);
    free(zone);
}

static const struct am_resolver_ops zone_ops = {
    .start = zone_start,
    .wait_any = zone_wait_any,
    .release = zone_release,
    .free = zone_free,
};

struct am_resolver *am_dns_zone_parse(const char *text, const char *name,
                                      struct am_problem *problem)
{
    struct zone *zone = calloc(1, sizeof(*zone));

    if (zone == NULL) {
        am_problem_set(problem, "%s: memory is short", name);
        return NULL;
    }
    zone->base.ops = &zone_ops;
    if (!am_dns_zone_data_init(&zone->data, text, name, problem)) {
        free(zone);
        return NULL;
    }
    return &zone->base;
}

static bool read_all(FILE *file, struct am_buf *text)
{
    char block[4096];
    size_t len;

    while ((len = fread(block, 1, sizeof(block), file)) > 0 && !text->failed)
        am_buf_add(text, am_span_of(block, len));
    return ferror(file) == 0;
}

struct am_resolver *am_dns_zone_load(const char *path, struct am_problem *problem)
{
    FILE *file = fopen(path, "re");
    struct am_resolver *zone = NULL;
    struct am_buf text;

    if (file == NULL) {
        am_problem_set(problem, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    am_buf_init(&text, FILE_MAX);
    if (!read_all(file, &text))
        am_problem_set(problem, "%s: cannot be read: %s", path, strerror(errno));
    else if (text.failed)
        am_problem_set(problem, "%s: larger than %zu MiB", path, FILE_MAX >> 20);
    else if (strlen(am_buf_str(&text)) != text.len)
        am_problem_set(problem, "%s: holds a NUL byte; write it as \\000", path);
    else
        zone = am_dns_zone_parse(am_buf_str(&text), path, problem);
    am_buf_fini(&text);
    fclose(file);
    return zone;
}
