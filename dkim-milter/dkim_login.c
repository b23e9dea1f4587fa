#include "dkim-milter/dkim_login.h"

#include "common/mail/domain.h"
#include "dkim-milter/dkim_login_map.h"

static bool refuse_by_map(const struct dkim_login_request *request, struct am_arena *arena,
                          enum dkim_login_answer answer, const char **why_not)
{
    const char *path = dkim_login_map_path(request->map);

    if (answer == DKIM_LOGIN_UNKNOWN)
        *why_not = am_arena_printf(arena, "login %s has no row in %s (dkim.login_map)",
                                   request->login, path);
    else
        *why_not = am_arena_printf(arena,
                                   "login %s may not write as %.*s@%s: no row of it in %s says "
                                   "so (dkim.login_map)",
                                   request->login, (int)request->local.len, request->local.ptr,
                                   request->domain, path);
    return false;
}

/* "user@example.org" may be signed for example.org, and for nothing else. */
static bool allows_own_domain(const struct dkim_login_request *request, struct am_arena *arena,
                              const char **why_not)
{
    struct am_span login = am_span_str(request->login);
    size_t at = am_span_find_last(login, '@');

    if (at == login.len)
        return true;
    const char *own = am_domain_to_ascii(arena, am_span_of(login.ptr + at + 1, login.len - at - 1));
    if (own != NULL && own[0] != '\0' &&
        am_domain_equal(am_span_str(own), am_span_str(request->domain)))
        return true;
    *why_not = am_arena_printf(arena,
                               "login %s may not write as a user of %s (dkim.login_binding = "
                               "auto; = map lets a login write as others)",
                               request->login, request->domain);
    return false;
}

bool dkim_login_allows(const struct dkim_login_request *request, struct am_arena *arena,
                       const char **why_not)
{
    enum dkim_login_answer answer;

    *why_not = NULL;
    if (request->login[0] == '\0' || request->binding == DKIM_LOGIN_OFF)
        return true;
    if (request->binding == DKIM_LOGIN_AUTO)
        return allows_own_domain(request, arena, why_not);
    answer = dkim_login_map_ask(request);
    return answer == DKIM_LOGIN_ALLOWED || refuse_by_map(request, arena, answer, why_not);
}
