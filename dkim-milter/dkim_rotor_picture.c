#include <stdlib.h>

#include "dkim-milter/dkim_rotor_state.h"

static void picture_destroy(struct am_snapshot *self)
{
    struct dkim_rotor_picture *picture = (struct dkim_rotor_picture *)self;

    for (size_t i = 0; i < picture->count; i++)
        for (size_t k = 0; k < picture->answers[i].count; k++)
            am_snapshot_drop(&picture->answers[i].keys[k]->snapshot);
    am_arena_free(picture->arena);
    free(picture);
}

static const char *word_nothing(struct am_arena *arena, const struct dkim_rotor_domain *domain,
                                int what)
{
    const char *states = "", *separator = "";

    for (size_t i = 0; states != NULL && i < domain->states.count; i++) {
        const struct dkim_rotation_key *key = &domain->states.keys[i];

        states = am_arena_printf(arena, "%s%s%s is %s%s", states, separator, key->selector,
                                 dkim_rotation_state_word(key->state),
                                 key->usable ? "" : ", its file cannot be used");
        separator = "; ";
    }
    if (states == NULL)
        return NULL;
    return am_arena_printf(arena,
                           what == DKIM_ROTATION_NOT_YET
                               ? "no managed key of %s has been published for long enough: %s"
                               : "no managed key of %s is published any more: %s",
                           domain->name, states);
}

static bool draw_domain(struct dkim_rotor *rotor, struct dkim_rotor_picture *picture,
                        const struct dkim_rotor_domain *domain)
{
    static const int whats[] = {[DKIM_ROTATION_SIGNS] = DKIM_ROTOR_SIGNS,
                                [DKIM_ROTATION_NOT_YET] = DKIM_ROTOR_NOT_YET,
                                [DKIM_ROTATION_NO_KEY] = DKIM_ROTOR_NO_KEY};
    const struct am_clock *clock = rotor->options.clock;
    struct dkim_rotor_signers *answer = &picture->answers[picture->count];
    struct dkim_rotation_choice choice;

    if (domain->states.count == 0)
        return true;
    dkim_rotation_choose(&domain->states, &rotor->rules, clock->wall_s(clock),
                         am_clock_now_us(clock), &choice);
    if (choice.what == DKIM_ROTATION_NOT_YET && domain->lost)
        choice.what = DKIM_ROTATION_NO_KEY;
    answer->what = whats[choice.what];
    answer->rule = am_arena_printf(picture->arena, "managed keys %s", domain->folder);
    if (choice.count == 0)
        answer->sentence = word_nothing(picture->arena, domain, choice.what);
    if (answer->rule == NULL || (choice.count == 0 && answer->sentence == NULL) ||
        am_table_put(picture->domains, 0, am_span_str(domain->name), (uint32_t)picture->count) ==
            AM_TABLE_NONE)
        return false;
    for (size_t i = 0; i < choice.count; i++) {
        answer->keys[answer->count] = domain->keys[choice.keys[i]];
        am_snapshot_ref(&answer->keys[answer->count++]->snapshot);
    }
    picture->count++;
    picture->signing += answer->count > 0;
    return true;
}

static struct dkim_rotor_picture *new_picture(size_t domains)
{
    struct dkim_rotor_picture *picture = calloc(1, sizeof(*picture));

    if (picture == NULL)
        return NULL;
    am_snapshot_init(&picture->snapshot, picture_destroy);
    picture->arena = am_arena_new(1024, 0);
    if (picture->arena != NULL) {
        picture->domains = am_table_new(picture->arena, domains);
        picture->answers =
            am_arena_alloc(picture->arena, (domains + 1) * sizeof(*picture->answers));
        if (picture->domains != NULL && picture->answers != NULL)
            return picture;
    }
    am_snapshot_drop(&picture->snapshot);
    return NULL;
}

bool dkim_rotor_draw(struct dkim_rotor *rotor)
{
    struct dkim_rotor_picture *picture = new_picture(rotor->count);

    for (size_t i = 0; picture != NULL && i < rotor->count; i++)
        if (!draw_domain(rotor, picture, rotor->domains[i])) {
            am_snapshot_drop(&picture->snapshot);
            picture = NULL;
        }
    if (picture != NULL)
        am_snapshot_swap(rotor->pictures, &picture->snapshot);
    return picture != NULL;
}

static void drop_picture(void *object)
{
    am_snapshot_drop(object);
}

struct dkim_rotor_answer dkim_rotor_find(struct dkim_rotor *rotor, struct am_arena *arena,
                                         const char *domain, struct dkim_keys_choice *choice)
{
    struct am_snapshot *taken = am_snapshot_take(rotor->pictures);
    struct dkim_rotor_picture *picture = (struct dkim_rotor_picture *)taken;
    struct dkim_rotor_answer answer = {.what = DKIM_ROTOR_NOT_MANAGED};
    uint32_t held =
        picture == NULL ? AM_TABLE_NONE : am_table_get(picture->domains, 0, am_span_str(domain));

    choice->count = 0;
    if (held == AM_TABLE_NONE) {
        am_snapshot_drop(taken);
        return answer;
    }
    /* The picture, and with it the keys, stays until the arena goes. */
    if (!am_arena_defer(arena, drop_picture, taken)) {
        am_snapshot_drop(taken);
        answer.what = DKIM_ROTOR_NO_KEY;
        answer.sentence = "memory is short";
        return answer;
    }
    const struct dkim_rotor_signers *signers = &picture->answers[held];
    for (size_t i = 0; i < signers->count; i++)
        choice->keys[choice->count++] = &signers->keys[i]->row;
    choice->rule = signers->rule;
    switch (signers->what) {
    case DKIM_ROTOR_SIGNS:
        answer.what = DKIM_ROTOR_SIGNS;
        break;
    case DKIM_ROTOR_NOT_YET:
        answer.what = DKIM_ROTOR_NOT_YET;
        break;
    default:
        answer.what = DKIM_ROTOR_NO_KEY;
        break;
    }
    answer.sentence = signers->sentence;
    return answer;
}

size_t dkim_rotor_domains(struct dkim_rotor *rotor, size_t *signing)
{
    struct am_snapshot *taken = am_snapshot_take(rotor->pictures);
    const struct dkim_rotor_picture *picture = (struct dkim_rotor_picture *)taken;
    size_t count = picture == NULL ? 0 : picture->count;

    *signing = picture == NULL ? 0 : picture->signing;
    am_snapshot_drop(taken);
    return count;
}
