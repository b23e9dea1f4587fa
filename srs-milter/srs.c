#include "srs-milter/srs.h"

#include <string.h>

#include "srs-milter/srs_day.h"
#include "srs-milter/srs_hash.h"
#include "srs-milter/srs_local.h"

/* An address that came back to us more often went in circles; that is enough for any real way. */
#define TURNS_MAX 2

static const struct {
    const char *word, *text;
} statuses[SRS_STATUS_COUNT] = {
    [SRS_OK] = {"ok", "is rewritten"},
    [SRS_NO_SRS] = {"no-srs", "needs no rewriting"},
    [SRS_MALFORMED] = {"malformed", "is not of the form of a rewritten address"},
    [SRS_FORGED] = {"forged", "was not made here: its hash is wrong"},
    [SRS_EXPIRED] = {"expired", "was made too long ago"},
    [SRS_TOO_LONG] = {"too-long", "would be too long when rewritten"},
    [SRS_FAILED] = {"failed", "cannot be worked on: memory is short"},
};

const char *srs_status_word(enum srs_status status)
{
    return statuses[status].word;
}

const char *srs_status_text(enum srs_status status)
{
    return statuses[status].text;
}

bool srs_looks_rewritten(const struct am_address *address)
{
    struct am_span local = address->local;

    if (local.len > 1 && local.ptr[0] == '"')
        local = am_span_of(local.ptr + 1, local.len - 1);
    return srs_local_tag(local) != 0;
}

/* --- forward --- */

/* The texts of the hash of each form, in the order they are hashed in. */
static size_t hashed_texts(const struct srs_local *parts, struct am_span texts[3])
{
    size_t count = 0;

    if (!parts->second)
        texts[count++] = parts->day;
    texts[count++] = parts->domain;
    texts[count++] = parts->rest;
    return count;
}

static enum srs_status write_address(const struct srs_scheme *scheme, struct am_arena *arena,
                                     struct srs_local *parts, struct am_span domain,
                                     const char **address)
{
    struct am_span texts[3];
    char hash[SRS_HASH_LENGTH_MAX + 1];
    const char *local;

    if (scheme->secrets->count == 0 || !srs_hash_make(scheme->digest, scheme->secrets->items[0],
                                                      texts, hashed_texts(parts, texts), hash))
        return SRS_FAILED;
    local = am_arena_printf(arena, "SRS%c%c%.*s=%.*s%s%.*s=%.*s", parts->second ? '1' : '0',
                            scheme->separator, (int)scheme->hash_length, hash, (int)parts->day.len,
                            parts->second ? "" : parts->day.ptr, parts->second ? "" : "=",
                            (int)parts->domain.len, parts->domain.ptr, (int)parts->rest.len,
                            parts->rest.ptr);
    return local == NULL ? SRS_FAILED : srs_local_join(arena, am_span_str(local), domain, address);
}

/* Tells whether a domain can stand inside a local part and be found there again. */
static bool can_be_hidden(struct am_span domain)
{
    for (size_t i = 0; i < domain.len; i++) {
        unsigned char c = (unsigned char)domain.ptr[i];
        if (c <= ' ' || c == 0x7f || strchr("=\"\\@<>", c) != NULL)
            return false;
    }
    return true;
}

/* Fills in what is hidden in the new address. */
static enum srs_status hide(struct srs_local *parts, struct am_arena *arena,
                            const struct am_address *sender, bool may_shorten)
{
    struct am_span local;
    struct srs_local former;

    if (!srs_local_unquote(arena, sender->local, &local))
        return SRS_FAILED;
    if (local.len == 0 || !can_be_hidden(sender->domain))
        return SRS_MALFORMED;
    *parts = (struct srs_local){.domain = sender->domain, .rest = local};
    if (!may_shorten || srs_local_split(&former, local) != SRS_OK)
        return SRS_OK;
    /* The second forwarder names the first one; those behind it keep what the second one wrote. */
    *parts = former;
    if (!former.second) {
        size_t tag = srs_local_tag(local) - 1;
        parts->domain = sender->domain;
        parts->rest = am_span_of(local.ptr + tag, local.len - tag);
    }
    parts->second = true;
    /* What another forwarder has written there is hostile text, too. */
    return can_be_hidden(parts->domain) ? SRS_OK : SRS_MALFORMED;
}

static struct srs_outcome rewrite(const struct srs_scheme *scheme, struct am_arena *arena,
                                  const struct am_address *sender, int64_t now_s,
                                  struct am_span domain, bool may_shorten)
{
    struct srs_outcome outcome = {.status = SRS_NO_SRS};
    struct srs_local parts;
    char day[3];

    if (sender->is_null || sender->domain.len == 0)
        return outcome;
    outcome.status = hide(&parts, arena, sender, may_shorten);
    if (outcome.status != SRS_OK)
        return outcome;
    srs_day_write(srs_day_of(now_s), day);
    if (!parts.second)
        parts.day = am_span_str(day);
    outcome.status = write_address(scheme, arena, &parts, domain, &outcome.address);
    return outcome;
}

struct srs_outcome srs_forward(const struct srs_scheme *scheme, struct am_arena *arena,
                               const struct am_address *sender, int64_t now_s)
{
    return rewrite(scheme, arena, sender, now_s, am_span_str(scheme->domain), true);
}

struct srs_outcome srs_sign(const struct srs_scheme *scheme, struct am_arena *arena,
                            const struct am_address *sender, int64_t now_s)
{
    return rewrite(scheme, arena, sender, now_s, sender->domain, false);
}

/* --- reverse --- */

/* Every secret is tried, whatever the one before it gave: the time tells nothing. */
static enum srs_status judge_hash(const struct srs_scheme *scheme, const struct srs_local *parts,
                                  struct srs_outcome *outcome)
{
    struct am_span texts[3];
    size_t count = hashed_texts(parts, texts);
    int best = 0;

    for (size_t i = 0; i < scheme->secrets->count; i++) {
        char made[SRS_HASH_LENGTH_MAX + 1];
        if (!srs_hash_make(scheme->digest, scheme->secrets->items[i], texts, count, made))
            return SRS_FAILED;
        int agrees = srs_hash_agrees(parts->hash, made);
        if (agrees > best) {
            best = agrees;
            outcome->secret = i;
        }
    }
    outcome->smashed = outcome->smashed || best == 1;
    return best > 0 && parts->hash.len >= scheme->hash_minimum ? SRS_OK : SRS_FORGED;
}

static enum srs_status judge_day(const struct srs_scheme *scheme, const struct srs_local *parts,
                                 int64_t now_s, struct srs_outcome *outcome)
{
    unsigned day;

    if (parts->second)
        return SRS_OK;
    if (!srs_day_read(parts->day, &day))
        return SRS_MALFORMED;
    outcome->age_days = srs_day_age(day, srs_day_of(now_s));
    return outcome->age_days <= scheme->max_age_days ? SRS_OK : SRS_EXPIRED;
}

/* Turns back once. */
static enum srs_status turn(const struct srs_scheme *scheme, struct am_arena *arena,
                            const struct am_address *recipient, int64_t now_s,
                            struct srs_outcome *outcome)
{
    struct srs_local parts;
    struct am_span local;
    const char *former;

    if (!srs_local_unquote(arena, recipient->local, &local))
        return SRS_FAILED;
    enum srs_status status = srs_local_split(&parts, local);
    if (status == SRS_OK)
        status = judge_hash(scheme, &parts, outcome);
    if (status == SRS_OK)
        status = judge_day(scheme, &parts, now_s, outcome);
    if (status != SRS_OK)
        return status;
    former = parts.second ? am_arena_printf(arena, "SRS0%.*s", (int)parts.rest.len, parts.rest.ptr)
                          : am_arena_copy(arena, parts.rest);
    return former == NULL
               ? SRS_FAILED
               : srs_local_join(arena, am_span_str(former), parts.domain, &outcome->address);
}

struct srs_outcome srs_reverse(const struct srs_scheme *scheme, struct am_arena *arena,
                               const struct am_address *recipient, int64_t now_s)
{
    struct srs_outcome outcome = {.status = SRS_NO_SRS};
    struct am_address address = *recipient;

    if (recipient->is_null || recipient->domain.len == 0)
        return outcome;
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        enum srs_status status = turn(scheme, arena, &address, now_s, &outcome);
        if (status != SRS_OK) {
            outcome.status = turns > 0 && status == SRS_NO_SRS ? SRS_OK : status;
            break;
        }
        outcome.status = SRS_OK;
        if (!am_address_parse(&address, am_span_str(outcome.address))) {
            outcome.status = SRS_MALFORMED;
            break;
        }
        if (!am_span_equal_nocase(address.domain, am_span_str(scheme->domain)))
            break;
    }
    if (outcome.status != SRS_OK)
        outcome.address = NULL;
    return outcome;
}
