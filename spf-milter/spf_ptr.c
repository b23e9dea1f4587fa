#include "spf-milter/spf_ptr.h"

#include "common/mail/domain.h"
#include "spf-milter/spf_lookup.h"

enum validity { NOT_ASKED, VALID, NOT_VALID };

struct ptr_name {
    const char *text;
    enum validity validity;
};

struct spf_ptr {
    struct spf_lookup *lookup;
    struct ptr_name *names;
    struct spf_lookup **forward; /* scratch of one round of validation */
    size_t count;
    bool out_of_time;
};

/* Takes the names over; the rest beyond the limit is ignored (RFC 7208 section 4.6.4). */
static bool take_names(struct spf_check *check, struct spf_ptr *ptr,
                       const struct am_dns_answer *answer)
{
    size_t count = answer->outcome == AM_DNS_OK ? answer->count : 0;
    if (count > check->request.limits.ptr_names)
        count = check->request.limits.ptr_names;
    if (count == 0)
        return true;
    ptr->names = am_arena_alloc(check->arena, count * sizeof(*ptr->names));
    ptr->forward = am_arena_alloc(check->arena, count * sizeof(*ptr->forward));
    if (ptr->names == NULL || ptr->forward == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        ptr->names[i].text = am_arena_copy(check->arena, answer->records[i].text);
        if (ptr->names[i].text == NULL)
            return false;
    }
    ptr->count = count;
    return true;
}

static struct spf_ptr *ask_names(struct spf_check *check)
{
    if (check->ptr != NULL)
        return check->ptr;
    struct spf_ptr *ptr = am_arena_alloc(check->arena, sizeof(*ptr));
    char *name = am_arena_alloc(check->arena, AM_DNS_REVERSE_MAX);
    if (ptr == NULL || name == NULL) {
        check->memory_short = true;
        return NULL;
    }
    am_dns_reverse_name(&check->request.client, name);
    ptr->lookup = spf_lookup_start_text(check, name, AM_DNS_PTR);
    if (ptr->lookup == NULL)
        return NULL;
    if (!take_names(check, ptr, spf_lookup_wait(check, ptr->lookup))) {
        check->memory_short = true;
        return NULL;
    }
    return check->ptr = ptr;
}

static bool is_over(const struct spf_check *check, const struct am_dns_answer *answer)
{
    return answer->outcome == AM_DNS_TIMEOUT &&
           am_clock_now_us(check->request.clock) >= check->request.deadline_us;
}

/*
 * Asks the addresses of all names at or below `target` (NULL = of all names) at
 * once and judges them as they come.
 *
 * Returns: the first name found valid when `target` is given (the others are
 * then left as they are), else NULL.
 */
static const char *validate(struct spf_check *check, struct spf_ptr *ptr,
                            const struct spf_name *target)
{
    enum am_dns_type type = spf_address_type(check);
    for (size_t i = 0; i < ptr->count; i++) {
        struct ptr_name *name = &ptr->names[i];
        bool wanted =
            target == NULL || am_domain_is_within(am_span_str(name->text), spf_name_span(target));
        if (wanted && name->validity == VALID && target != NULL)
            return name->text;
        ptr->forward[i] = wanted && name->validity == NOT_ASKED
                              ? spf_lookup_start_text(check, name->text, type)
                              : NULL;
    }
    for (;;) {
        struct spf_lookup *asked = NULL;
        size_t i = spf_lookup_next(check, ptr->forward, ptr->count, &asked);
        if (i == ptr->count)
            return NULL;
        /* Section 5.5: a name whose look-up fails is skipped. */
        bool valid = spf_answer_has_client(check, asked->answer);
        ptr->names[i].validity = valid ? VALID : NOT_VALID;
        ptr->out_of_time = ptr->out_of_time || is_over(check, asked->answer);
        if (valid && target != NULL)
            return ptr->names[i].text;
    }
}

enum spf_match spf_ptr_matches(struct spf_check *check, const struct spf_name *target,
                               struct spf_lookup **lookup)
{
    struct spf_ptr *ptr = ask_names(check);
    if (ptr == NULL)
        return SPF_MATCH_ERROR;
    *lookup = ptr->lookup;
    if (is_over(check, ptr->lookup->answer)) {
        spf_lookup_failed(check, ptr->lookup);
        return SPF_MATCH_ERROR;
    }
    if (validate(check, ptr, target) != NULL)
        return SPF_MATCH;
    if (ptr->out_of_time) { /* our own budget must not turn a possible match into a fail */
        spf_check_end(check, SPF_TEMPERROR, SPF_LIMIT_TIME,
                      "no time left for the addresses of the client's names");
        return SPF_MATCH_ERROR;
    }
    return SPF_NO_MATCH;
}

const char *spf_ptr_best_name(struct spf_check *check, const struct spf_name *domain)
{
    struct spf_ptr *ptr = ask_names(check);
    if (ptr == NULL)
        return "unknown";
    validate(check, ptr, NULL);
    const char *below = NULL, *any = NULL;
    for (size_t i = 0; i < ptr->count; i++) {
        struct am_span name = am_span_str(ptr->names[i].text);
        if (ptr->names[i].validity != VALID)
            continue;
        if (am_domain_equal(name, spf_name_span(domain)))
            return ptr->names[i].text;
        if (below == NULL && am_domain_is_within(name, spf_name_span(domain)))
            below = ptr->names[i].text;
        if (any == NULL)
            any = ptr->names[i].text;
    }
    if (below != NULL)
        return below;
    return any != NULL ? any : "unknown";
}
