#include "dmarc-milter/dmarc_consent.h"

#include "common/mail/domain.h"

enum walk_result { WALK_SAME, WALK_OTHER, WALK_UNKNOWN, WALK_NO_MEMORY };

/* Compares organisational domains. `at`: the name the DNS said nothing of. */
static enum walk_result compare(struct dmarc_names *names, const char *a, const char *b,
                                const char **at)
{
    struct dmarc_walk walks[2];
    const char *const domains[2] = {a, b};

    if (strcmp(a, b) == 0)
        return WALK_SAME;
    for (size_t i = 0; i < 2; i++) {
        if (!dmarc_walk(&walks[i], names, domains[i]))
            return WALK_NO_MEMORY;
        if (walks[i].failed != NULL) {
            *at = walks[i].failed->domain;
            return WALK_UNKNOWN;
        }
    }
    return strcmp(dmarc_walk_organisation(&walks[0]), dmarc_walk_organisation(&walks[1])) == 0
               ? WALK_SAME
               : WALK_OTHER;
}

static bool refuse(struct dmarc_consent *consent, enum dmarc_consent_status status, const char *why)
{
    consent->status = status;
    consent->why = why;
    return why != NULL;
}

/* Takes the addresses of a record that names others than the domain did. */
static bool take_override(struct dmarc_consent *consent, struct am_arena *arena,
                          struct am_span value, const char *name, const char *host)
{
    struct dmarc_rua rua;

    dmarc_rua_parse(&rua, arena, value, DMARC_RUA_MAX);
    for (size_t i = 0; i < rua.count; i++) {
        /* Step 9, and the paragraph on loops: not to the original either. */
        if (!am_domain_equal(am_span_str(rua.uris[i].domain), am_span_str(host)))
            return refuse(consent, DMARC_CONSENT_REFUSED,
                          am_arena_printf(arena, "%s sends reports on to another domain", name));
        consent->addresses[i] = rua.uris[i].address;
    }
    if (rua.count == 0)
        return refuse(consent, DMARC_CONSENT_REFUSED,
                      am_arena_printf(arena, "%s names no address that can be used", name));
    consent->count = rua.count;
    return true;
}

/* Steps 6 to 9. */
static bool judge(struct dmarc_consent *consent, struct am_arena *arena,
                  const struct dmarc_uri *uri, const char *name, const struct am_dns_answer *answer)
{
    bool given = false;

    for (size_t i = 0; i < answer->count; i++) {
        struct dmarc_record record;
        const char *text = am_arena_copy(arena, answer->records[i].text);

        if (text == NULL)
            return false;
        if (!dmarc_record_parse(&record, am_span_of(text, answer->records[i].text.len)))
            continue;
        given = true;
        if ((record.present & DMARC_TAG_RUA) != 0 && consent->count == 0 &&
            !take_override(consent, arena, record.rua, name, uri->domain))
            return false;
        if (consent->why != NULL)
            return true;
    }
    if (!given)
        return refuse(
            consent, DMARC_CONSENT_REFUSED,
            am_arena_printf(arena, "there is no record %s, so its owner has not agreed", name));
    consent->status = DMARC_CONSENT_GIVEN;
    if (consent->count == 0)
        consent->addresses[consent->count++] = uri->address;
    return true;
}

static bool ask_destination(struct dmarc_consent *consent, struct dmarc_names *names,
                            const char *policy_domain, const struct dmarc_uri *uri)
{
    struct am_arena *arena = names->arena;
    const char *name = am_arena_printf(arena, "%s._report._dmarc.%s", policy_domain, uri->domain);

    if (name == NULL)
        return false;
    /* Step 4. */
    if (strlen(name) > AM_DOMAIN_MAX)
        return refuse(consent, DMARC_CONSENT_REFUSED,
                      am_arena_printf(arena, "%s is too long a name to ask for", name));
    struct am_dns_query *query =
        am_dns_start(names->resolver, name, AM_DNS_TXT, names->deadline_us);
    const struct am_dns_answer *answer = am_dns_wait(query);
    bool good;
    if (answer->outcome == AM_DNS_OK || answer->outcome == AM_DNS_NODATA ||
        answer->outcome == AM_DNS_NXDOMAIN)
        good = judge(consent, arena, uri, name, answer);
    else
        good = refuse(consent, DMARC_CONSENT_UNKNOWN,
                      am_arena_printf(arena, "the look-up of %s gave \"%s\"", name,
                                      am_dns_outcome_word(answer->outcome)));
    am_dns_release(query);
    return good;
}

bool dmarc_consent_ask(struct dmarc_consent *consent, struct dmarc_names *names,
                       const char *policy_domain, const struct dmarc_uri *uri)
{
    const char *at = NULL;

    *consent = (struct dmarc_consent){.status = DMARC_CONSENT_OWN};
    switch (compare(names, policy_domain, uri->domain, &at)) {
    case WALK_SAME:
        consent->addresses[consent->count++] = uri->address;
        return true;
    case WALK_OTHER:
        return ask_destination(consent, names, policy_domain, uri);
    case WALK_UNKNOWN:
        return refuse(consent, DMARC_CONSENT_UNKNOWN,
                      am_arena_printf(names->arena,
                                      "the DNS says nothing of _dmarc.%s, so it is not known "
                                      "whether the address is of the same organisation",
                                      at));
    default:
        return false;
    }
}
