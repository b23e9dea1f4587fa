#include "author-milter/author.h"

#include <string.h>

#include "common/mail/domain.h"

const char *author_finding_word(enum author_finding finding)
{
    static const char *const words[AUTHOR_FINDING_COUNT] = {
        "fits", "unbound", "unchecked", "misaligned", "foreign", "not_owner", "missing", "several"};

    return words[finding];
}

/* Reads an address that stands alone: a login, an envelope sender. */
static bool read_address(struct am_arena *arena, struct am_span text, struct am_author *out)
{
    struct am_address address;

    if (!am_address_parse(&address, text) || address.is_null || address.domain.len == 0 ||
        address.local.len == 0 || address.domain.len > 4 * AM_DOMAIN_MAX)
        return false;
    const char *domain = am_domain_to_ascii(arena, address.domain);
    if (domain == NULL || !am_domain_is_valid(am_span_str(domain)))
        return false;
    *out = (struct am_author){.address = address, .domain = domain};
    return true;
}

/* Letter case of local parts tells nobody apart on a mail server that is in use. */
static bool is_same(const struct am_author *a, const struct am_author *b)
{
    return strcmp(a->domain, b->domain) == 0 &&
           am_span_equal_nocase(a->address.local, b->address.local);
}

/* --- the login --- */

enum bond { BOND_NONE, BOND_FITS, BOND_ANY };

/* What the login itself says about an author. */
static enum bond bond_of(const struct author_rules *rules, const char *login,
                         const struct am_author *author, struct am_arena *arena)
{
    struct am_author own;

    if (login[0] == '\0' || rules->login == AUTHOR_LOGIN_TABLE)
        return BOND_NONE;
    if (!read_address(arena, am_span_str(login), &own))
        return rules->login == AUTHOR_LOGIN_DOMAIN && strchr(login, '@') == NULL ? BOND_ANY
                                                                                 : BOND_NONE;
    if (rules->login == AUTHOR_LOGIN_ADDRESS)
        return is_same(&own, author) ? BOND_FITS : BOND_NONE;
    return strcmp(own.domain, author->domain) == 0 ? BOND_FITS : BOND_NONE;
}

static enum author_finding judge_owner(const struct author_rules *rules,
                                       const struct author_facts *facts,
                                       const struct am_author *author, struct am_arena *arena)
{
    enum bond bond = bond_of(rules, facts->login, author, arena);

    if (bond == BOND_FITS)
        return AUTHOR_FITS;
    switch (rules->ask(rules->user, author)) {
    case AUTHOR_OWNER_LOGIN:
        return AUTHOR_FITS;
    case AUTHOR_OWNER_OTHER:
        return AUTHOR_NOT_OWNER;
    case AUTHOR_OWNER_FAILED:
        return AUTHOR_UNCHECKED;
    default:
        break;
    }
    if (rules->has_lists)
        return AUTHOR_FOREIGN;
    /* Only a login that names a domain says something where there are no lists. */
    return bond == BOND_ANY || facts->login[0] == '\0' || rules->login == AUTHOR_LOGIN_TABLE
               ? AUTHOR_UNBOUND
               : AUTHOR_FOREIGN;
}

/* --- the envelope --- */

static bool is_aligned(enum author_alignment alignment, const struct am_author *author,
                       const struct am_address *sender, struct am_arena *arena)
{
    struct am_author own;

    /* Bounces and notices have no sender to agree with. */
    if (alignment == AUTHOR_ALIGN_NO || sender->is_null)
        return true;
    if (!read_address(arena, sender->full, &own))
        return false;
    if (alignment == AUTHOR_ALIGN_ADDRESS)
        return is_same(&own, author);
    if (strcmp(own.domain, author->domain) == 0)
        return true;
    const struct am_span a = am_span_str(own.domain), b = am_span_str(author->domain);
    return alignment == AUTHOR_ALIGN_RELAXED && am_domain_is_multi_label(a) &&
           am_domain_is_multi_label(b) && (am_domain_is_within(a, b) || am_domain_is_within(b, a));
}

enum author_finding author_judge_one(const struct author_rules *rules,
                                     const struct author_facts *facts,
                                     const struct am_author *author, struct am_arena *arena)
{
    enum author_finding finding = judge_owner(rules, facts, author, arena);

    return finding < AUTHOR_MISALIGNED &&
                   !is_aligned(rules->alignment, author, facts->sender, arena)
               ? AUTHOR_MISALIGNED
               : finding;
}

struct author_outcome author_judge(const struct author_rules *rules,
                                   const struct author_facts *facts,
                                   const struct am_authors *authors, struct am_arena *arena)
{
    struct author_outcome outcome = {.finding = AUTHOR_FITS};

    if (authors->count == 0 || authors->unreadable || authors->mailboxes > authors->count)
        return (struct author_outcome){.finding = AUTHOR_MISSING};
    for (size_t i = 0; i < authors->count; i++) {
        const struct am_author *author = &authors->items[i];
        enum author_finding finding =
            author->domain == NULL ? AUTHOR_MISSING : author_judge_one(rules, facts, author, arena);
        if (finding > outcome.finding || outcome.author == NULL)
            outcome = (struct author_outcome){finding, author};
    }
    return outcome;
}

bool author_find_own(const struct author_rules *rules, const struct author_facts *facts,
                     struct am_arena *arena, struct am_author *own)
{
    if (!facts->sender->is_null && read_address(arena, facts->sender->full, own) &&
        author_judge_one(rules, facts, own, arena) == AUTHOR_FITS)
        return true;
    return facts->login[0] != '\0' && read_address(arena, am_span_str(facts->login), own) &&
           author_judge_one(rules, facts, own, arena) == AUTHOR_FITS;
}
