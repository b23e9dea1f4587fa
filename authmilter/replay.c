#include "authmilter/replay.h"

#include <stdlib.h>

#include "authmilter/run_modules.h"
#include "common/dns/dns_replay.h"
#include "common/milter/capture_hide.h"

/* Most of what a sentence shows of either side. */
#define SHOWN_MAX 400

/* The time of the case, which stands still. */
struct case_clock {
    struct am_clock clock; /* must be first */
    int64_t now_s;
};

static int64_t monotonic_us(const struct am_clock *self)
{
    (void)self;
    return 1000000;
}

static int64_t wall_s(const struct am_clock *self)
{
    return ((const struct case_clock *)self)->now_s;
}

static bool add(struct replay *replay, struct am_strlist *list, const char *text)
{
    struct am_outcome_taker taker = {.arena = replay->arena, .outcome = &replay->outcome};

    return am_outcome_add(&taker, list, text);
}

/* --- what cannot be played --- */

static const char *note_of(const struct am_case *kept, const char *key)
{
    for (size_t i = 0; i < kept->outcome.note_count; i++)
        if (strcmp(kept->outcome.notes[i].key, key) == 0)
            return kept->outcome.notes[i].value;
    return NULL;
}

/* Tells whether there was nothing that could have been kept of header or body. */
static bool is_unseen(const struct am_case *kept)
{
    return strcmp(kept->header_kept, "not seen") == 0 || strcmp(kept->body_kept, "not seen") == 0;
}

static bool is_listed(const struct am_strlist *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

/* Returns why the header cannot be played, or NULL. */
static const char *header_obstacle(const struct am_case *kept)
{
    if (is_unseen(kept))
        return "the message was refused before it came";
    return strcmp(kept->header_kept, "full") != 0 ? "the header was not kept whole" : NULL;
}

static const char *dkim_obstacle(const struct am_case *kept)
{
    const char *why = header_obstacle(kept);

    if (why != NULL)
        return why;
    if (strcmp(kept->body_kept, "full") != 0)
        return "the body was not kept";
    return note_of(kept, "dkim_signed") != NULL ? "it signed, and keys are not in a case" : NULL;
}

/* Returns why a module cannot be played, or NULL. */
static const char *obstacle(const struct am_case *kept, const char *module)
{
    if (strcmp(module, "srs") == 0)
        return strstr(kept->config, "\nsrs {") == NULL && strncmp(kept->config, "srs {", 5) != 0
                   ? NULL
                   : "its secrets are not in a case";
    if (strcmp(module, "author") == 0)
        return strstr(kept->config, "tables = ") == NULL ? NULL : "its tables are not in a case";
    if (strcmp(module, "dkim") == 0)
        return dkim_obstacle(kept);
    if (strcmp(module, "dmarc") != 0)
        return NULL;
    if (header_obstacle(kept) == NULL && is_listed(&kept->modules, "dkim") &&
        dkim_obstacle(kept) != NULL)
        return "it needs what dkim found";
    return header_obstacle(kept);
}

/* The modules that are played, as an option; NULL when memory is short. */
static const char *choose_modules(struct replay *replay, struct am_strlist *played)
{
    const char *text = "milter.modules=";

    replay->all_said = true;
    for (size_t i = 0; i < replay->kept.modules.count && text != NULL; i++) {
        const char *name = replay->kept.modules.items[i];
        const char *why = obstacle(&replay->kept, name);
        bool known = false;

        for (const struct am_module *const *m = am_run_modules; *m != NULL; m++)
            known = known || strcmp((*m)->name, name) == 0;
        if (!known)
            why = "this program has no such module";
        if (why != NULL) {
            replay->all_said = replay->all_said && known && is_unseen(&replay->kept) &&
                               (strcmp(name, "dkim") == 0 || strcmp(name, "dmarc") == 0);
            if (!add(replay, &replay->left_out,
                     am_arena_printf(replay->arena, "%s: %s", name, why)))
                return NULL;
            continue;
        }
        text = am_arena_printf(replay->arena, "%s%s%s", text, played->count == 0 ? "" : ",", name);
        if (!add(replay, played, name))
            return NULL;
    }
    return text;
}

/* --- the configuration --- */

/*
 * Sockets, users, files of keys and the like are of the machine that kept the case. The text is
 * that of --show-config: a section's options stand below its name, one a line, lists on several.
 */
static const char *const of_the_machine[] = {
    "milter.socket=",
    "milter.user=",
    "milter.group=",
    "milter.pid_file=",
    "milter.control_socket=",
    "milter.metrics_listen=",
    "milter.log_target=stderr",
    "milter.transport=native",
    "capture.when=",
    "capture.sample=0",
    "dkim.key_directory=",
    "dkim.key_table=",
    "dkim.signing_table=",
    "dkim.managed_keys=",
    "srs.domain=",
    "dmarc.report_store=",
};
#define MACHINE_COUNT (sizeof(of_the_machine) / sizeof(of_the_machine[0]))

static struct am_runtime *open_runtime(struct replay *replay, const char *config,
                                       const char *modules, const struct am_clock *clock,
                                       struct am_resolver *resolver, struct am_problem *problem)
{
    const char *overrides[MACHINE_COUNT + 2];
    struct am_runtime_source source = {
        .modules = am_run_modules,
        .schema = am_runtime_schema(replay->arena, am_run_modules),
        .path = config == NULL ? "the configuration of the case" : config,
        .text = config == NULL ? replay->kept.config : NULL,
        .overrides = overrides,
        .override_count = MACHINE_COUNT + 2,
        .clock = clock,
        .resolver = resolver,
        .reporter = am_play_reporter(),
        .check_only = true,
    };

    memcpy(overrides, of_the_machine, sizeof(of_the_machine));
    overrides[MACHINE_COUNT] = modules;
    overrides[MACHINE_COUNT + 1] =
        am_arena_printf(replay->arena, "authres.authserv_id=%s", replay->kept.authserv_id);
    if (source.schema == NULL || overrides[MACHINE_COUNT + 1] == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    return am_runtime_load(&source, NULL, problem);
}

/* --- playing --- */

struct body {
    struct am_span rest;
};

static bool hand_out(void *user, struct am_span *chunk, struct am_problem *problem)
{
    struct body *body = user;

    (void)problem;
    *chunk = body->rest;
    body->rest = am_span_of(NULL, 0);
    return true;
}

static bool play(struct replay *replay, struct am_runtime *runtime,
                 struct am_resolver *conn_resolver, struct am_problem *problem)
{
    const struct am_case *kept = &replay->kept;
    struct body body = {kept->body};
    const struct am_play_mail mail = {
        .client = kept->client,
        .client_name = kept->client_name,
        .helo = kept->helo,
        .sender = kept->sender,
        .sender_params = kept->sender_params,
        .recipients = kept->recipients,
        .macros = kept->macros,
        .macro_count = kept->macro_count,
        .fields = kept->fields,
        .field_count = kept->field_count,
        .body = hand_out,
        .body_user = &body,
        .role = (enum am_role)kept->role,
        .conn_resolver = conn_resolver,
    };

    return am_play(runtime, &mail, replay->arena, &replay->outcome, problem);
}

/* --- comparing --- */

static const char *cut(struct am_arena *arena, const char *text)
{
    if (text == NULL)
        return "nothing";
    return strlen(text) <= SHOWN_MAX ? text : am_arena_printf(arena, "%.*s[...]", SHOWN_MAX, text);
}

static bool differ(struct replay *replay, const char *what, const char *was, const char *is)
{
    return add(replay, &replay->differences,
               am_arena_printf(replay->arena, "%s: was %s, is %s", what, cut(replay->arena, was),
                               cut(replay->arena, is)));
}

static bool is_same(const struct replay *replay, const char *was, const char *is)
{
    if (was == NULL || is == NULL)
        return was == is;
    return replay->kept.addresses_kept ? strcmp(was, is) == 0 : am_capture_hidden_equals(was, is);
}

/* Returns "spf=pass reason smtp.mailfrom=..." */
static const char *result_text(struct am_arena *arena, const struct am_result *result)
{
    const char *text = am_arena_printf(arena, "%s=%s%s%s", result->method, result->result,
                                       result->reason == NULL ? "" : " ",
                                       result->reason == NULL ? "" : result->reason);

    for (size_t i = 0; text != NULL && i < result->property_count; i++)
        text = am_arena_printf(arena, "%s %s.%s=%.*s", text, result->properties[i].ptype,
                               result->properties[i].property, (int)result->properties[i].value.len,
                               result->properties[i].value.ptr);
    return text;
}

/* The results of modules that are played, one after the other. */
static const char *next_result(struct replay *replay, const struct am_results *results,
                               const struct am_strlist *played, size_t *at)
{
    for (; *at < results->count; ++*at)
        if (is_listed(played, results->modules[*at]))
            return result_text(replay->arena, &results->items[(*at)++]);
    return NULL;
}

static bool compare_results(struct replay *replay, const struct am_strlist *played)
{
    size_t was_at = 0, is_at = 0;

    for (;;) {
        const char *was = next_result(replay, &replay->kept.outcome.results, played, &was_at);
        const char *is = next_result(replay, &replay->outcome.results, played, &is_at);
        if (was == NULL && is == NULL)
            return true;
        if (!is_same(replay, was, is) && !differ(replay, "result", was, is))
            return false;
    }
}

static bool compare_lists(struct replay *replay, const char *what, const struct am_strlist *was,
                          const struct am_strlist *is)
{
    for (size_t i = 0; i < was->count || i < is->count; i++) {
        const char *one = i < was->count ? was->items[i] : NULL;
        const char *other = i < is->count ? is->items[i] : NULL;
        if (!is_same(replay, one, other) && !differ(replay, what, one, other))
            return false;
    }
    return true;
}

/*
 * With a module left out, its part in field and verdict is left out, too. Edits are told apart only
 * where the header is there that they were made to, with the addresses that they hold.
 */
static bool compare(struct replay *replay, const struct am_strlist *played)
{
    const struct am_outcome *was = &replay->kept.outcome, *is = &replay->outcome;
    /* Who had nothing to look at had no say, and nothing is lost of what the others said. */
    bool all = replay->left_out.count == 0 || replay->all_said;
    bool whole =
        all && replay->kept.addresses_kept && strcmp(replay->kept.header_kept, "full") == 0;

    if (!compare_results(replay, played))
        return false;
    if (!all && (was->module == NULL || !is_listed(played, was->module)) && is->module == NULL)
        return true;
    if (!is_same(replay, was->action, is->action) &&
        !differ(replay, "action", was->action, is->action))
        return false;
    if (!is_same(replay, was->reply, is->reply) && !differ(replay, "reply", was->reply, is->reply))
        return false;
    if (!is_same(replay, was->quarantine, is->quarantine) &&
        !differ(replay, "quarantine", was->quarantine, is->quarantine))
        return false;
    if (!is_same(replay, was->observed, is->observed) &&
        !differ(replay, "observed", was->observed, is->observed))
        return false;
    if (all && !compare_lists(replay, "refused recipient", &was->refused, &is->refused))
        return false;
    return !whole || compare_lists(replay, "edit", &was->edits, &is->edits);
}

static bool list_missed(struct replay *replay, const struct am_dns_recording *missed)
{
    for (const struct am_dns_recorded *item = missed->first; item != NULL; item = item->next)
        if (!add(replay, &replay->missed,
                 am_arena_printf(replay->arena, "%s %s", am_dns_type_word(item->type), item->name)))
            return false;
    return true;
}

/* Two resolvers that answer from the case: for the message, and for its connection. */
struct answers {
    struct am_dns_recording missed;
    struct am_resolver *message, *connection;
};

static bool answers_init(struct answers *answers, const struct replay *replay)
{
    const struct am_case *kept = &replay->kept;
    bool (*equals)(const char *, const char *) =
        kept->addresses_kept ? NULL : am_capture_hidden_equals;

    am_dns_recording_init(&answers->missed, replay->arena);
    answers->message = am_dns_replay_new(&kept->dns, &answers->missed);
    answers->connection = am_dns_replay_new(&kept->conn_dns, &answers->missed);
    if (answers->message == NULL || answers->connection == NULL)
        return false;
    am_dns_replay_beside(answers->message, &kept->conn_dns, equals);
    am_dns_replay_beside(answers->connection, &kept->dns, equals);
    return true;
}

static void answers_fini(struct answers *answers)
{
    am_resolver_free(answers->message);
    am_resolver_free(answers->connection);
}

static bool play_and_compare(struct replay *replay, const char *config, struct am_problem *problem)
{
    struct case_clock clock = {{monotonic_us, wall_s}, replay->kept.time_s};
    struct am_strlist played = {NULL, 0};
    const char *modules = choose_modules(replay, &played);
    struct answers answers;

    if (modules == NULL)
        return am_problem_set(problem, "out of memory");
    if (played.count == 0)
        return am_problem_set(problem, "none of the modules of the case can be replayed");
    if (!answers_init(&answers, replay)) {
        answers_fini(&answers);
        return am_problem_set(problem, "out of memory");
    }
    struct am_runtime *runtime =
        open_runtime(replay, config, modules, &clock.clock, answers.message, problem);
    bool good = runtime != NULL && play(replay, runtime, answers.connection, problem);
    if (good && !(compare(replay, &played) && list_missed(replay, &answers.missed)))
        good = am_problem_set(problem, "out of memory");
    if (runtime != NULL)
        am_snapshot_drop(&runtime->snapshot);
    answers_fini(&answers);
    return good;
}

bool replay_case(struct replay *replay, const char *path, const char *config,
                 struct am_problem *problem)
{
    struct am_problem inner;

    if (!am_case_load(&replay->kept, replay->arena, path, problem))
        return false;
    return play_and_compare(replay, config, &inner) ||
           am_problem_set(problem, "%s: %s", path, inner.text);
}
