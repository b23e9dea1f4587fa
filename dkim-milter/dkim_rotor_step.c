#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "dkim-milter/dkim_rotor_state.h"

/* Trouble that lasts is told again so often. */
#define AGAIN_US (INT64_C(3600) * 1000000)
/* How often another machine may be faster in a row before we wait for the next round. */
#define TRIES_MAX 3

static void count(const struct dkim_rotor *rotor, const char *name, const char *label)
{
    if (rotor->options.count != NULL)
        rotor->options.count(rotor->options.user, name, label);
}

static const char *write_day(int64_t time_s, char out[32])
{
    time_t time = (time_t)time_s;
    struct tm parts;

    if (gmtime_r(&time, &parts) == NULL || strftime(out, 32, "%Y-%m-%d", &parts) == 0)
        strcpy(out, "a day that no calendar has");
    return out;
}

/* Says what each name server shows. */
static void write_views(const struct dkim_rotor *rotor, const struct dkim_rotation_key *key,
                        struct am_buf *out)
{
    am_buf_init(out, 2048);
    for (size_t i = 0; i < rotor->rules.views; i++)
        am_buf_printf(out, "%s%s shows it as %s", i == 0 ? "" : ", ", rotor->servers[i],
                      dkim_sight_word(key->sights[i]));
}

/* --- what is told --- */

static void tell_advance(const struct dkim_rotor *rotor, const struct dkim_rotor_domain *domain,
                         const struct dkim_rotation_key *key)
{
    char day[32];

    switch (key->state) {
    case DKIM_ROTATION_PUBLISHED:
        am_log(AM_LOG_NOTICE,
               "dkim: key %s._domainkey.%s is published: all name servers show its record; it "
               "signs when they have done so for its TTL, %lu s",
               key->selector, domain->name, (unsigned long)key->ttl_s);
        break;
    case DKIM_ROTATION_ACTIVE:
        am_log(AM_LOG_NOTICE, "dkim: key %s._domainkey.%s is active: it signs from now on",
               key->selector, domain->name);
        break;
    default:
        am_log(AM_LOG_NOTICE,
               "dkim: key %s._domainkey.%s is retired: leave its record in the DNS until %s, for "
               "mail that is under way",
               key->selector, domain->name, write_day(key->keep_until_s, day));
        break;
    }
    count(rotor, "key_advances", dkim_rotation_state_word(key->state));
}

static void tell_trouble(const struct dkim_rotor *rotor, const struct dkim_rotor_domain *domain,
                         const struct dkim_rotation_key *key)
{
    struct am_buf views;

    write_views(rotor, key, &views);
    am_log(AM_LOG_ERROR,
           "dkim: the record of key %s._domainkey.%s, which is active, is no longer right "
           "everywhere: %s; publish it again (authmilter keys record %s %s)",
           key->selector, domain->name, am_buf_str(&views), domain->name, key->selector);
    am_buf_fini(&views);
    count(rotor, "key_trouble", dkim_sight_word(key->told));
}

static void tell_second_best(const struct dkim_rotor_domain *domain,
                             const struct dkim_rotation_choice *choice)
{
    struct am_buf keys;

    am_buf_init(&keys, 0);
    for (size_t i = 0; i < choice->count; i++)
        am_buf_printf(&keys, "%s%s", i == 0 ? "" : " and ",
                      domain->states.keys[choice->keys[i]].selector);
    am_log(AM_LOG_WARNING,
           "dkim: mail of %s is signed with %s for now, as what should sign cannot be trusted to "
           "verify",
           domain->name, am_buf_str(&keys));
    am_buf_fini(&keys);
}

/* Says which keys sign when that is not as it should be, once and when it changes. */
static void tell_signing(struct dkim_rotor *rotor, struct dkim_rotor_domain *domain)
{
    const struct am_clock *clock = rotor->options.clock;
    struct dkim_rotation_choice choice;

    dkim_rotation_choose(&domain->states, &rotor->rules, clock->wall_s(clock),
                         am_clock_now_us(clock), &choice);
    int now = (int)choice.what * 2 + choice.second_best, before = domain->signing;
    domain->signing = now;
    if (now == before)
        return;
    if (choice.what == DKIM_ROTATION_NO_KEY)
        am_log(AM_LOG_ERROR,
               "dkim: no managed key of %s can sign: its mail is deferred until a record is right "
               "again (dkim.unpublished_key)",
               domain->name);
    else if (choice.what == DKIM_ROTATION_SIGNS && choice.second_best)
        tell_second_best(domain, &choice);
    else if (choice.what == DKIM_ROTATION_SIGNS && before >= 0)
        am_log(AM_LOG_NOTICE, "dkim: mail of %s is signed with its active keys", domain->name);
}

static void tell(struct dkim_rotor *rotor, struct dkim_rotor_domain *domain,
                 const struct dkim_rotation_event *events, size_t event_count)
{
    int64_t now_us = am_clock_now_us(rotor->options.clock);

    for (size_t i = 0; i < event_count; i++) {
        const struct dkim_rotation_key *key = &domain->states.keys[events[i].key];

        if (events[i].what == DKIM_ROTATION_ADVANCED) {
            tell_advance(rotor, domain, key);
        } else if (events[i].what == DKIM_ROTATION_TROUBLE) {
            tell_trouble(rotor, domain, key);
            domain->told_us = now_us;
        } else {
            am_log(AM_LOG_NOTICE,
                   "dkim: the record of key %s._domainkey.%s is right everywhere again",
                   key->selector, domain->name);
        }
    }
    if (now_us - domain->told_us < AGAIN_US)
        return;
    domain->told_us = now_us;
    for (size_t i = 0; i < domain->states.count; i++)
        if (domain->states.keys[i].told != DKIM_SIGHT_NONE)
            tell_trouble(rotor, domain, &domain->states.keys[i]);
}

/* --- what is done --- */

/*
 * Moves a domain on. What cannot be written is not done: the keys that sign go on to sign, and the
 * next round tries again. What this process has seen counts for its own mail all the same.
 */
static void step_domain(struct dkim_rotor *rotor, struct dkim_rotor_domain *domain)
{
    struct dkim_rotation_event events[DKIM_ROTATION_EVENTS_MAX];
    size_t event_count;
    struct am_problem problem;

    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        struct dkim_rotation_domain next = domain->states;
        bool changed = dkim_rotation_step(&next, &rotor->rules,
                                          rotor->options.clock->wall_s(rotor->options.clock),
                                          events, &event_count);
        enum dkim_store_result result = DKIM_STORE_WRITTEN;

        if (changed || domain->torn)
            result = dkim_store_write(domain->folder, &next, &problem);
        if (result == DKIM_STORE_WRITTEN) {
            domain->torn = false;
            dkim_rotor_complain(domain->write_complaint, "");
            domain->states = next;
            tell(rotor, domain, events, event_count);
            return;
        }
        if (result == DKIM_STORE_FAILED) {
            dkim_rotor_complain(domain->write_complaint, problem.text);
            break;
        }
        if (!dkim_rotor_read_states(rotor, domain))
            return;
    }
    /* Trouble is told even so. */
    for (size_t i = 0; i < event_count; i++)
        if (events[i].what == DKIM_ROTATION_TROUBLE) {
            struct dkim_rotation_key *key = &domain->states.keys[events[i].key];
            enum dkim_sight wrong;
            (void)dkim_rotation_verdict(key, rotor->rules.views, &wrong);
            key->told = wrong;
            tell_trouble(rotor, domain, key);
        }
}

void dkim_rotor_step(struct dkim_rotor *rotor)
{
    for (size_t i = 0; i < rotor->count; i++) {
        step_domain(rotor, rotor->domains[i]);
        tell_signing(rotor, rotor->domains[i]);
    }
}
