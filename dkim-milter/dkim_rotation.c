#include "dkim-milter/dkim_rotation.h"

#include <string.h>

/* A record with a shorter TTL, 0 included, is watched so long all the same. */
#define TTL_MIN_S 1

const char *dkim_rotation_state_word(enum dkim_rotation_state state)
{
    static const char *const words[] = {"new", "published", "active", "retired"};

    return words[state];
}

const char *dkim_sight_word(enum dkim_sight sight)
{
    static const char *const words[] = {"unknown", "right",   "absent",
                                        "differs", "revoked", "unusable"};

    return words[sight];
}

struct dkim_rotation_key *dkim_rotation_find(struct dkim_rotation_domain *domain,
                                             const char *selector)
{
    for (size_t i = 0; i < domain->count; i++)
        if (strcmp(domain->keys[i].selector, selector) == 0)
            return &domain->keys[i];
    return NULL;
}

struct dkim_rotation_key *dkim_rotation_add(struct dkim_rotation_domain *domain,
                                            const char *selector, enum dkim_key_type type,
                                            int64_t now_s, struct am_problem *problem)
{
    if (dkim_rotation_find(domain, selector) != NULL)
        am_problem_set(problem, "there is a key of selector %s already", selector);
    else if (strlen(selector) > DKIM_ROTATION_NAME_MAX)
        am_problem_set(problem, "a selector of a managed key has at most %d octets",
                       DKIM_ROTATION_NAME_MAX);
    else if (domain->count == DKIM_ROTATION_KEYS_MAX)
        am_problem_set(problem,
                       "the domain has %d managed keys, and there cannot be more: remove old ones "
                       "with 'authmilter keys purge'",
                       DKIM_ROTATION_KEYS_MAX);
    else {
        struct dkim_rotation_key *key = &domain->keys[domain->count++];

        *key = (struct dkim_rotation_key){.type = type, .created_s = now_s, .since_s = now_s};
        strcpy(key->selector, selector);
        return key;
    }
    return NULL;
}

/* --- what is seen --- */

enum dkim_verdict dkim_rotation_verdict(const struct dkim_rotation_key *key, size_t views,
                                        enum dkim_sight *wrong)
{
    size_t right = 0, other = 0;

    *wrong = DKIM_SIGHT_NONE;
    for (size_t i = 0; i < views; i++) {
        if (key->sights[i] == DKIM_SIGHT_RIGHT)
            right++;
        else if (key->sights[i] != DKIM_SIGHT_NONE) {
            other++;
            *wrong = key->sights[i];
        }
    }
    if (other == 0)
        return right == views ? DKIM_VERDICT_RIGHT : DKIM_VERDICT_UNKNOWN;
    return right > 0 ? DKIM_VERDICT_PARTLY : DKIM_VERDICT_WRONG;
}

void dkim_rotation_note(struct dkim_rotation_key *key, const struct dkim_rotation_rules *rules,
                        const enum dkim_sight *sights, uint32_t ttl_s, int64_t now_us)
{
    bool all_right = true, any_wrong = false;
    enum dkim_sight wrong;

    for (size_t i = 0; i < rules->views; i++) {
        all_right = all_right && sights[i] == DKIM_SIGHT_RIGHT;
        any_wrong = any_wrong || sights[i] > DKIM_SIGHT_RIGHT;
        if (sights[i] != DKIM_SIGHT_NONE)
            key->sights[i] = sights[i];
    }
    if (ttl_s > key->ttl_s)
        key->ttl_s = ttl_s;
    if (any_wrong)
        key->right_us = 0;
    /* Only time between two looks that both showed it everywhere is time in which it was shown. */
    if (all_right && key->last_right_us != 0) {
        int64_t passed_us = now_us - key->last_right_us;
        if (passed_us > 0)
            key->right_us += passed_us < rules->gap_us ? passed_us : rules->gap_us;
    }
    key->last_right_us = all_right ? now_us : 0;
    if (dkim_rotation_verdict(key, rules->views, &wrong) != DKIM_VERDICT_WRONG)
        key->wrong_since_us = 0;
    else if (key->wrong_since_us == 0)
        key->wrong_since_us = now_us;
}

/* --- what follows --- */

struct stepping {
    struct dkim_rotation_domain *domain;
    const struct dkim_rotation_rules *rules;
    int64_t now_s;
    struct dkim_rotation_event *events;
    size_t *count;
    bool changed;
};

static void tell(struct stepping *stepping, size_t key, int what)
{
    struct dkim_rotation_event *event = &stepping->events[(*stepping->count)++];

    event->key = key;
    event->what = what;
}

static void advance(struct stepping *stepping, size_t index, enum dkim_rotation_state state)
{
    struct dkim_rotation_key *key = &stepping->domain->keys[index];

    if (state == DKIM_ROTATION_RETIRED) {
        dkim_rotation_retire(key, stepping->rules->keep_s, stepping->now_s);
    } else {
        key->state = state;
        key->since_s = stepping->now_s;
    }
    stepping->changed = true;
    tell(stepping, index, DKIM_ROTATION_ADVANCED);
}

void dkim_rotation_retire(struct dkim_rotation_key *key, int64_t keep_s, int64_t now_s)
{
    key->state = DKIM_ROTATION_RETIRED;
    key->since_s = now_s;
    key->keep_until_s = now_s + keep_s;
    key->trouble = DKIM_SIGHT_NONE;
    key->told = DKIM_SIGHT_NONE;
    key->trouble_since_s = 0;
    key->trouble_by[0] = '\0';
}

bool dkim_rotation_is_over(const struct dkim_rotation_key *key, int64_t now_s)
{
    return key->state == DKIM_ROTATION_RETIRED && now_s >= key->keep_until_s;
}

/* Makes a key active, and retires the one of its type that was. */
static void activate(struct stepping *stepping, size_t index)
{
    struct dkim_rotation_domain *domain = stepping->domain;

    for (size_t i = 0; i < domain->count; i++)
        if (domain->keys[i].state == DKIM_ROTATION_ACTIVE &&
            domain->keys[i].type == domain->keys[index].type)
            advance(stepping, i, DKIM_ROTATION_RETIRED);
    advance(stepping, index, DKIM_ROTATION_ACTIVE);
}

static void step_key(struct stepping *stepping, size_t index)
{
    struct dkim_rotation_key *key = &stepping->domain->keys[index];
    int64_t ttl_s = key->ttl_s > TTL_MIN_S ? key->ttl_s : TTL_MIN_S;

    if (key->last_right_us == 0)
        return;
    if (key->state == DKIM_ROTATION_NEW)
        advance(stepping, index, DKIM_ROTATION_PUBLISHED);
    else if (key->state == DKIM_ROTATION_PUBLISHED && key->usable &&
             key->right_us >= ttl_s * 1000000)
        activate(stepping, index);
}

/* Seconds that a restart may cost, but for parts of a long TTL. */
#define RIGHT_STEP_S 60
#define RIGHT_STEPS 8

static void set_progress(struct stepping *stepping, struct dkim_rotation_key *key, int64_t right_s)
{
    key->right_s = right_s;
    key->right_by[0] = '\0';
    if (right_s > 0)
        strncat(key->right_by, stepping->rules->witness, DKIM_ROTATION_NAME_MAX);
    stepping->changed = true;
}

/*
 * Notes now and then how far a published key is, so that a restart does not begin its TTL anew.
 * There is one place for all machines: who has seen most is in it.
 */
static void share_progress(struct stepping *stepping, size_t index)
{
    struct dkim_rotation_key *key = &stepping->domain->keys[index];
    bool is_ours = strcmp(key->right_by, stepping->rules->witness) == 0;
    int64_t step_s = key->ttl_s / RIGHT_STEPS, right_s = key->right_us / 1000000;

    if (key->state != DKIM_ROTATION_PUBLISHED) {
        if (key->right_by[0] != '\0')
            set_progress(stepping, key, 0);
        return;
    }
    if (step_s < RIGHT_STEP_S)
        step_s = RIGHT_STEP_S;
    if (right_s >= key->right_s + step_s || (is_ours && right_s == 0 && key->right_s > 0))
        set_progress(stepping, key, right_s);
}

/* The first machine that sees trouble says so for all, and takes it back. */
static void share_trouble(struct stepping *stepping, struct dkim_rotation_key *key,
                          enum dkim_sight trouble)
{
    bool is_ours = strcmp(key->trouble_by, stepping->rules->host) == 0;

    if (key->trouble == trouble || (key->trouble != DKIM_SIGHT_NONE && !is_ours))
        return;
    if (key->trouble == DKIM_SIGHT_NONE)
        key->trouble_since_s = stepping->now_s;
    key->trouble = trouble;
    key->trouble_by[0] = '\0';
    if (trouble == DKIM_SIGHT_NONE)
        key->trouble_since_s = 0;
    else
        strncat(key->trouble_by, stepping->rules->host, DKIM_ROTATION_NAME_MAX);
    stepping->changed = true;
}

static void watch_key(struct stepping *stepping, size_t index)
{
    struct dkim_rotation_key *key = &stepping->domain->keys[index];
    enum dkim_sight wrong;
    enum dkim_verdict verdict = dkim_rotation_verdict(key, stepping->rules->views, &wrong);

    if (key->state != DKIM_ROTATION_ACTIVE || verdict == DKIM_VERDICT_UNKNOWN)
        return;
    share_trouble(stepping, key, wrong);
    if (key->told == wrong)
        return;
    key->told = wrong;
    tell(stepping, index,
         wrong == DKIM_SIGHT_NONE ? DKIM_ROTATION_TROUBLE_OVER : DKIM_ROTATION_TROUBLE);
}

bool dkim_rotation_step(struct dkim_rotation_domain *domain,
                        const struct dkim_rotation_rules *rules, int64_t now_s,
                        struct dkim_rotation_event events[DKIM_ROTATION_EVENTS_MAX], size_t *count)
{
    struct stepping stepping = {
        .domain = domain, .rules = rules, .now_s = now_s, .events = events, .count = count};

    *count = 0;
    for (size_t i = 0; i < domain->count; i++)
        step_key(&stepping, i);
    for (size_t i = 0; i < domain->count; i++) {
        share_progress(&stepping, i);
        watch_key(&stepping, i);
    }
    return stepping.changed;
}

/* --- who signs --- */

/* How well a key fits; the lower the better. */
enum grade {
    GRADE_ACTIVE,
    GRADE_FORMER,  /* retired, and its record is right */
    GRADE_NEXT,    /* published, and its TTL is not over */
    GRADE_PARTLY,  /* active; part of the name servers show its record */
    GRADE_GRACE,   /* active; none does, but not for long */
    GRADE_ORDERED, /* active; none does, and it was ordered to sign on */
    GRADE_NONE,
};

static enum grade grade_active(const struct dkim_rotation_key *key,
                               const struct dkim_rotation_rules *rules, enum dkim_verdict verdict,
                               int64_t now_us)
{
    bool unseen = true;

    for (size_t i = 0; i < rules->views; i++)
        unseen = unseen && key->sights[i] == DKIM_SIGHT_NONE;
    if (verdict == DKIM_VERDICT_RIGHT || (verdict == DKIM_VERDICT_UNKNOWN && !unseen))
        return GRADE_ACTIVE;
    if (verdict == DKIM_VERDICT_PARTLY)
        return GRADE_PARTLY;
    /* Nothing seen yet since the start: what the machines have said of it counts. */
    if (verdict == DKIM_VERDICT_UNKNOWN && key->trouble == DKIM_SIGHT_NONE)
        return GRADE_ACTIVE;
    if (verdict == DKIM_VERDICT_WRONG && now_us - key->wrong_since_us < rules->grace_us)
        return GRADE_GRACE;
    return rules->sign_unpublished ? GRADE_ORDERED : GRADE_NONE;
}

static enum grade grade_of(const struct dkim_rotation_key *key,
                           const struct dkim_rotation_rules *rules, int64_t now_s, int64_t now_us)
{
    enum dkim_sight wrong;
    enum dkim_verdict verdict = dkim_rotation_verdict(key, rules->views, &wrong);
    bool is_right = verdict == DKIM_VERDICT_RIGHT;

    if (!key->usable || key->state == DKIM_ROTATION_NEW)
        return GRADE_NONE;
    if (key->state == DKIM_ROTATION_ACTIVE)
        return grade_active(key, rules, verdict, now_us);
    if (key->state == DKIM_ROTATION_RETIRED)
        return is_right && !dkim_rotation_is_over(key, now_s) ? GRADE_FORMER : GRADE_NONE;
    return is_right ? GRADE_NEXT : GRADE_NONE;
}

static bool was_ever_active(const struct dkim_rotation_domain *domain, int type)
{
    for (size_t i = 0; i < domain->count; i++)
        if (domain->keys[i].state >= DKIM_ROTATION_ACTIVE &&
            (type < 0 || (int)domain->keys[i].type == type))
            return true;
    return false;
}

static bool has_active(const struct dkim_rotation_domain *domain, int type)
{
    for (size_t i = 0; i < domain->count; i++)
        if (domain->keys[i].state == DKIM_ROTATION_ACTIVE && (int)domain->keys[i].type == type)
            return true;
    return false;
}

/* Finds the best key of a type. */
static enum grade best_of(const struct dkim_rotation_domain *domain,
                          const struct dkim_rotation_rules *rules, int type, int64_t now_s,
                          int64_t now_us, size_t *best)
{
    enum grade grade = GRADE_NONE;

    for (size_t i = 0; i < domain->count; i++) {
        const struct dkim_rotation_key *key = &domain->keys[i];
        enum grade this = (int)key->type == type ? grade_of(key, rules, now_s, now_us) : GRADE_NONE;

        /* Of two that are as good the newer. */
        if (this < grade ||
            (this == grade && this < GRADE_NONE && key->since_s > domain->keys[*best].since_s)) {
            grade = this;
            *best = i;
        }
    }
    return grade;
}

void dkim_rotation_choose(const struct dkim_rotation_domain *domain,
                          const struct dkim_rotation_rules *rules, int64_t now_s, int64_t now_us,
                          struct dkim_rotation_choice *choice)
{
    enum grade grades[DKIM_KEY_TYPE_COUNT], least = GRADE_NONE;
    size_t keys[DKIM_KEY_TYPE_COUNT] = {0};

    *choice = (struct dkim_rotation_choice){.what = DKIM_ROTATION_NOT_YET};
    if (!was_ever_active(domain, -1))
        return;
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        grades[type] = best_of(domain, rules, type, now_s, now_us, &keys[type]);
        /* A type that never signed waits for its turn. */
        if (!was_ever_active(domain, type) && grades[type] == GRADE_NEXT)
            continue;
        least = grades[type] < least ? grades[type] : least;
    }
    for (int type = 0; type < DKIM_KEY_TYPE_COUNT; type++) {
        bool is_published = grades[type] <= GRADE_PARTLY;
        bool waits = grades[type] == GRADE_NEXT && !was_ever_active(domain, type);

        if (grades[type] != GRADE_ACTIVE && has_active(domain, type))
            choice->second_best = true;
        if (grades[type] == GRADE_NONE || ((waits || !is_published) && least <= GRADE_PARTLY))
            continue;
        choice->keys[choice->count++] = keys[type];
    }
    choice->what = choice->count > 0 ? DKIM_ROTATION_SIGNS : DKIM_ROTATION_NO_KEY;
}
