#include "dkim-milter/dkim_sign_names.h"

/*
 * The default list. Oversigned is what readers show or act on: a second one of these must not
 * be added to a signed message (RFC 6376 section 8.15). Fields that relays change or add for
 * good reasons (Received, Return-Path, Authentication-Results) are not signed (section 5.4.1).
 */
static const struct {
    const char *name;
    bool over;
} defaults[] = {
    {"From", true},
    {"To", true},
    {"Cc", true},
    {"Subject", true},
    {"Date", true},
    {"Reply-To", true},
    {"Message-ID", true},
    {"In-Reply-To", true},
    {"References", true},
    {"MIME-Version", true},
    {"Content-Type", true},
    {"Content-Transfer-Encoding", true},
    {"Content-ID", false},
    {"Content-Description", false},
    {"Content-Disposition", false},
    {"Sender", true},
    {"List-Unsubscribe", true},
    {"List-Unsubscribe-Post", true},
    {"List-ID", false},
    {"List-Help", false},
    {"List-Subscribe", false},
    {"List-Post", false},
    {"List-Owner", false},
    {"List-Archive", false},
    {"Feedback-ID", false},
    {"Autocrypt", false},
    {"Resent-Date", false},
    {"Resent-From", false},
    {"Resent-Sender", false},
    {"Resent-To", false},
    {"Resent-Cc", false},
    {"Resent-Message-ID", false},
};
#define DEFAULT_COUNT (sizeof(defaults) / sizeof(defaults[0]))

/* Tells whether a text is the name of a field (RFC 5322 section 3.6.8) that h= can carry. */
static bool is_field_name(struct am_span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == ':' || name.ptr[i] == ';')
            return false;
    return name.len > 0;
}

static struct dkim_sign_name *find(struct dkim_sign_names *names, struct am_span name)
{
    for (size_t i = 0; i < names->count; i++)
        if (am_span_equal_nocase(names->items[i].name, name))
            return &names->items[i];
    return NULL;
}

/* Takes a name off the list; the order of the others stays. */
static void take_away(struct dkim_sign_names *names, struct dkim_sign_name *item)
{
    size_t index = (size_t)(item - names->items);

    memmove(item, item + 1, (names->count - index - 1) * sizeof(*item));
    names->count--;
}

/* Applies "+Name" or "-Name" to the list of signed fields (`over` false) or oversigned ones. */
static bool apply(struct dkim_sign_names *names, const char *delta, bool over,
                  struct am_problem *problem)
{
    struct am_span name = am_span_str(delta + (delta[0] != '\0'));
    struct dkim_sign_name *item = find(names, name);

    if ((delta[0] != '+' && delta[0] != '-') || !is_field_name(name))
        return am_problem_set(problem,
                              "\"%s\" is no change of the list of signed fields: write +Name to "
                              "add a field and -Name to leave one out",
                              delta);
    if (delta[0] == '+') {
        if (item == NULL)
            names->items[names->count++] = (struct dkim_sign_name){name, over};
        else
            item->over = item->over || over;
        return true;
    }
    if (!over && am_span_equal_nocase(name, am_span_str("From")))
        return am_problem_set(problem, "From cannot be left unsigned (RFC 6376 section 5.4)");
    if (item != NULL && over)
        item->over = false;
    else if (item != NULL)
        take_away(names, item);
    return true;
}

bool dkim_sign_delta_check(const char *delta, struct am_problem *problem)
{
    struct dkim_sign_name room[1];
    struct dkim_sign_names none = {room, 0};

    return apply(&none, delta, true, problem);
}

struct dkim_sign_names *dkim_sign_names_new(struct am_arena *arena,
                                            const struct am_strlist *signed_deltas,
                                            const struct am_strlist *over_deltas,
                                            struct am_problem *problem)
{
    struct dkim_sign_names *names = am_arena_alloc(arena, sizeof(*names));
    size_t most = DEFAULT_COUNT + (signed_deltas == NULL ? 0 : signed_deltas->count) +
                  (over_deltas == NULL ? 0 : over_deltas->count);

    if (names != NULL)
        names->items = am_arena_alloc(arena, most * sizeof(*names->items));
    if (names == NULL || names->items == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < DEFAULT_COUNT; i++)
        names->items[names->count++] =
            (struct dkim_sign_name){am_span_str(defaults[i].name), defaults[i].over};
    for (size_t i = 0; signed_deltas != NULL && i < signed_deltas->count; i++)
        if (!apply(names, signed_deltas->items[i], false, problem))
            return NULL;
    for (size_t i = 0; over_deltas != NULL && i < over_deltas->count; i++)
        if (!apply(names, over_deltas->items[i], true, problem))
            return NULL;
    return names;
}
