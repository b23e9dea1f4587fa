#include "spf-milter/spf_check.h"

#include <stdarg.h>
#include <string.h>

#include "common/mail/domain.h"
#include "spf-milter/spf_eval.h"
#include "spf-milter/spf_lookup.h"

#define TERMS_MAX 100

static unsigned or_default(unsigned value, unsigned fallback)
{
    return value == 0 ? fallback : value;
}

struct spf_limits spf_limits_complete(struct spf_limits limits)
{
    limits.terms = or_default(limits.terms, 10);
    if (limits.terms > TERMS_MAX)
        limits.terms = TERMS_MAX; /* it bounds the depth of the recursion too */
    limits.voids = or_default(limits.voids, 2);
    limits.mx_names = or_default(limits.mx_names, 10);
    limits.ptr_names = or_default(limits.ptr_names, 10);
    limits.record_bytes = or_default(limits.record_bytes, 65535);
    return limits;
}

enum spf_result spf_check_end(struct spf_check *check, enum spf_result result, enum spf_limit limit,
                              const char *format, ...)
{
    if (check->outcome.reason != NULL)
        return result;
    check->outcome.limit = limit;
    va_list args;
    va_start(args, format);
    check->outcome.reason = am_arena_vprintf(check->arena, format, args);
    va_end(args);
    if (check->outcome.reason == NULL)
        check->outcome.reason = "out of memory";
    return result;
}

enum spf_result spf_check_end_memory(struct spf_check *check)
{
    check->memory_short = true;
    return spf_check_end(check, SPF_TEMPERROR, SPF_LIMIT_MEMORY, "out of memory");
}

static void release_lookups(void *object)
{
    const struct spf_check *check = object;
    for (struct spf_lookup *lookup = check->lookups; lookup != NULL; lookup = lookup->next)
        am_dns_release(lookup->query);
}

static bool is_ascii(struct am_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* Takes a domain as A-labels (RFC 8616 section 4) without the final dot. */
static bool set_domain(struct spf_check *check, struct spf_name *name, struct am_span text)
{
    if (!is_ascii(text)) {
        const char *ascii = am_domain_to_ascii(check->arena, text);
        if (ascii != NULL)
            text = am_span_str(ascii);
    }
    if (text.len > 0 && text.ptr[text.len - 1] == '.')
        text.len--;
    return spf_name_set(check, name, text);
}

static bool join_sender(struct spf_check *check, struct am_span local)
{
    size_t len = local.len + 1 + check->sender_domain.len;
    char *text = am_arena_alloc(check->arena, len + 1);
    if (text == NULL)
        return false;
    memcpy(text, local.ptr, local.len);
    text[local.len] = '@';
    memcpy(text + local.len + 1, check->sender_domain.text, check->sender_domain.len);
    check->sender = am_span_of(text, len);
    check->local = am_span_of(text, local.len);
    check->local_is_ascii = is_ascii(local);
    return true;
}

/* The sender of the check: RFC 7208 sections 2.3, 2.4 and 4.3. Returns false when memory is short.
 */
static bool set_identity(struct spf_check *check)
{
    const struct spf_request *request = &check->request;
    struct am_span helo = request->helo;
    if (!set_domain(check, &check->helo, helo.len > 0 ? helo : am_span_str("unknown")))
        return false;
    struct am_span local = request->sender.local, domain = request->sender.domain;
    if (request->identity == SPF_HELO || request->sender.is_null) {
        local.len = 0;
        domain = helo;
    }
    if (local.len == 0)
        local = am_span_str("postmaster");
    if (!set_domain(check, &check->sender_domain, domain) || !join_sender(check, local))
        return false;
    const char *shown = spf_shown_address(check->arena, check->sender);
    check->outcome.sender = shown == NULL ? "" : shown;
    return true;
}

/* Ends a check that needs no look-up. */
static bool is_decided(struct spf_check *check)
{
    if (check->request.client.family == 0) {
        spf_check_end(check, SPF_NONE, SPF_LIMIT_NONE, "no client address");
        return true;
    }
    struct am_span domain = spf_name_span(&check->sender_domain);
    if (domain.len == 0) {
        spf_check_end(check, SPF_NONE, SPF_LIMIT_NONE, "no domain to check");
        return true;
    }
    if (!am_domain_is_multi_label(domain)) { /* section 4.3 */
        spf_check_end(check, SPF_NONE, SPF_LIMIT_NONE, "'%s' is not a domain name",
                      spf_shown(check->arena, domain));
        return true;
    }
    return false;
}

/* The text of the request in the shape of an answer, so that the evaluation knows no difference. */
static struct spf_lookup *given_record(struct spf_check *check)
{
    struct spf_lookup *lookup = am_arena_alloc(check->arena, sizeof(*lookup));
    struct am_dns_answer *answer = am_arena_alloc(check->arena, sizeof(*answer));
    struct am_dns_record *record = am_arena_alloc(check->arena, sizeof(*record));
    if (lookup == NULL || answer == NULL || record == NULL)
        return NULL;
    record->text = am_span_str(check->request.record);
    answer->outcome = AM_DNS_OK;
    answer->count = 1;
    answer->records = record;
    lookup->name = check->sender_domain.text;
    lookup->type = AM_DNS_TXT;
    lookup->answer = answer;
    return lookup;
}

struct spf_check *spf_check_start(struct am_arena *arena, const struct spf_request *request)
{
    struct spf_check *check = am_arena_alloc(arena, sizeof(*check));
    if (check == NULL || !am_arena_defer(arena, release_lookups, check))
        return NULL;
    check->arena = arena;
    check->request = *request;
    check->request.limits = spf_limits_complete(request->limits);
    check->all_secure = true;
    check->outcome.domain = check->outcome.sender = "";
    check->path = am_arena_alloc(arena, (check->request.limits.terms + 2) * sizeof(*check->path));
    if (check->path == NULL || !set_identity(check)) {
        check->outcome.result = spf_check_end_memory(check);
        return check;
    }
    if (is_decided(check))
        return check;
    check->first = request->record != NULL
                       ? given_record(check)
                       : spf_lookup_start(check, &check->sender_domain, AM_DNS_TXT);
    if (check->first == NULL)
        check->outcome.result = spf_check_end_memory(check);
    else
        check->outcome.domain = check->first->name;
    return check;
}

/* "include:a.example > ip4:192.0.2.1" */
static const char *join_path(struct spf_check *check)
{
    static const char between[] = " > ";
    size_t len = 1;
    for (size_t i = 0; i < check->path_count; i++)
        len += check->path[i].len + sizeof(between) - 1;
    char *text = am_arena_alloc(check->arena, len);
    if (text == NULL)
        return NULL;
    char *at = text;
    for (size_t i = 0; i < check->path_count; i++) {
        if (i > 0)
            at = stpcpy(at, between);
        memcpy(at, check->path[i].ptr, check->path[i].len);
        at += check->path[i].len;
    }
    return text;
}

static bool is_decision(enum spf_result result)
{
    return result == SPF_PASS || result == SPF_FAIL || result == SPF_SOFTFAIL ||
           result == SPF_NEUTRAL;
}

const struct spf_outcome *spf_check_finish(struct spf_check *check)
{
    struct spf_outcome *outcome = &check->outcome;
    if (check->first == NULL)
        return outcome; /* decided at the start, or finished before */
    outcome->result = spf_eval(check);
    check->first = NULL;
    outcome->secure = check->any_answer && check->all_secure;
    if (is_decision(outcome->result) && check->path_count > 0)
        outcome->term = join_path(check);
    if (outcome->result == SPF_FAIL && outcome->explanation == NULL)
        outcome->explanation = check->request.default_explanation;
    return outcome;
}

const struct spf_outcome *spf_evaluate(struct am_arena *arena, const struct spf_request *request)
{
    static const struct spf_outcome no_memory = {
        .result = SPF_TEMPERROR,
        .limit = SPF_LIMIT_MEMORY,
        .domain = "",
        .sender = "",
        .reason = "out of memory",
    };
    struct spf_check *check = spf_check_start(arena, request);
    return check == NULL ? &no_memory : spf_check_finish(check);
}
