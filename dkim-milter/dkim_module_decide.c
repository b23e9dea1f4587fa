#include "common/mail/domain.h"
#include "dkim-milter/dkim_author.h"
#include "dkim-milter/dkim_module_state.h"

/* Whether a message of ours is signed, and with which keys. */

/* Leaves the message unsigned; with `refuse` it is refused at its end. */
static bool leave(struct dkim_signing_state *state, enum dkim_unsigned kind, bool refuse,
                  const char *why_not)
{
    state->kind = kind;
    state->refuse = refuse;
    state->why_not = why_not == NULL ? "memory is short" : why_not;
    return false;
}

static bool leave_without_from(const struct dkim_conf *conf, struct dkim_signing_state *state,
                               const char *why_not)
{
    return leave(state, DKIM_UNSIGNED_FROM, conf->unusable_from == DKIM_UNSIGNED_REJECT, why_not);
}

/* Takes the address from the From field. */
static bool find_author(const struct dkim_conf *conf, struct am_arena *arena,
                        const struct dkim_fields *fields, struct dkim_signing_state *state)
{
    struct dkim_author author;

    dkim_author_find(&author, arena, fields);
    state->address = author.address;
    state->domain = author.domain;
    switch (author.kind) {
    case DKIM_AUTHOR_ONE:
        return author.domain[0] != '\0' ||
               leave_without_from(conf, state, "From holds no usable domain");
    case DKIM_AUTHOR_NONE:
        return leave_without_from(conf, state, "there is no From field");
    case DKIM_AUTHOR_SEVERAL:
        return leave_without_from(conf, state, "there are several authors in From");
    case DKIM_AUTHOR_UNREADABLE:
        return leave_without_from(conf, state, "From holds no usable address");
    default:
        state->failed = true;
        return leave(state, DKIM_UNSIGNED_FROM, false, NULL);
    }
}

/* Takes the address from MAIL FROM. There must be one From all the same: it is always signed. */
static bool find_sender(struct am_ctx *ctx, const struct dkim_fields *fields,
                        struct dkim_signing_state *state)
{
    const struct am_address *sender = &am_ctx_msg(ctx)->sender;
    size_t count = 0;

    state->address = *sender;
    if (sender->is_null || sender->domain.len == 0)
        return leave(state, DKIM_UNSIGNED_KEY, false,
                     "the envelope sender has no domain (dkim.sign_by = envelope)");
    state->domain = am_domain_to_ascii(am_ctx_arena(ctx), sender->domain);
    if (state->domain == NULL)
        return leave(state, DKIM_UNSIGNED_KEY, false,
                     "the envelope sender's domain is no domain name");
    (void)dkim_fields_find(fields, am_span_str("from"), &count);
    return count == 1 || leave_without_from(am_ctx_conf(ctx), state,
                                            count == 0 ? "there is no From field"
                                                       : "there are several From fields");
}

/* Keys of the tables and of the key directory. */
static bool find_fixed_keys(const struct dkim_signing *signing, struct am_arena *arena,
                            struct dkim_signing_state *state)
{
    if (signing->keys == NULL)
        return false;
    dkim_keys_find(signing->keys, arena, &state->address, &state->choice);
    return state->choice.count > 0;
}

/*
 * A domain with managed keys is signed with them. Others serve it only until the first of them is
 * active, or when all of them are gone: mail with such a signature is better than none.
 */
static bool find_keys(const struct dkim_signing *signing, struct am_arena *arena,
                      struct dkim_signing_state *state)
{
    struct dkim_rotor_answer managed = {.what = DKIM_ROTOR_NOT_MANAGED};

    if (signing->managed != NULL)
        managed = dkim_rotor_find(signing->managed, arena, state->domain, &state->choice);
    if (managed.what == DKIM_ROTOR_SIGNS || find_fixed_keys(signing, arena, state))
        return true;
    if (managed.what == DKIM_ROTOR_NO_KEY)
        return leave(state, DKIM_UNSIGNED_UNPUBLISHED, true,
                     am_arena_printf(arena, "%s (dkim.unpublished_key)", managed.sentence));
    if (managed.what == DKIM_ROTOR_NOT_YET)
        return leave(state, DKIM_UNSIGNED_KEY, false,
                     am_arena_printf(arena, "%s (dkim.managed_keys)", managed.sentence));
    return leave(state, DKIM_UNSIGNED_KEY, false,
                 signing->keys == NULL
                     ? am_arena_printf(arena, "no key for %s: it has none in dkim.managed_keys",
                                       state->domain)
                     : am_arena_printf(arena,
                                       "no key for %s: %s (dkim.signing_table, dkim.key_directory)",
                                       state->domain, state->choice.rule));
}

static struct dkim_login_request ask_login(struct am_ctx *ctx, struct am_span local,
                                           const char *domain)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);

    return (struct dkim_login_request){
        .binding = (enum dkim_login_binding)derived->conf->login_binding,
        .map = derived->signing->logins,
        .login = am_ctx_conn(ctx)->auth_user,
        .local = local,
        .domain = domain,
    };
}

static bool check_login(struct am_ctx *ctx, struct dkim_signing_state *state)
{
    const struct dkim_conf *conf = am_ctx_conf(ctx);
    struct dkim_login_request request = ask_login(ctx, state->address.local, state->domain);
    const char *why_not;

    if (dkim_login_allows(&request, am_ctx_arena(ctx), &why_not))
        return true;
    state->failed = why_not == NULL;
    return leave(state, DKIM_UNSIGNED_LOGIN, conf->login_mismatch == DKIM_UNSIGNED_REJECT, why_not);
}

/* Tells whether readers would take one of the signatures for the author's. */
static bool speaks_for(const struct dkim_keys_choice *choice, const char *author)
{
    for (size_t i = 0; i < choice->count; i++)
        if (dkim_is_aligned(am_span_str(choice->keys[i]->domain), am_span_str(author)))
            return true;
    return false;
}

/*
 * The envelope sender chose the keys; but it is From that people see, and a signature of the same
 * domain vouches for it. Where that is so, the login must be allowed to write as From, too.
 */
static bool check_login_for_from(struct am_ctx *ctx, const struct dkim_fields *fields,
                                 struct dkim_signing_state *state)
{
    const struct dkim_conf *conf = am_ctx_conf(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);
    struct dkim_author author;
    const char *why_not;

    dkim_author_find(&author, arena, fields);
    state->failed = author.kind == DKIM_AUTHOR_MEMORY;
    if (author.kind == DKIM_AUTHOR_ONE) {
        if (!speaks_for(&state->choice, author.domain))
            return true;
        state->address = author.address;
        state->domain = author.domain;
        return check_login(ctx, state);
    }
    /* No address: only who may write as anybody gets past. */
    struct dkim_login_request request = ask_login(ctx, author.address.local, author.domain);
    return dkim_login_allows(&request, arena, &why_not) ||
           leave_without_from(conf, state,
                              "From does not hold one address, which its login would have to be "
                              "allowed to write as (dkim.login_binding)");
}

bool dkim_module_decide(struct am_ctx *ctx, const struct dkim_fields *fields,
                        struct dkim_signing_state *state)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    struct am_arena *arena = am_ctx_arena(ctx);
    bool found = derived->conf->sign_by == DKIM_SIGN_BY_FROM
                     ? find_author(derived->conf, arena, fields, state)
                     : find_sender(ctx, fields, state);

    if (!found || !find_keys(derived->signing, arena, state) || !check_login(ctx, state))
        return false;
    if (derived->conf->sign_by != DKIM_SIGN_BY_FROM && !check_login_for_from(ctx, fields, state))
        return false;
    /* What we were not shown could not be signed, nor kept from being added. */
    return !am_ctx_msg(ctx)->headers_cut ||
           leave(state, DKIM_UNSIGNED_HEADER_SIZE, false,
                 "the header is larger than milter.max_headers or milter.max_header_bytes lets us "
                 "see");
}

const char *dkim_module_would_sign(struct am_ctx *ctx, struct dkim_msg_state *state)
{
    const struct dkim_derived *derived = am_ctx_derived(ctx);
    struct dkim_signing_state would = {.why_not = NULL};

    if (!derived->signing->rules.has_keys || state->not_ours == NULL)
        return NULL;
    if (!dkim_fields_prepare(&state->fields) || !dkim_module_decide(ctx, &state->fields, &would))
        return NULL;
    return would.domain;
}
