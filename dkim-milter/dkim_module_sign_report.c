#include "dkim-milter/dkim_module_state.h"

/* What the log and the figures tell about signing. */

void dkim_module_report_unsigned(struct am_ctx *ctx, const struct dkim_signing_state *state)
{
    static const char *const labels[] = {
        [DKIM_UNSIGNED_FROM] = "from",
        [DKIM_UNSIGNED_KEY] = "key",
        [DKIM_UNSIGNED_LOGIN] = "login",
        [DKIM_UNSIGNED_HEADER_SIZE] = "header-size",
        [DKIM_UNSIGNED_UNPUBLISHED] = "unpublished",
    };

    am_ctx_note(ctx, "unsigned", "%s", state->why_not);
    am_ctx_count(ctx, "unsigned", labels[state->kind], 1);
}

/* Says once per connection what will break signatures on their way. */
static void warn_of_body(struct am_ctx *ctx, const struct dkim_body_look *look)
{
    struct dkim_conn_state *conn = am_ctx_conn_state(ctx);

    if (conn == NULL)
        return;
    if (look->has_8bit && !conn->told_8bit) {
        conn->told_8bit = true;
        am_ctx_log(ctx, AM_LOG_WARNING,
                   "the client sends octets above 127 without having announced them with "
                   "BODY=8BITMIME or SMTPUTF8: mail servers that encode them break the signature");
    }
    if (look->has_long && !conn->told_long) {
        conn->told_long = true;
        am_ctx_log(ctx, AM_LOG_WARNING,
                   "a line of the body is longer than %d octets (RFC 5321): mail servers that "
                   "divide it break the signature (Postfix: smtp_line_length_limit)",
                   DKIM_LINE_MAX);
    }
}

void dkim_module_report_signed(struct am_ctx *ctx, const struct dkim_signing_state *state,
                               const char *const *values)
{
    const struct dkim_keys_choice *choice = &state->choice;
    size_t left_out = 0;
    struct am_buf list;

    am_buf_init(&list, 0);
    for (size_t i = 0; i < choice->count; i++) {
        const struct dkim_signing_key *key = choice->keys[i];
        const char *algorithm = dkim_algorithm_word(dkim_private_key_type(key->key));

        left_out += state->left_out[i];
        if (values[i] == NULL)
            continue;
        am_buf_printf(&list, "%s%s/%s:%s", list.len > 0 ? " " : "", key->domain, key->selector,
                      algorithm);
        am_ctx_count(ctx, "signed", algorithm, 1);
    }
    if (list.len > 0 && !list.failed) {
        am_ctx_note(ctx, "signed", "%s", am_buf_str(&list));
        am_ctx_note(ctx, "signed_by", "%s", choice->rule);
    }
    am_buf_fini(&list);
    if (left_out > 0) {
        am_ctx_note(ctx, "unsigned",
                    "%zu valid signatures of the same keys are there already (dkim.sign_again)",
                    left_out);
        am_ctx_count(ctx, "unsigned", "signed-already", 1);
    }
    warn_of_body(ctx, &state->look);
}

void dkim_module_report_not_ours(struct am_ctx *ctx, struct dkim_msg_state *message)
{
    const char *domain = dkim_module_would_sign(ctx, message);

    if (domain != NULL)
        am_ctx_note(ctx, "unsigned", "there is a key for %s, but %s", domain, message->not_ours);
}
