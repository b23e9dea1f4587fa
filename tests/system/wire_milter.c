/*
 * A milter that does what the sender's address says, so that a test can look at every kind of
 * answer: see wire.c.
 */
#include <stddef.h>

#include "common/milter/app.h"

static bool sender_is(struct am_ctx *ctx, const char *word)
{
    const struct am_msg_info *message = am_ctx_msg(ctx);

    return message != NULL && am_span_equal(message->sender.local, am_span_str(word));
}

struct refusal {
    const char *sender;
    enum am_verdict verdict;
    int code;
    const char *xcode, *text;
};

static const struct refusal refusals[] = {
    {"plain", AM_REJECT, 0, NULL, NULL},
    {"one", AM_REJECT, 550, "5.7.23", "100% refused, %s and %% too"},
    {"one-bare", AM_REJECT, 554, NULL, "no enhanced code"},
    {"many", AM_REJECT, 550, "5.7.1", "first 50%\nsecond\n\nfourth"},
    {"many-bare", AM_TEMPFAIL, 451, NULL, "first\nsecond"},
    {"many-reject", AM_REJECT, 554, NULL, "first\nsecond %"},
    {"later", AM_TEMPFAIL, 451, "4.7.1", "later"},
    {"later-plain", AM_TEMPFAIL, 0, NULL, NULL},
    {"gone", AM_DISCARD, 0, NULL, NULL},
};

static enum am_verdict wire_mail(struct am_ctx *ctx)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *refusal = &refusals[i];
        if (!sender_is(ctx, refusal->sender))
            continue;
        if (refusal->code != 0)
            (void)am_ctx_set_reply(ctx, refusal->code, refusal->xcode, refusal->text);
        return refusal->verdict;
    }
    return AM_CONTINUE;
}

static enum am_verdict wire_body(struct am_ctx *ctx, struct am_span chunk)
{
    (void)chunk;
    return sender_is(ctx, "skip") ? AM_SKIP_BODY : AM_CONTINUE;
}

static char long_body[200 * 1000];

static void edit_everything(struct am_eom_ctx *eom)
{
    memset(long_body, 'x', sizeof(long_body));
    (void)am_eom_add_header(eom, "X-Added", "added");
    (void)am_eom_add_header(eom, "X-Folded", "one\n\ttwo");
    (void)am_eom_insert_header(eom, 1, "X-Inserted", "inserted");
    (void)am_eom_change_header(eom, 1, "X-Old", "changed");
    (void)am_eom_delete_header(eom, 2, "X-Old");
    (void)am_eom_add_recipient(eom, "<plain@example.org>", NULL);
    (void)am_eom_add_recipient(eom, "<params@example.org>", "NOTIFY=NEVER");
    (void)am_eom_delete_recipient(eom, "<first@example.org>");
    (void)am_eom_change_sender(eom, "<new@example.org>", "SIZE=5");
    (void)am_eom_replace_body(eom, am_span_str("short\r\n"));
    (void)am_eom_replace_body(eom, am_span_of(long_body, sizeof(long_body)));
    (void)am_eom_progress(eom);
}

static enum am_verdict wire_eom(struct am_eom_ctx *eom)
{
    struct am_ctx *ctx = am_eom_ctx_base(eom);

    if (sender_is(ctx, "edits"))
        edit_everything(eom);
    if (sender_is(ctx, "held"))
        am_ctx_set_quarantine(ctx, "held for a look");
    if (sender_is(ctx, "end")) {
        (void)am_ctx_set_reply(ctx, 550, "5.7.1", "at the end, 5%");
        return AM_REJECT;
    }
    struct am_result result = {.method = "x-wire", .result = "pass"};
    am_ctx_publish(ctx, &result);
    return AM_CONTINUE;
}

static const struct am_module wire_module = {
    .abi = AM_MODULE_ABI,
    .name = "wire",
    .summary = "does what the sender's address says",
    .method = "x-wire",
    .actions = AM_ACTION_ADD_HEADER | AM_ACTION_CHANGE_HEADER | AM_ACTION_CHANGE_BODY |
               AM_ACTION_ADD_RCPT | AM_ACTION_ADD_RCPT_PARAMS | AM_ACTION_DELETE_RCPT |
               AM_ACTION_CHANGE_FROM | AM_ACTION_QUARANTINE,
    .envfrom = wire_mail,
    .body = wire_body,
    .eom = wire_eom,
};

AM_APP_MAIN("wire-milter", "does what the sender's address says, for tests", &wire_module)
