#include "authmilter/tool_name.h"

#include "common/mail/domain.h"
#include "dkim-milter/dkim_identity.h"
#include "dkim-milter/dkim_sign_text.h"

const char *tool_name_domain(struct am_arena *arena, const char *text, struct am_problem *problem)
{
    const char *name;

    if (dkim_domain_to_ascii(&name, arena, am_span_str(text)) == DKIM_IDENTITY_OK &&
        am_domain_is_multi_label(am_span_str(name)))
        return name;
    am_problem_set(problem, "\"%s\" is no domain that can sign mail", text);
    return NULL;
}

const char *tool_name_selector(struct am_arena *arena, const char *text, struct am_problem *problem)
{
    const char *name;

    if (dkim_domain_to_ascii(&name, arena, am_span_str(text)) == DKIM_IDENTITY_OK)
        return name;
    am_problem_set(problem, "\"%s\" is no selector: letters, digits and inner hyphens, maybe dots",
                   text);
    return NULL;
}

/* What counts is how a verifier reads it. */
bool tool_name_check_identity(struct am_arena *arena, const char *text, const char *domain,
                              struct am_problem *problem)
{
    struct dkim_identity identity;
    struct dkim_sign_text writer;
    struct am_buf encoded;

    am_buf_init(&encoded, 0);
    dkim_sign_text_init(&writer, &encoded);
    dkim_sign_text_quoted(&writer, am_span_str(text));
    bool good = !encoded.failed &&
                dkim_identity_parse(&identity, arena, am_buf_span(&encoded)) == DKIM_IDENTITY_OK;
    am_buf_fini(&encoded);
    if (!good)
        return am_problem_set(problem, "\"%s\" is no identity: write @DOMAIN or USER@DOMAIN", text);
    if (!am_domain_is_within(am_span_str(identity.ascii_domain), am_span_str(domain)))
        return am_problem_set(problem, "the identity %s is neither in %s nor below it", text,
                              domain);
    return true;
}
