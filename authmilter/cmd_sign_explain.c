#include <stdio.h>

#include "authmilter/cmd_sign.h"
#include "authmilter/run_modules.h"
#include "authmilter/command.h"
#include "authmilter/tool_key.h"
#include "common/base/log.h"
#include "common/mail/domain.h"
#include "common/milter/runtime.h"
#include "dkim-milter/dkim_keys.h"
#include "dkim-milter/dkim_module.h"
#include "dkim-milter/dkim_module_managed.h"
#include "dkim-milter/dkim_options.h"
#include "dkim-milter/dkim_role.h"

#define USUAL_CONFIG "/etc/authmilter/dkim-milter.conf"

/* Reads the keys as dkim-milter would, as the user it becomes. */
static struct dkim_keys *open_keys(const struct am_config *config, const struct dkim_conf *conf,
                                   struct am_arena *arena, struct am_problem *problem)
{
    const struct am_milter_options *milter = am_config_section(config, "milter");
    const struct dkim_keys_source source = {
        .key_directory = conf->key_directory,
        .key_table = conf->key_table,
        .signing_table = conf->signing_table,
    };
    struct dkim_key_reader reader;

    if (!dkim_options_check(conf, config, problem) ||
        !dkim_key_reader_find(&reader, milter->user, milter->group, problem))
        return NULL;
    const struct dkim_keys_env env = {.arena = arena, .reader = &reader};
    struct dkim_keys *keys = dkim_keys_open(&source, &env, problem);
    if (keys != NULL && dkim_keys_count(keys) == 0 && dkim_keys_warnings(keys) != NULL &&
        reader.uid == 0)
        fputs("authmilter sign: warning: the key files were judged for root: name the user that "
              "signs in milter.user, or run this as that user\n",
              stderr);
    return keys;
}

static void print_text(const char *name, const char *text)
{
    struct am_buf escaped;

    am_buf_init(&escaped, 0);
    am_log_escape(&escaped, am_span_str(text));
    printf("    %-10s %s\n", name, am_buf_str(&escaped));
    am_buf_fini(&escaped);
}

static void print_key(const struct dkim_signing_key *key)
{
    printf("d=%s s=%s: %s, %u bits\n", key->domain, key->selector,
           dkim_algorithm_word(dkim_private_key_type(key->key)), dkim_private_key_bits(key->key));
    print_text("key", key->name);
    print_text("file", key->path);
    if (key->identity != NULL)
        print_text("i=", key->identity);
    if (key->expire_s >= 0)
        printf("    %-10s %lld s\n", "expires in", (long long)key->expire_s);
    for (size_t i = 0; key->signed_deltas != NULL && i < key->signed_deltas->count; i++)
        print_text("fields", key->signed_deltas->items[i]);
}

/*
 * Finds the managed keys of a domain as they stand, without asking the DNS. Returns whether there
 * are any that sign.
 */
static bool find_managed(const struct am_config *config, struct am_arena *arena,
                         const struct am_address *address, struct dkim_keys_choice *choice)
{
    const struct dkim_conf *conf = am_config_section(config, "dkim");
    const struct am_conf_env env = {
        .config = config, .clock = am_clock_system(), .arena = arena, .check_only = true};
    const char *domain = am_domain_to_ascii(arena, address->domain);
    struct am_problem problem;

    choice->count = 0;
    if (conf->managed_keys[0] == '\0' || domain == NULL)
        return false;
    struct dkim_rotor *rotor = dkim_managed_open(conf, &env, NULL, &problem);
    if (rotor == NULL) {
        fprintf(stderr, "authmilter sign: warning: %s\n", problem.text);
        return false;
    }
    struct dkim_rotor_answer answer = dkim_rotor_find(rotor, arena, domain, choice);
    if (answer.sentence != NULL)
        fprintf(stderr, "authmilter sign: warning: %s\n", answer.sentence);
    dkim_rotor_drop(rotor);
    return choice->count > 0;
}

/* Prints which keys sign. Returns the exit status. */
static int print_choice(const struct am_config *config, const struct dkim_keys *keys,
                        struct am_arena *arena, const struct am_address *address)
{
    const struct dkim_conf *conf = am_config_section(config, "dkim");
    struct dkim_keys_choice choice;

    for (const struct dkim_keys_warning *warning = dkim_keys_warnings(keys); warning != NULL;
         warning = warning->next)
        fprintf(stderr, "authmilter sign: warning: %s\n", warning->sentence);
    if (!find_managed(config, arena, address, &choice))
        dkim_keys_find(keys, arena, address, &choice);
    if (choice.rule == NULL)
        return sign_unavailable("out of memory");
    printf("%s %.*s: %zu signature%s\n",
           conf->sign_by == DKIM_SIGN_BY_FROM ? "From" : "envelope sender",
           (int)address->domain.len, address->domain.ptr, choice.count,
           choice.count == 1 ? "" : "s");
    print_text("found", choice.rule);
    for (size_t i = 0; i < choice.count; i++)
        print_key(choice.keys[i]);
    if (conf->mode == DKIM_MODE_VERIFY)
        puts("Nothing is signed all the same: dkim.mode is verify.");
    if (fflush(stdout) != 0)
        return sign_unavailable("standard output cannot be written");
    return choice.count > 0 && conf->mode != DKIM_MODE_VERIFY ? 0 : SIGN_EXIT_UNSIGNED;
}

static int explain(struct am_arena *arena, const struct am_config *config,
                   const struct am_address *address)
{
    const struct dkim_conf *conf = am_config_section(config, "dkim");
    struct am_problem problem;
    struct dkim_keys *keys = open_keys(config, conf, arena, &problem);

    if (keys == NULL)
        return sign_unavailable(problem.text);
    return print_choice(config, keys, arena, address);
}

int sign_explain(const char *sender, const char *path)
{
    struct am_arena *arena = am_arena_new(65536, 0);
    struct am_address address;
    struct am_problem problem;

    if (arena == NULL)
        return sign_unavailable("out of memory");
    /* The file of dkim-milter, or that of the combined program, which has every section of it. */
    am_schema schema = am_runtime_schema(arena, am_run_modules);
    struct am_config *config = NULL;
    int status;
    if (schema != NULL)
        config = am_config_load(schema, path == NULL ? USUAL_CONFIG : path, NULL, 0, &problem);
    else
        am_problem_set(&problem, "out of memory");
    if (!am_address_parse(&address, am_span_str(sender)) || address.domain.len == 0)
        status = sign_wrong_usage("--explain-sender takes an address, as in user@example.org");
    else if (config == NULL)
        status = sign_unavailable(problem.text);
    else
        status = explain(arena, config, &address);
    am_arena_free(arena);
    am_config_free(config);
    return status;
}
