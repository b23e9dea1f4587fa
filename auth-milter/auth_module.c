#include "auth-milter/auth_module.h"

#include "auth-milter/auth_xtext.h"

/* --- configuration --- */

enum { PUBLISH_NO, PUBLISH_SENDER, PUBLISH_YES };

struct auth_conf {
    int publish_login; /* enum above */
    bool publish_mailfrom, publish_none;
};

static const struct am_choice login_words[] = {
    {"no", PUBLISH_NO}, {"sender", PUBLISH_SENDER}, {"yes", PUBLISH_YES}, {NULL, 0}};

#define AT(MEMBER) .offset = offsetof(struct auth_conf, MEMBER)

static const struct am_option options[] = {
    {.name = "publish_login",
     .kind = AM_OPTION_CHOICE,
     AT(publish_login),
     .choices = login_words,
     .fallback = "sender",
     .help = "name the login as smtp.auth: always, never, or when the sender's address tells it"},
    {.name = "publish_mailfrom",
     .kind = AM_OPTION_BOOL,
     AT(publish_mailfrom),
     .fallback = "no",
     .help = "name the mailbox of the client's AUTH parameter of MAIL as smtp.mailfrom"},
    {.name = "publish_none",
     .kind = AM_OPTION_BOOL,
     AT(publish_none),
     .fallback = "no",
     .help = "publish auth=none for clients that did not log in"},
    {0}};

/* --- what the mail server tells --- */

/* A macro, and the key in the decision line that shows it. */
static const struct {
    const char *macro, *key;
} facts[] = {
    {"{tls_version}", "tls_version"}, {"{cipher}", "cipher"}, {"{cipher_bits}", "cipher_bits"},
    {"{auth_type}", "type"},          {"{auth_ssf}", "ssf"},
};

/* All are asked for at MAIL, where encryption and login are settled. */
static const struct am_macro_need macros[] = {
    {AM_STAGE_ENVFROM, "{tls_version}"}, {AM_STAGE_ENVFROM, "{cipher}"},
    {AM_STAGE_ENVFROM, "{cipher_bits}"}, {AM_STAGE_ENVFROM, "{auth_type}"},
    {AM_STAGE_ENVFROM, "{auth_ssf}"},    {0}};

static void note_facts(struct am_ctx *ctx)
{
    const char *version = am_ctx_macro(ctx, "{tls_version}");

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const char *value = am_ctx_macro(ctx, facts[i].macro);

        if (value != NULL && value[0] != '\0')
            am_ctx_note(ctx, facts[i].key, "%s", value);
    }
    am_ctx_count(ctx, "tls", version != NULL && version[0] != '\0' ? "yes" : "no", 1);
}

/*
 * Adds the mailbox that the client named with AUTH= in MAIL: RFC 8601 section 2.7.4 calls that
 * smtp.mailfrom of this method, not the envelope sender.
 */
static void add_mailbox(struct am_ctx *ctx, struct am_result *result)
{
    const struct am_esmtp_params *params = &am_ctx_msg(ctx)->sender_params;
    struct am_span keyword = am_span_str("AUTH=");

    for (size_t i = 0; i < params->count; i++) {
        struct am_span item = am_span_str(params->items[i]), mailbox;

        if (!am_span_starts_nocase(item, keyword))
            continue;
        if (auth_xtext_mailbox(am_ctx_arena(ctx),
                               am_span_of(item.ptr + keyword.len, item.len - keyword.len),
                               &mailbox))
            am_result_add_property(result, "smtp", "mailfrom", mailbox);
        return;
    }
}

/* The login is the sender's address, or its local part: who reads the mail knows it already. */
static bool is_sender(struct am_ctx *ctx, struct am_span login)
{
    const struct am_address *sender = &am_ctx_msg(ctx)->sender;

    return !sender->is_null && (am_span_equal_nocase(login, sender->full) ||
                                am_span_equal_nocase(login, sender->local));
}

static bool is_published(struct am_ctx *ctx, const char *login)
{
    const struct auth_conf *conf = am_ctx_conf(ctx);

    return login[0] != '\0' &&
           (conf->publish_login == PUBLISH_YES ||
            (conf->publish_login == PUBLISH_SENDER && is_sender(ctx, am_span_str(login))));
}

static enum am_verdict on_envfrom(struct am_ctx *ctx)
{
    const struct auth_conf *conf = am_ctx_conf(ctx);
    const char *login = am_ctx_conn(ctx)->auth_user;
    struct am_result result = {.method = "auth", .result = login[0] == '\0' ? "none" : "pass"};

    note_facts(ctx);
    am_ctx_count(ctx, "results", result.result, 1);
    if (login[0] == '\0' && !conf->publish_none)
        return AM_DONE;
    if (is_published(ctx, login))
        am_result_add_property(&result, "smtp", "auth", am_span_str(login));
    if (login[0] != '\0' && conf->publish_mailfrom)
        add_mailbox(ctx, &result);
    am_ctx_publish(ctx, &result);
    return AM_DONE;
}

/* Nothing is ever refused: the MTA waits for no answer. */
static unsigned stages_answered(const void *values, const void *derived)
{
    (void)values;
    (void)derived;
    return 0;
}

const struct am_module auth_module = {
    .abi = AM_MODULE_ABI,
    .name = "auth",
    .summary = "reports whether the client logged in (RFC 8601) and how it is encrypted",
    .options = options,
    .conf_size = sizeof(struct auth_conf),
    .macros = macros,
    .answers = stages_answered,
    .envfrom = on_envfrom,
};
