#include "dmarc-milter/dmarc_walk.h"

#include <string.h>

/* Labels that are left of a long domain. */
#define LABELS_LEFT (DMARC_WALK_MAX - 1)

/* --- one name --- */

/* Takes the record of an answer; of several none (section 4.10, steps 2 and 6). */
static bool take_answer(struct dmarc_name *name, struct am_arena *arena,
                        const struct am_dns_answer *answer)
{
    struct am_span text = {NULL, 0};

    name->dns = answer->outcome;
    for (size_t i = 0; i < answer->count; i++)
        if (dmarc_record_is_one(answer->records[i].text)) {
            text = answer->records[i].text;
            name->records++;
        }
    if (name->records != 1)
        return true;
    name->text = am_arena_copy(arena, text);
    name->has_record =
        name->text != NULL && dmarc_record_parse(&name->record, am_span_of(name->text, text.len));
    return name->text != NULL;
}

const struct dmarc_name *dmarc_names_ask(struct dmarc_names *names, const char *domain)
{
    for (const struct dmarc_name *known = names->first; known != NULL; known = known->next)
        if (strcmp(known->domain, domain) == 0)
            return known;
    struct dmarc_name *name = am_arena_alloc(names->arena, sizeof(*name));
    const char *asked = am_arena_printf(names->arena, "_dmarc.%s", domain);

    if (name == NULL || asked == NULL) {
        names->no_memory = true;
        return NULL;
    }
    *name = (struct dmarc_name){.next = names->first, .domain = domain};
    struct am_dns_query *query =
        am_dns_start(names->resolver, asked, AM_DNS_TXT, names->deadline_us);
    bool taken = take_answer(name, names->arena, am_dns_wait(query));
    am_dns_release(query);
    names->queries++;
    if (!taken) {
        names->no_memory = true;
        return NULL;
    }
    names->first = name;
    return name;
}

bool dmarc_name_failed(const struct dmarc_name *name)
{
    return name->dns != AM_DNS_OK && name->dns != AM_DNS_NODATA && name->dns != AM_DNS_NXDOMAIN;
}

/* --- the walk --- */

static size_t count_labels(const char *domain)
{
    size_t labels = 1;

    for (; *domain != '\0'; domain++)
        labels += *domain == '.';
    return labels;
}

/* Returns a domain without its first label; NULL when there is no other. */
static const char *parent_of(const char *domain)
{
    const char *dot = strchr(domain, '.');

    return dot == NULL ? NULL : dot + 1;
}

/* Steps 4 and 7: one label less, of a long domain as many as leave seven. */
static const char *next_target(const char *domain)
{
    const char *next = parent_of(domain);

    for (size_t labels = count_labels(domain) - 1; labels > LABELS_LEFT; labels--)
        next = parent_of(next);
    return next;
}

bool dmarc_walk(struct dmarc_walk *walk, struct dmarc_names *names, const char *domain)
{
    *walk = (struct dmarc_walk){.domain = domain};
    for (const char *at = domain; at != NULL && walk->count < DMARC_WALK_MAX;
         at = next_target(at)) {
        const struct dmarc_name *name = dmarc_names_ask(names, at);

        if (name == NULL)
            return false;
        walk->names[walk->count++] = name;
        if (dmarc_name_failed(name)) {
            walk->failed = name;
            return true;
        }
        if (name->has_record && name->record.psd != DMARC_PSD_UNKNOWN)
            return true;
    }
    return true;
}

/* Returns the part of `domain` that has one label more than `above`, which is above it. */
static const char *one_below(const char *domain, const char *above)
{
    const char *at = domain + (strlen(domain) - strlen(above));

    for (at -= at > domain; at > domain && at[-1] != '.'; at--)
        continue;
    return at;
}

const char *dmarc_walk_organisation(const struct dmarc_walk *walk)
{
    const struct dmarc_name *highest = walk->names[0];

    for (size_t i = 0; i < walk->count; i++) {
        const struct dmarc_name *name = walk->names[i];

        if (!name->has_record)
            continue;
        if (i > 0 && name->record.psd == DMARC_PSD_YES)
            return one_below(walk->domain, name->domain);
        highest = name;
    }
    return highest->domain;
}

const struct dmarc_name *dmarc_walk_policy(const struct dmarc_walk *walk)
{
    const char *organisation = dmarc_walk_organisation(walk);
    const struct dmarc_name *suffix = NULL;

    if (walk->names[0]->has_record)
        return walk->names[0];
    for (size_t i = 1; i < walk->count; i++) {
        const struct dmarc_name *name = walk->names[i];

        if (name->has_record && strcmp(name->domain, organisation) == 0)
            return name;
        if (name->has_record && name->record.psd == DMARC_PSD_YES)
            suffix = name;
    }
    return suffix;
}
