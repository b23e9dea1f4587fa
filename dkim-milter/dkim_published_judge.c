#include "dkim-milter/dkim_key_record.h"
#include "dkim-milter/dkim_published.h"

/* Says "the key sel._domainkey.example.org of /etc/..." and what is wrong with it. */
static struct dkim_published_finding found(struct am_arena *arena,
                                           const struct dkim_signing_key *key,
                                           enum dkim_sight sight, enum am_log_level level,
                                           const char *what)
{
    const char *sentence = what == NULL
                               ? NULL
                               : am_arena_printf(arena, "key %s._domainkey.%s (%s) %s",
                                                 key->selector, key->domain, key->path, what);

    return (struct dkim_published_finding){
        .unknown = sentence == NULL,
        .sight = sentence == NULL ? DKIM_SIGHT_NONE : sight,
        .level = level,
        .sentence = sentence == NULL ? "memory is short for comparing a key" : sentence,
    };
}

static struct dkim_published_finding not_published(struct am_arena *arena,
                                                   const struct dkim_signing_key *key)
{
    const char *record = dkim_key_record_write(arena, key->key);

    return found(arena, key, DKIM_SIGHT_ABSENT, AM_LOG_WARNING,
                 am_arena_printf(arena,
                                 "is not published, so its signatures fail everywhere; the TXT "
                                 "record to publish: \"%s\"",
                                 record == NULL ? "" : record));
}

static struct dkim_published_finding unknown(struct am_arena *arena,
                                             const struct dkim_signing_key *key,
                                             const struct am_dns_answer *answer)
{
    struct dkim_published_finding finding =
        found(arena, key, DKIM_SIGHT_NONE, AM_LOG_NOTICE,
              am_arena_printf(arena,
                              "could not be compared with its published record: the look-up gave "
                              "\"%s\"; ask again with: authmilter testkey %s %s",
                              am_dns_outcome_word(answer->outcome), key->domain, key->selector));

    finding.unknown = true;
    return finding;
}

/* Tells whether the record's key is the other half of ours. */
static enum dkim_reason compare(const struct dkim_signing_key *key,
                                const struct dkim_key_record *record, bool *fits)
{
    struct dkim_public_key *public_key;
    enum dkim_reason reason = dkim_public_key_new(&public_key, record->type, record->octets);

    *fits = reason == DKIM_REASON_NONE && dkim_private_key_fits(key->key, public_key);
    dkim_public_key_drop(public_key);
    return reason;
}

static struct dkim_published_finding
judge_record(struct am_arena *arena, const struct dkim_signing_key *key, struct am_span text)
{
    struct dkim_key_record record;
    enum dkim_reason reason = dkim_key_record_parse(&record, arena, text);
    bool fits = false;

    if (reason == DKIM_REASON_NONE)
        reason = compare(key, &record, &fits);
    /* No evidence of anything. */
    if (reason == DKIM_REASON_MEMORY)
        return found(arena, key, DKIM_SIGHT_NONE, AM_LOG_NOTICE, NULL);
    if (reason == DKIM_REASON_KEY_REVOKED)
        return found(arena, key, DKIM_SIGHT_REVOKED, AM_LOG_WARNING,
                     "is revoked in the DNS (p= is empty), so its signatures fail everywhere: take "
                     "it out of use");
    if (reason != DKIM_REASON_NONE)
        return found(arena, key, DKIM_SIGHT_UNUSABLE, AM_LOG_WARNING,
                     am_arena_printf(arena, "is published in a way that nobody can use: %s",
                                     dkim_reason_text(reason)));
    if (!fits)
        return found(arena, key, DKIM_SIGHT_DIFFERS, AM_LOG_WARNING,
                     "differs from the key that is published, so its signatures fail everywhere: "
                     "publish this one's record, or use the file of the published one");
    struct dkim_published_finding finding = {
        .fits = true, .sight = DKIM_SIGHT_RIGHT, .level = AM_LOG_INFO};
    if (record.testing) {
        finding = found(arena, key, DKIM_SIGHT_RIGHT, AM_LOG_NOTICE,
                        "is published as testing (t=y): receivers may treat its mail as unsigned");
        finding.fits = true;
    }
    return finding;
}

struct dkim_published_finding dkim_published_judge(struct am_arena *arena,
                                                   const struct dkim_signing_key *key,
                                                   const struct am_dns_answer *answer)
{
    switch (answer->outcome) {
    case AM_DNS_OK:
        if (answer->count != 1)
            return found(arena, key, DKIM_SIGHT_DIFFERS, AM_LOG_WARNING,
                         "has several TXT records, so its signatures may fail: leave one");
        return judge_record(arena, key, answer->records[0].text);
    case AM_DNS_NODATA:
    case AM_DNS_NXDOMAIN:
        return not_published(arena, key);
    default:
        return unknown(arena, key, answer);
    }
}
