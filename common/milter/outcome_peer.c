#include "common/milter/outcome_peer.h"

/* --- who takes it down --- */

static const char *no_macro(void *peer, const char *name)
{
    (void)peer;
    (void)name;
    return NULL;
}

static bool take_reply(void *peer, const struct am_reply *reply)
{
    return am_outcome_take_reply(peer, reply);
}

static bool take_add(void *peer, const char *name, const char *value)
{
    return am_outcome_take_edit(peer, "add %s: %s", name, value);
}

static bool take_insert(void *peer, unsigned index, const char *name, const char *value)
{
    return am_outcome_take_edit(peer, "insert %u %s: %s", index, name, value);
}

static bool take_change(void *peer, unsigned index, const char *name, const char *value)
{
    return value == NULL ? am_outcome_take_edit(peer, "delete %u %s", index, name)
                         : am_outcome_take_edit(peer, "change %u %s: %s", index, name, value);
}

static bool take_add_recipient(void *peer, const char *recipient, const char *params)
{
    return am_outcome_take_edit(peer, "rcpt+ %s%s%s", recipient, params == NULL ? "" : " ",
                                params == NULL ? "" : params);
}

static bool take_delete_recipient(void *peer, const char *recipient)
{
    return am_outcome_take_edit(peer, "rcpt- %s", recipient);
}

static bool take_sender(void *peer, const char *sender, const char *params)
{
    return am_outcome_take_edit(peer, "from %s%s%s", sender, params == NULL ? "" : " ",
                                params == NULL ? "" : params);
}

static bool take_body(void *peer, struct am_span chunk)
{
    return am_outcome_take_edit(peer, "body %zu octets", chunk.len);
}

static bool take_quarantine(void *peer, const char *reason)
{
    struct am_outcome_taker *taker = peer;

    taker->outcome->quarantine = am_arena_copy(taker->arena, am_span_str(reason));
    taker->failed = taker->failed || taker->outcome->quarantine == NULL;
    return taker->outcome->quarantine != NULL;
}

static bool take_progress(void *peer)
{
    (void)peer;
    return true;
}

const struct am_peer_ops am_outcome_peer_ops = {
    .macro = no_macro,
    .set_reply = take_reply,
    .add_header = take_add,
    .insert_header = take_insert,
    .change_header = take_change,
    .add_recipient = take_add_recipient,
    .delete_recipient = take_delete_recipient,
    .change_sender = take_sender,
    .replace_body = take_body,
    .quarantine = take_quarantine,
    .progress = take_progress,
};

/* --- who stands between; what cannot be taken down goes to the MTA all the same --- */

static const char *tap_macro(void *peer, const char *name)
{
    const struct am_peer_tap *tap = peer;
    const char *value = tap->ops->macro(tap->peer, name);

    if (value != NULL)
        tap->macro(tap->user, name, value);
    return value;
}

static bool tap_reply(void *peer, const struct am_reply *reply)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_reply(tap->taker, reply);
    return tap->ops->set_reply(tap->peer, reply);
}

static bool tap_add(void *peer, const char *name, const char *value)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_add(tap->taker, name, value);
    return tap->ops->add_header(tap->peer, name, value);
}

static bool tap_insert(void *peer, unsigned index, const char *name, const char *value)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_insert(tap->taker, index, name, value);
    return tap->ops->insert_header(tap->peer, index, name, value);
}

static bool tap_change(void *peer, unsigned index, const char *name, const char *value)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_change(tap->taker, index, name, value);
    return tap->ops->change_header(tap->peer, index, name, value);
}

static bool tap_add_recipient(void *peer, const char *recipient, const char *params)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_add_recipient(tap->taker, recipient, params);
    return tap->ops->add_recipient(tap->peer, recipient, params);
}

static bool tap_delete_recipient(void *peer, const char *recipient)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_delete_recipient(tap->taker, recipient);
    return tap->ops->delete_recipient(tap->peer, recipient);
}

static bool tap_sender(void *peer, const char *sender, const char *params)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_sender(tap->taker, sender, params);
    return tap->ops->change_sender(tap->peer, sender, params);
}

static bool tap_body(void *peer, struct am_span chunk)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_body(tap->taker, chunk);
    return tap->ops->replace_body(tap->peer, chunk);
}

static bool tap_quarantine(void *peer, const char *reason)
{
    const struct am_peer_tap *tap = peer;

    if (tap->taker != NULL)
        (void)take_quarantine(tap->taker, reason);
    return tap->ops->quarantine(tap->peer, reason);
}

static bool tap_progress(void *peer)
{
    const struct am_peer_tap *tap = peer;

    return tap->ops->progress(tap->peer);
}

const struct am_peer_ops am_peer_tap_ops = {
    .macro = tap_macro,
    .set_reply = tap_reply,
    .add_header = tap_add,
    .insert_header = tap_insert,
    .change_header = tap_change,
    .add_recipient = tap_add_recipient,
    .delete_recipient = tap_delete_recipient,
    .change_sender = tap_sender,
    .replace_body = tap_body,
    .quarantine = tap_quarantine,
    .progress = tap_progress,
};
