#include "authmilter/cmd_sign.h"

#include <getopt.h>

#include "authmilter/command.h"
#include "authmilter/tool_options.h"

/* What is being read from the command line: names stand for the keys that follow. */
struct arguments {
    struct sign_arguments sign;
    const char *domain, *selector;
    const char *sender, *config; /* to be explained */
    struct am_arena *arena;
};

static bool take_key(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *reader = arguments;
    struct sign_arguments *args = &reader->sign;

    if (reader->domain == NULL || reader->selector == NULL)
        return am_problem_set(problem, "--domain and --selector have to stand before --key");
    if (args->key_count == SIGN_KEYS_MAX)
        return am_problem_set(problem, "more than %d keys", SIGN_KEYS_MAX);
    args->keys[args->key_count++] = (struct sign_key){reader->domain, reader->selector, text};
    reader->selector = NULL;
    return true;
}

static bool read_canon(struct am_span word, enum dkim_canon *canon)
{
    bool simple = am_span_equal(word, am_span_str("simple"));

    *canon = simple ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED;
    return simple || am_span_equal(word, am_span_str("relaxed"));
}

static bool take_canonicalization(void *arguments, const char *word, struct am_problem *problem)
{
    struct sign_arguments *args = &((struct arguments *)arguments)->sign;
    struct am_span text = am_span_str(word);
    size_t slash = am_span_find(text, '/');

    if (slash < text.len && read_canon(am_span_of(text.ptr, slash), &args->header_canon) &&
        read_canon(am_span_of(text.ptr + slash + 1, text.len - slash - 1), &args->body_canon))
        return true;
    return am_problem_set(problem,
                          "--canonicalization takes simple or relaxed twice, as in relaxed/simple");
}

/* Adds the items of a comma-separated list. */
static bool take_deltas(struct am_arena *arena, struct am_strlist *list, const char *text,
                        struct am_problem *problem)
{
    struct am_span rest = am_span_str(text);

    for (size_t len = 0; len < rest.len;) {
        rest = am_span_of(rest.ptr + len, rest.len - len);
        len = am_span_find(rest, ',');
        const char *item = am_arena_copy(arena, am_span_of(rest.ptr, len));
        if (item == NULL)
            return am_problem_set(problem, "out of memory");
        if (list->count == SIGN_DELTAS_MAX)
            return am_problem_set(problem, "more than %d changes of a list", SIGN_DELTAS_MAX);
        if (!dkim_sign_delta_check(item, problem))
            return false;
        list->items[list->count++] = item;
        len += len < rest.len;
    }
    return true;
}

static bool take_headers(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *reader = arguments;

    return take_deltas(reader->arena, &reader->sign.headers, text, problem);
}

static bool take_oversign(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *reader = arguments;

    return take_deltas(reader->arena, &reader->sign.oversign, text, problem);
}

static bool take_expire(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *reader = arguments;
    static const struct am_option row = {
        .name = "--expire",
        .kind = AM_OPTION_DURATION,
        .min = 1000,
        .max = INT64_C(1000) * 60 * 60 * 24 * 3650,
        .help = "",
    };
    int64_t expire_ms;

    if (!am_option_parse(&row, text, &expire_ms, reader->arena, problem))
        return false;
    reader->sign.expire_s = expire_ms / 1000;
    return true;
}

static bool take_now(void *arguments, const char *text, struct am_problem *problem)
{
    struct arguments *reader = arguments;

    return tool_clock_set(&reader->sign.clock, text, problem);
}

static const struct tool_option options[] = {
    TOOL_TEXT("domain", domain),
    TOOL_TEXT("selector", selector),
    TOOL_CALL("key", take_key),
    TOOL_CALL("canonicalization", take_canonicalization),
    TOOL_CALL("headers", take_headers),
    TOOL_CALL("oversign", take_oversign),
    TOOL_CALL("expire", take_expire),
    TOOL_TEXT("identity", sign.identity),
    TOOL_FLAG("copied-fields", sign.copied_fields),
    TOOL_CALL("now", take_now),
    TOOL_FLAG("message", sign.message),
    TOOL_TEXT("explain-sender", sender),
    TOOL_TEXT("config", config),
    {0},
};

static const char help[] =
    "usage: authmilter sign --domain NAME --selector NAME --key FILE [OPTION...] FILE\n"
    "       authmilter sign --explain-sender ADDRESS [--config FILE]\n\n"
    "Signs a message with DKIM (RFC 6376) as dkim-milter does, and prints the\n"
    "DKIM-Signature field. FILE holds one message; - is standard input.\n\n"
    "  --domain DOMAIN       the signing domain, d=\n"
    "  --selector NAME       the key's name in that domain, s=\n"
    "  --key FILE            the private key, for the domain and selector before it;\n"
    "                        a further selector and key make a further signature\n"
    "  --canonicalization C  simple or relaxed, for header/body; both: relaxed\n"
    "  --headers LIST        changes of the signed fields, as in +X-Loop,-References\n"
    "  --oversign LIST       changes of the fields that nobody may add, likewise\n"
    "  --expire TIME         x= so long after now, as in 30d\n"
    "  --identity ID         i=, as in @lists.example.org\n"
    "  --copied-fields       z=, a copy of the signed fields\n"
    "  --now TIME            t=: seconds since 1970, or as in 2026-11-21T08:30:00Z\n"
    "  --message             print the whole signed message\n"
    "  --explain-sender ADR  tell which keys of dkim-milter would sign, and why\n"
    "  --config FILE         its configuration [/etc/authmilter/dkim-milter.conf]\n\n"
    "Exit status: 0 signed, or there are keys; 1 not a message that can be signed, or\n"
    "there is no key; 64 wrong usage, 69 something needed is not available.\n";

static const struct tool_usage usage = {.command = "sign", .help = help, .options = options};

int sign_wrong_usage(const char *what)
{
    return tool_refuse(&usage, what);
}

int sign_unavailable(const char *what)
{
    return tool_unavailable(&usage, what);
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *reader)
{
    struct sign_arguments *args = &reader->sign;

    args->header_canon = args->body_canon = DKIM_CANON_RELAXED;
    args->headers.items = args->header_items;
    args->oversign.items = args->oversign_items;
    tool_clock_init(&args->clock);
    int status = tool_options_read(&usage, argc, argv, reader);
    if (status >= 0)
        return status;
    if (reader->sender != NULL)
        return optind == argc && args->key_count == 0
                   ? -1
                   : sign_wrong_usage("--explain-sender signs nothing: no file, no key");
    if (reader->config != NULL)
        return sign_wrong_usage("--config is for --explain-sender");
    if (args->key_count == 0)
        return sign_wrong_usage("--domain, --selector and --key are needed");
    if (reader->selector != NULL)
        return sign_wrong_usage("a --selector without a --key after it");
    if (argc - optind != 1)
        return sign_wrong_usage(optind < argc ? "more than one file" : "the file is missing");
    args->file = argv[optind];
    return -1;
}

static int run(int argc, char **argv)
{
    struct am_arena *arena = am_arena_new(4096, 0);
    struct arguments reader = {.arena = arena};

    if (arena == NULL)
        return sign_unavailable("out of memory");
    int status = read_arguments(argc, argv, &reader);
    if (status < 0)
        status = reader.sender == NULL ? sign_run(&reader.sign)
                                       : sign_explain(reader.sender, reader.config);
    am_arena_free(arena);
    return status;
}

const struct am_command am_command_sign = {
    .name = "sign",
    .summary = "sign a message with DKIM",
    .run = run,
};
