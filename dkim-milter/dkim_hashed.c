#include "dkim-milter/dkim_hashed.h"

#include <string.h>

#include "dkim-milter/dkim_canon_body.h"
#include "dkim-milter/dkim_canon_header.h"
#include "dkim-milter/dkim_selection.h"

static void take(void *user, const char *ptr, size_t len)
{
    am_buf_add(user, am_span_of(ptr, len));
}

static bool make_header(struct dkim_hashed *out, struct am_arena *arena,
                        const struct dkim_fields *fields, const struct dkim_outcome *outcome)
{
    const struct dkim_signature *parts = outcome->parts;
    const struct dkim_sink sink = {take, &out->header};
    const struct dkim_field *self = fields->first;
    struct dkim_selection *selection = dkim_selection_new(arena, fields);

    while (self != NULL && self->position != outcome->field)
        self = self->below;
    if (selection == NULL || self == NULL)
        return false;
    dkim_selection_begin(selection, self);
    for (size_t i = 0; i < parts->name_count; i++) {
        const struct dkim_field *field = dkim_selection_take(selection, parts->names[i]);

        if (field == NULL)
            continue;
        dkim_canon_header(parts->header_canon, field, &sink);
        out->field_count++;
    }
    dkim_canon_header_signature(parts->header_canon, self, parts->signature_raw, &sink);
    return !out->header.failed;
}

struct body_taker {
    struct dkim_hashed *out;
    const struct dkim_sink *copy;
    uint64_t limit; /* l=, or more than any body has */
};

/* Keeps the last octets. */
static void keep_tail(struct dkim_hashed *out, const char *ptr, size_t len)
{
    size_t drop = 0;

    if (len > DKIM_HASHED_SHOWN) {
        ptr += len - DKIM_HASHED_SHOWN;
        len = DKIM_HASHED_SHOWN;
    }
    if (out->tail_len + len > DKIM_HASHED_SHOWN)
        drop = out->tail_len + len - DKIM_HASHED_SHOWN;
    memmove(out->tail, out->tail + drop, out->tail_len - drop);
    out->tail_len -= drop;
    memcpy(out->tail + out->tail_len, ptr, len);
    out->tail_len += len;
}

/* What stands beyond l= is counted only. */
static void take_body(void *user, const char *ptr, size_t len)
{
    struct body_taker *taker = user;
    struct dkim_hashed *out = taker->out;
    uint64_t left = taker->limit - out->body_octets;

    out->canonical_octets += len;
    if (len > left)
        len = (size_t)left;
    if (len == 0)
        return;
    out->body_octets += len;
    if (taker->copy != NULL)
        taker->copy->take(taker->copy->user, ptr, len);
    while (len > 0 && out->head_len < DKIM_HASHED_SHOWN) {
        out->head[out->head_len++] = *ptr++;
        len--;
    }
    keep_tail(out, ptr, len);
}

static void make_body(struct dkim_hashed *out, const struct dkim_signature *parts,
                      struct am_span body, const struct dkim_sink *copy)
{
    struct body_taker taker = {out, copy, parts->has_length ? parts->length : UINT64_MAX};
    const struct dkim_sink sink = {take_body, &taker};
    struct dkim_canon_body state;

    dkim_canon_body_init(&state, parts->body_canon);
    dkim_canon_body_update(&state, body, &sink);
    dkim_canon_body_finish(&state, &sink);
}

bool dkim_hashed_make(struct dkim_hashed *out, struct am_arena *arena,
                      const struct dkim_fields *fields, const struct dkim_outcome *outcome,
                      struct am_span body, const struct dkim_sink *copy)
{
    *out = (struct dkim_hashed){.is_known = outcome->parts->name_count > 0 &&
                                            outcome->parts->signature_raw.ptr != NULL};
    am_buf_init(&out->header, 0);
    if (!out->is_known)
        return true;
    make_body(out, outcome->parts, body, copy);
    return make_header(out, arena, fields, outcome);
}

void dkim_hashed_fini(struct dkim_hashed *hashed)
{
    am_buf_fini(&hashed->header);
}
