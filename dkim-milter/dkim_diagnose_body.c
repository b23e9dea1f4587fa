#include "dkim-milter/dkim_diagnose_body.h"

#include "common/base/buf.h"
#include "dkim-milter/dkim_canon_body.h"
#include "dkim-milter/dkim_diagnose.h"

/* Lines that may have been put in front. */
#define BANNER_LINES_MAX 64

/* Largest body of which every begin is tried with every end. */
#define BOTH_MAX ((size_t)1 << 20)

static void take(void *user, const char *ptr, size_t len)
{
    am_buf_add(user, am_span_of(ptr, len));
}

/* Returns false when memory is short; a body that is too long leaves `out` failed. */
static void canonicalise(enum dkim_canon canon, struct am_span body, struct am_buf *out)
{
    const struct dkim_sink sink = {take, out};
    struct dkim_canon_body state;

    dkim_canon_body_init(&state, canon);
    dkim_canon_body_update(&state, body, &sink);
    dkim_canon_body_finish(&state, &sink);
}

static bool is_signed(const struct dkim_signature *parts, const uint8_t digest[DKIM_HASH_LEN])
{
    return memcmp(digest, parts->body_hash, DKIM_HASH_LEN) == 0;
}

static bool hash_fits(const struct dkim_signature *parts, struct am_span text)
{
    struct dkim_hash hash = {0};
    uint8_t digest[DKIM_HASH_LEN];

    (void)dkim_hash_init(&hash);
    dkim_hash_update(&hash, text.ptr, text.len);
    bool fits = dkim_hash_final(&hash, digest) && is_signed(parts, digest);
    dkim_hash_fini(&hash);
    return fits;
}

/* Returns the length of the line at the front, its CRLF included. */
static size_t line_len(struct am_span text)
{
    size_t at = 0;

    while (at < text.len) {
        at += am_span_find(am_span_of(text.ptr + at, text.len - at), '\n');
        if (at < text.len && at > 0 && text.ptr[at - 1] == '\r')
            return at + 1;
        at += at < text.len;
    }
    return text.len;
}

static void note(struct am_arena *arena, struct dkim_body_diagnosis *out,
                 enum dkim_body_change change, uint64_t octets, uint64_t line, struct am_span rest)
{
    /* A footer often begins with an empty line; the one behind it tells more. */
    while (rest.len >= 2 && rest.ptr[0] == '\r' && rest.ptr[1] == '\n')
        rest = am_span_of(rest.ptr + 2, rest.len - 2);
    size_t len = line_len(rest);
    struct am_span text = am_span_trim(am_span_of(rest.ptr, len > 200 ? 200 : len));
    const char *copy = am_arena_copy(arena, text);

    *out = (struct dkim_body_diagnosis){.change = change,
                                        .octets = octets,
                                        .line = line,
                                        .text = am_span_of(copy, copy == NULL ? 0 : text.len)};
}

/*
 * Looks at the end of each line whether all from `from` up to it is what was signed.
 * Returns: where that ends, or 0; `*line` is the number of the next line, counted from `from`.
 */
static size_t find_end(const struct dkim_signature *parts, struct am_span canon, size_t from,
                       uint64_t *line)
{
    struct dkim_hash running = {0}, here = {0};
    uint8_t digest[DKIM_HASH_LEN];
    size_t at = from;
    bool found = false;

    (void)dkim_hash_init(&running);
    for (*line = 1; !found && at < canon.len && *line <= DKIM_DIAGNOSE_LINES_MAX; (*line)++) {
        size_t len = line_len(am_span_of(canon.ptr + at, canon.len - at));
        dkim_hash_update(&running, canon.ptr + at, len);
        at += len;
        /* Empty lines at an end are no part of it. */
        if (len > 2 && at < canon.len)
            found = dkim_hash_copy(&here, &running) && dkim_hash_final(&here, digest) &&
                    is_signed(parts, digest);
    }
    dkim_hash_fini(&running);
    dkim_hash_fini(&here);
    return found ? at : 0;
}

static bool find_footer(struct am_arena *arena, const struct dkim_signature *parts,
                        struct am_span canon, struct dkim_body_diagnosis *out)
{
    uint64_t line;
    size_t at = find_end(parts, canon, 0, &line);

    if (at == 0)
        return false;
    note(arena, out, DKIM_BODY_FOOTER, at, line, am_span_of(canon.ptr + at, canon.len - at));
    out->is_restored = true;
    return true;
}

/* What l= leaves unsigned is no part of what is compared. */
static struct am_span up_to_length(const struct dkim_signature *parts, struct am_span text)
{
    if (parts->has_length && parts->length < text.len)
        text.len = (size_t)parts->length;
    return text;
}

static bool find_banner(struct am_arena *arena, const struct dkim_signature *parts,
                        struct am_span canon, struct dkim_body_diagnosis *out)
{
    size_t at = 0;

    for (int line = 1; line <= BANNER_LINES_MAX && at < canon.len; line++) {
        at += line_len(am_span_of(canon.ptr + at, canon.len - at));
        if (at < canon.len &&
            hash_fits(parts, up_to_length(parts, am_span_of(canon.ptr + at, canon.len - at)))) {
            note(arena, out, DKIM_BODY_BANNER, at, 1, canon);
            out->is_restored = true;
            return true;
        }
    }
    return false;
}

/* Something in front and something behind: each begin is tried with each end. */
static bool find_both(struct am_arena *arena, const struct dkim_signature *parts,
                      struct am_span canon, struct dkim_body_diagnosis *out)
{
    size_t at = 0;

    for (uint64_t lines = 1; lines <= BANNER_LINES_MAX && at < canon.len; lines++) {
        uint64_t line;

        at += line_len(am_span_of(canon.ptr + at, canon.len - at));
        size_t end = canon.len <= BOTH_MAX ? find_end(parts, canon, at, &line) : 0;
        if (end == 0)
            continue;
        note(arena, out, DKIM_BODY_BOTH, at, lines + line,
             am_span_of(canon.ptr + end, canon.len - end));
        out->is_restored = true;
        return true;
    }
    return false;
}

static bool is_empty_body(const struct dkim_signature *parts)
{
    return hash_fits(parts, am_span_str(parts->body_canon == DKIM_CANON_SIMPLE ? "\r\n" : ""));
}

bool dkim_diagnose_body(struct am_arena *arena, const struct dkim_signature *parts,
                        struct am_span body, struct dkim_body_diagnosis *out)
{
    struct am_buf canon, other;
    bool too_long = body.len > DKIM_DIAGNOSE_BODY_MAX;

    *out = (struct dkim_body_diagnosis){0};
    if (too_long)
        return true;
    am_buf_init(&canon, 0);
    am_buf_init(&other, 0);
    canonicalise(parts->body_canon, body, &canon);
    canonicalise(parts->body_canon == DKIM_CANON_SIMPLE ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE,
                 body, &other);
    bool good = !canon.failed && !other.failed;
    const struct am_span text = am_buf_span(&canon);
    if (!good)
        out->change = DKIM_BODY_UNKNOWN;
    else if (parts->has_length && parts->length > canon.len)
        *out = (struct dkim_body_diagnosis){.change = DKIM_BODY_CUT,
                                            .octets = parts->length - canon.len};
    else if (is_empty_body(parts))
        note(arena, out, DKIM_BODY_EMPTY, 0, 1, text);
    else if (hash_fits(parts, am_buf_span(&other)))
        out->change = DKIM_BODY_OTHER_CANON;
    else if (!find_footer(arena, parts, text, out) && !find_banner(arena, parts, text, out))
        (void)find_both(arena, parts, text, out);
    am_buf_fini(&canon);
    am_buf_fini(&other);
    return good;
}
