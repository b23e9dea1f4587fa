#include "dkim-milter/dkim_role.h"

/* Postfix's names are what master.cf says: letter case counts there, but nobody wants it to. */
static bool is_listed(const struct am_strlist *list, const char *name)
{
    struct am_span text = am_span_str(name);

    for (size_t i = 0; text.len > 0 && i < list->count; i++)
        if (am_span_equal_nocase(am_span_str(list->items[i]), text))
            return true;
    return false;
}

/* Returns the word for whose mail it is, or NULL when it is not ours. */
static const char *find_owner(const struct dkim_role_rules *rules,
                              const struct dkim_role_facts *facts)
{
    if (facts->login[0] != '\0' && rules->sign_authenticated)
        return "authenticated";
    if (is_listed(rules->sign_daemons, facts->daemon_name))
        return "daemon";
    if (facts->client.family != 0 &&
        am_netset_find(rules->sign_networks, &facts->client) != AM_TABLE_NONE)
        return "network";
    if (facts->is_local && rules->sign_local)
        return "local";
    return NULL;
}

static const char *find_reason(const struct dkim_role_facts *facts)
{
    if (facts->login[0] != '\0')
        return "the client is authenticated, but dkim.sign_authenticated = no";
    if (facts->is_local)
        return "the mail is local, but dkim.sign_local = no";
    return "the client is not authenticated, not local, in no network of dkim.sign_networks, and "
           "came to none of dkim.sign_daemons";
}

struct dkim_role_choice dkim_role_choose(const struct dkim_role_rules *rules,
                                         const struct dkim_role_facts *facts)
{
    const char *owner = find_owner(rules, facts);
    bool verifies = rules->mode != DKIM_MODE_SIGN && !facts->is_submission;
    enum dkim_role otherwise = verifies ? DKIM_ROLE_VERIFY : DKIM_ROLE_NONE;

    if (rules->mode == DKIM_MODE_VERIFY)
        return (struct dkim_role_choice){otherwise, owner, "dkim.mode = verify"};
    if (facts->is_inbound)
        return (struct dkim_role_choice){otherwise, owner,
                                         "it came to a socket with role = inbound"};
    if (owner == NULL)
        return (struct dkim_role_choice){otherwise, NULL, find_reason(facts)};
    if (!rules->has_keys)
        return (struct dkim_role_choice){
            otherwise, owner,
            "there are no keys: set dkim.key_directory, or dkim.key_table and dkim.signing_table"};
    return (struct dkim_role_choice){DKIM_ROLE_SIGN, owner, NULL};
}
