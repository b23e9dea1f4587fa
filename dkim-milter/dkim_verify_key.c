#include "dkim-milter/dkim_key_record.h"
#include "dkim-milter/dkim_key_cache.h"
#include "dkim-milter/dkim_verify_state.h"

static void release(void *object)
{
    am_dns_release(object);
}

/* Returns the look-up of a name, new or old; NULL without memory or beyond the limit. */
static struct dkim_lookup *find(struct dkim_verifier *verifier, const char *name,
                                enum dkim_reason *reason)
{
    struct am_arena *arena = verifier->env->arena;

    for (struct dkim_lookup *lookup = verifier->lookups; lookup != NULL; lookup = lookup->next)
        if (strcmp(lookup->name, name) == 0)
            return lookup;
    *reason = DKIM_REASON_TOO_MANY_KEYS;
    if (verifier->lookup_count == verifier->env->limits->max_keys)
        return NULL;
    *reason = DKIM_REASON_MEMORY;
    struct dkim_lookup *lookup = am_arena_alloc(arena, sizeof(*lookup));
    if (lookup == NULL)
        return NULL;
    lookup->name = name;
    lookup->query =
        am_dns_start(verifier->env->resolver, name, AM_DNS_TXT, verifier->env->lookup_deadline_us);
    if (!am_arena_defer(arena, release, lookup->query)) {
        am_dns_release(lookup->query);
        return NULL;
    }
    lookup->next = verifier->lookups;
    verifier->lookups = lookup;
    verifier->lookup_count++;
    return lookup;
}

/* "selector._domainkey.domain" (RFC 6376 section 3.6.2.1). */
static const char *name_of(struct am_arena *arena, const struct dkim_signature *signature)
{
    static const char between[] = "._domainkey.";
    size_t selector_len = strlen(signature->ascii_selector);
    size_t domain_len = strlen(signature->ascii_domain);
    char *name = am_arena_alloc(arena, selector_len + sizeof(between) + domain_len);

    if (name == NULL)
        return NULL;
    memcpy(name, signature->ascii_selector, selector_len);
    memcpy(name + selector_len, between, sizeof(between) - 1);
    memcpy(name + selector_len + sizeof(between) - 1, signature->ascii_domain, domain_len);
    return name;
}

enum dkim_reason dkim_verify_key_start(struct dkim_verifier *verifier, struct dkim_task *task)
{
    enum dkim_reason reason = DKIM_REASON_NONE;
    const char *name = name_of(verifier->env->arena, &task->signature);

    if (name == NULL)
        return DKIM_REASON_MEMORY;
    task->lookup = find(verifier, name, &reason);
    return task->lookup == NULL ? reason : DKIM_REASON_NONE;
}

enum dkim_reason dkim_verify_key_take(struct dkim_verifier *verifier, struct dkim_task *task,
                                      struct dkim_public_key **key)
{
    const struct dkim_verify_env *env = verifier->env;
    const struct am_dns_answer *answer = am_dns_wait(task->lookup->query);
    struct dkim_outcome *outcome = &task->outcome;
    struct dkim_key_record record;

    outcome->dns = answer->outcome;
    outcome->secure = answer->secure;
    enum dkim_reason reason = dkim_key_answer_judge(answer);
    if (reason != DKIM_REASON_NONE)
        return reason;
    reason = dkim_key_record_parse(&record, env->arena, answer->records[0].text);
    outcome->testing = record.testing;
    if (reason != DKIM_REASON_NONE)
        return reason;
    if (record.type != task->signature.key_type)
        return DKIM_REASON_KEY_TYPE_MISMATCH;
    if (record.strict && task->signature.identity_is_below)
        return DKIM_REASON_IDENTITY_STRICT;
    reason = dkim_key_cache_take(env->keys, record.type, record.octets, key);
    if (reason != DKIM_REASON_NONE)
        return reason;
    outcome->key_bits = dkim_public_key_bits(*key);
    if (record.type == DKIM_KEY_RSA && outcome->key_bits < env->limits->min_key_bits) {
        dkim_public_key_drop(*key);
        return DKIM_REASON_KEY_SHORT;
    }
    return DKIM_REASON_NONE;
}
