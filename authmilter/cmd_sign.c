#include "authmilter/cmd_sign.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "authmilter/command.h"

/* What is being read from the command line: names stand for the keys that follow. */
struct reader {
    struct sign_arguments *args;
    const char *domain, *selector;
    const char *sender, *config; /* to be explained */
    struct am_arena *arena;
};

enum {
    OPTION_DOMAIN = 256,
    OPTION_SELECTOR,
    OPTION_KEY,
    OPTION_CANONICALIZATION,
    OPTION_HEADERS,
    OPTION_OVERSIGN,
    OPTION_EXPIRE,
    OPTION_IDENTITY,
    OPTION_COPIED_FIELDS,
    OPTION_NOW,
    OPTION_MESSAGE,
    OPTION_EXPLAIN_SENDER,
    OPTION_CONFIG,
    OPTION_HELP,
};

static const struct option options[] = {
    {"domain", required_argument, NULL, OPTION_DOMAIN},
    {"selector", required_argument, NULL, OPTION_SELECTOR},
    {"key", required_argument, NULL, OPTION_KEY},
    {"canonicalization", required_argument, NULL, OPTION_CANONICALIZATION},
    {"headers", required_argument, NULL, OPTION_HEADERS},
    {"oversign", required_argument, NULL, OPTION_OVERSIGN},
    {"expire", required_argument, NULL, OPTION_EXPIRE},
    {"identity", required_argument, NULL, OPTION_IDENTITY},
    {"copied-fields", no_argument, NULL, OPTION_COPIED_FIELDS},
    {"now", required_argument, NULL, OPTION_NOW},
    {"message", no_argument, NULL, OPTION_MESSAGE},
    {"explain-sender", required_argument, NULL, OPTION_EXPLAIN_SENDER},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void print_help(void)
{
    fputs(
        "usage: authmilter sign --domain DOMAIN --selector NAME --key FILE [OPTION...] FILE\n"
        "       authmilter sign --explain-sender ADDRESS [--config FILE]\n\n"
        "Signs a message with DKIM (RFC 6376) as dkim-milter does, and prints the DKIM-Signature\n"
        "field. FILE holds one message; - is standard input.\n\n"
        "  --domain DOMAIN       the signing domain, d=\n"
        "  --selector NAME       the key's name in that domain, s=\n"
        "  --key FILE            the private key, for the domain and selector before it; with a\n"
        "                        further selector and key there is a further signature\n"
        "  --canonicalization C  simple or relaxed, for header/body; default: relaxed/relaxed\n"
        "  --headers LIST        changes of the signed fields, as in +X-Loop,-References\n"
        "  --oversign LIST       changes of the fields that nobody may add, likewise\n"
        "  --expire TIME         x= so long after now, as in 30d\n"
        "  --identity ID         i=, as in @lists.example.org\n"
        "  --copied-fields       z=, a copy of the signed fields\n"
        "  --now TIME            t=: seconds since 1970, or as in 2026-11-21T08:30:00Z\n"
        "  --message             print the whole signed message\n\n"
        "  --explain-sender ADDRESS  tell which keys of dkim-milter would sign for it, and why\n"
        "  --config FILE             its configuration; default:\n"
        "                            /etc/authmilter/dkim-milter.conf\n\n"
        "Exit status: 0 signed, or there are keys; 1 not a message that can be signed, or there\n"
        "is no key; 64 wrong usage, 69 something needed is not available.\n",
        stdout);
}

int sign_wrong_usage(const char *what)
{
    fprintf(stderr, "authmilter sign: %s; see 'authmilter sign --help'\n", what);
    return AM_EXIT_USAGE;
}

int sign_unavailable(const char *what)
{
    fprintf(stderr, "authmilter sign: %s\n", what);
    return AM_EXIT_UNAVAILABLE;
}

static bool refuse(const char *what)
{
    sign_wrong_usage(what);
    return false;
}

static bool take_key(struct reader *reader)
{
    struct sign_arguments *args = reader->args;

    if (reader->domain == NULL || reader->selector == NULL)
        return refuse("--domain and --selector have to stand before --key");
    if (args->key_count == SIGN_KEYS_MAX)
        return refuse("more than 8 keys");
    args->keys[args->key_count++] = (struct sign_key){reader->domain, reader->selector, optarg};
    reader->selector = NULL;
    return true;
}

static bool read_canon(struct am_span word, enum dkim_canon *canon)
{
    bool simple = am_span_equal(word, am_span_str("simple"));

    *canon = simple ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED;
    return simple || am_span_equal(word, am_span_str("relaxed"));
}

static bool take_canonicalization(struct sign_arguments *args)
{
    struct am_span text = am_span_str(optarg);
    size_t slash = am_span_find(text, '/');

    if (slash < text.len && read_canon(am_span_of(text.ptr, slash), &args->header_canon) &&
        read_canon(am_span_of(text.ptr + slash + 1, text.len - slash - 1), &args->body_canon))
        return true;
    return refuse("--canonicalization takes simple or relaxed twice, as in relaxed/simple");
}

/* Adds the items of a comma-separated list. */
static bool take_deltas(struct reader *reader, struct am_strlist *list)
{
    struct am_span rest = am_span_str(optarg);
    struct am_problem problem;

    for (size_t len = 0; len < rest.len;) {
        rest = am_span_of(rest.ptr + len, rest.len - len);
        len = am_span_find(rest, ',');
        const char *item = am_arena_copy(reader->arena, am_span_of(rest.ptr, len));
        if (item == NULL)
            return refuse("out of memory");
        if (list->count == SIGN_DELTAS_MAX)
            return refuse("more than 100 changes of a list");
        if (!dkim_sign_delta_check(item, &problem))
            return refuse(problem.text);
        list->items[list->count++] = item;
        len += len < rest.len;
    }
    return true;
}

static bool take_expire(struct reader *reader)
{
    static const struct am_option row = {
        .name = "--expire",
        .kind = AM_OPTION_DURATION,
        .min = 1000,
        .max = INT64_C(1000) * 60 * 60 * 24 * 3650,
        .help = "",
    };
    struct am_problem problem;
    int64_t expire_ms;

    if (!am_option_parse(&row, optarg, &expire_ms, reader->arena, &problem))
        return refuse(problem.text);
    reader->args->expire_s = expire_ms / 1000;
    return true;
}

static bool take_option(struct reader *reader, int option)
{
    struct sign_arguments *args = reader->args;
    struct am_problem problem;

    switch (option) {
    case OPTION_DOMAIN:
        reader->domain = optarg;
        return true;
    case OPTION_SELECTOR:
        reader->selector = optarg;
        return true;
    case OPTION_KEY:
        return take_key(reader);
    case OPTION_CANONICALIZATION:
        return take_canonicalization(args);
    case OPTION_HEADERS:
        return take_deltas(reader, &args->headers);
    case OPTION_OVERSIGN:
        return take_deltas(reader, &args->oversign);
    case OPTION_EXPIRE:
        return take_expire(reader);
    case OPTION_IDENTITY:
        args->identity = optarg;
        return true;
    case OPTION_COPIED_FIELDS:
        args->copied_fields = true;
        return true;
    case OPTION_NOW:
        return tool_clock_set(&args->clock, optarg, &problem) || refuse(problem.text);
    case OPTION_MESSAGE:
        args->message = true;
        return true;
    case OPTION_EXPLAIN_SENDER:
        reader->sender = optarg;
        return true;
    case OPTION_CONFIG:
        reader->config = optarg;
        return true;
    default:
        return refuse("wrong usage");
    }
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct reader *reader)
{
    struct sign_arguments *args = reader->args;
    int option;

    args->header_canon = args->body_canon = DKIM_CANON_RELAXED;
    args->headers.items = args->header_items;
    args->oversign.items = args->oversign_items;
    tool_clock_init(&args->clock);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            print_help();
            return 0;
        }
        if (!take_option(reader, option))
            return AM_EXIT_USAGE;
    }
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
    struct sign_arguments args = {.key_count = 0};
    struct reader reader = {.args = &args, .arena = arena};

    if (arena == NULL)
        return sign_unavailable("out of memory");
    int status = read_arguments(argc, argv, &reader);
    if (status < 0)
        status =
            reader.sender == NULL ? sign_run(&args) : sign_explain(reader.sender, reader.config);
    am_arena_free(arena);
    return status;
}

const struct am_command am_command_sign = {
    .name = "sign",
    .summary = "sign a message with DKIM",
    .run = run,
};
