#include "authmilter/report_conf.h"

#include <unistd.h>

#include "common/mail/domain.h"
#include "dmarc-milter/dmarc_place.h"
#include "dmarc-milter/dmarc_rua.h"

static bool check_address(const char *value, struct am_problem *problem)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    bool good =
        *value == '\0' || (arena != NULL && dmarc_rua_address(arena, am_span_str(value)) != NULL);

    am_arena_free(arena);
    return good ||
           am_problem_set(problem, "'%s' is no plain address such as dmarc@example.org", value);
}

static bool check_path(const char *value, struct am_problem *problem)
{
    return *value == '/' || am_problem_set(problem, "'%s' is no full path", value);
}

static bool check_stream(const char *value, struct am_problem *problem)
{
    struct dmarc_place place;

    if (*value == '\0')
        return true;
    if (!dmarc_place_parse(&place, value, problem))
        return false;
    return place.is_redis ||
           am_problem_set(problem, "'%s' is a file; that is what database is for", value);
}

#define ROW(NAME, KIND) .name = #NAME, .kind = KIND, .offset = offsetof(struct report_conf, NAME)

static const struct am_option options[] = {
    {ROW(database, AM_OPTION_TEXT), .fallback = "/var/lib/authmilter/dmarc.db",
     .help = "SQLite file with rows, reports and deliveries"},
    {ROW(stream, AM_OPTION_TEXT), .fallback = "", .check = check_stream,
     .help = "stream of a Redis server that rows are taken from first; empty = none"},
    {ROW(receiver, AM_OPTION_TEXT), .fallback = "",
     .help = "our domain name in reports; empty = the name of this host"},
    {ROW(org_name, AM_OPTION_TEXT), .fallback = "",
     .help = "name of the organisation; empty = receiver"},
    {ROW(email, AM_OPTION_TEXT), .fallback = "", .check = check_address,
     .help = "whom to write to about reports, and From; empty = postmaster@receiver"},
    {ROW(extra_contact_info, AM_OPTION_TEXT), .fallback = "",
     .help = "further contact information, such as the address of a page"},
    {ROW(sender, AM_OPTION_TEXT), .fallback = "", .check = check_address,
     .help = "envelope sender, who gets bounces; empty = email"},
    {ROW(sendmail, AM_OPTION_TEXT), .fallback = "/usr/sbin/sendmail", .check = check_path,
     .help = "program that takes the mails"},
    {ROW(max_reports, AM_OPTION_INT), .fallback = "1000", .min = 1, .max = 100000,
     .help = "most domains and days that reports are made of in one run"},
    {ROW(max_mails, AM_OPTION_INT), .fallback = "5000", .min = 1, .max = 1000000,
     .help = "most mails of one run"},
    {ROW(max_recipients, AM_OPTION_INT), .fallback = "5", .min = 1, .max = DMARC_RUA_MAX,
     .help = "most addresses of one domain that are used"},
    {ROW(max_size, AM_OPTION_SIZE), .fallback = "10M", .min = 65536, .max = 50 << 20,
     .help = "largest mail; larger reports are split"},
    {0},
};

const struct am_section report_conf_section = {
    .name = "report",
    .help = "aggregate reports",
    .options = options,
    .size = sizeof(struct report_conf),
};

static const struct am_section *const schema[] = {&report_conf_section, NULL};

/* Fills in what follows from other values. */
static bool complete(struct report_conf *conf, struct am_arena *arena, struct am_problem *problem)
{
    char host[256] = "";

    if (conf->receiver[0] == '\0') {
        (void)gethostname(host, sizeof(host) - 1);
        conf->receiver = host;
    }
    const char *name = am_domain_to_ascii(arena, am_span_str(conf->receiver));
    if (name == NULL || !am_domain_is_multi_label(am_span_str(name)))
        return am_problem_set(problem,
                              "'%s' is no full domain name to report under; name one: --receiver "
                              "mx.example.org, or report.receiver",
                              conf->receiver);
    conf->receiver = name;
    if (conf->org_name[0] == '\0')
        conf->org_name = name;
    if (conf->email[0] == '\0')
        conf->email = am_arena_printf(arena, "postmaster@%s", name);
    else
        conf->email = dmarc_rua_address(arena, am_span_str(conf->email));
    if (conf->sender[0] == '\0')
        conf->sender = conf->email;
    else
        conf->sender = dmarc_rua_address(arena, am_span_str(conf->sender));
    return (conf->email != NULL && conf->sender != NULL) ||
           am_problem_set(problem, "out of memory");
}

const struct report_conf *report_conf_load(const char *path, const char *const *overrides,
                                           size_t override_count, struct am_arena *arena,
                                           struct am_config **config, struct am_problem *problem)
{
    struct report_conf *conf = am_arena_alloc(arena, sizeof(*conf));

    if (path == NULL && access(REPORT_CONF_USUAL, F_OK) == 0)
        path = REPORT_CONF_USUAL;
    *config = NULL;
    if (conf == NULL) {
        am_problem_set(problem, "out of memory");
        return NULL;
    }
    *config = am_config_load(schema, path, overrides, override_count, problem);
    if (*config == NULL)
        return NULL;
    *conf = *(const struct report_conf *)am_config_section(*config, "report");
    return complete(conf, arena, problem) ? conf : NULL;
}
