/* The option rows of the sections every program has. */

#include <stddef.h>
#include <string.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/dns/dns_live.h"
#include "common/milter/capture.h"
#include "common/milter/listen.h"
#include "common/milter/listener.h"
#include "common/milter/metrics.h"
#include "common/milter/runtime.h"
#include "common/milter/transport.h"

static const struct am_choice failure_words[] = {
    {"accept", AM_FAILURE_ACCEPT},
    {"tempfail", AM_FAILURE_TEMPFAIL},
    {"reject", AM_FAILURE_REJECT},
    {"quarantine", AM_FAILURE_QUARANTINE},
    {NULL, 0},
};

static const struct am_choice transport_words[] = {
    {"libmilter", AM_TRANSPORT_LIBMILTER},
    {"native", AM_TRANSPORT_NATIVE},
    {NULL, 0},
};

static const struct am_choice scrub_words[] = {
    {"all", AM_SCRUB_ALL},
    {"own", AM_SCRUB_OWN},
    {"none", AM_SCRUB_NONE},
    {NULL, 0},
};

static const struct am_choice log_targets[] = {
    {"stderr", AM_LOG_STDERR},
    {"syslog", AM_LOG_SYSLOG},
    {NULL, 0},
};

static const struct am_choice log_formats[] = {
    {"keyvalue", AM_LOG_KEYVALUE},
    {"json", AM_LOG_JSON},
    {NULL, 0},
};

static const struct am_choice log_levels[] = {
    {"error", AM_LOG_ERROR}, {"warning", AM_LOG_WARNING}, {"notice", AM_LOG_NOTICE},
    {"info", AM_LOG_INFO},   {"debug", AM_LOG_DEBUG},     {NULL, 0},
};

static const struct am_choice log_facilities[] = {
    {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"user", LOG_USER},     {"local0", LOG_LOCAL0},
    {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}, {NULL, 0},
};

/* --- judges of single values --- */

static bool check_path(const char *value, struct am_problem *problem)
{
    return value[0] == '\0' || value[0] == '/' ||
           am_problem_set(problem, "\"%s\" is no absolute path", value);
}

static bool check_authserv_id(const char *value, struct am_problem *problem)
{
    /* RFC 8601 section 2.2: a token or dotted name; quoting it would only find bad parsers. */
    for (const char *p = value; *p != '\0'; p++)
        if (!am_is_alnum((unsigned char)*p) && strchr("-._", *p) == NULL &&
            (unsigned char)*p < 0x80)
            return am_problem_set(problem,
                                  "\"%s\" is no authserv-id: it is a name such as "
                                  "mx.example.org, of letters, digits, dot, hyphen and underscore",
                                  value);
    return strlen(value) <= 255 || am_problem_set(problem, "an authserv-id has at most 255 bytes");
}

/* --- section milter --- */

#define ROW(NAME, KIND) .name = #NAME, .kind = KIND, .offset = offsetof(struct SECTION, NAME)
#define MS_ROW(NAME)                                                                               \
    .name = #NAME, .kind = AM_OPTION_DURATION, .offset = offsetof(struct SECTION, NAME##_ms)

#define SECTION am_milter_options
static const struct am_option milter_rows[] = {
    /* First: a program with one module has the rows behind it only. */
    {ROW(modules, AM_OPTION_LIST), .fallback = "", .help = "modules that run"},
    {ROW(socket, AM_OPTION_TEXT), .fallback = "", .check = am_listen_check_option,
     .flags = AM_OPTION_START_ONLY,
     .help = "where the MTA connects: unix:/path, inet:port@host or inet6:port@host; empty: "
             "unix:/var/spool/postfix/authmilter/PROGRAM.sock"},
    {ROW(role, AM_OPTION_CHOICE), .fallback = "auto", .choices = am_role_words,
     .flags = AM_OPTION_START_ONLY,
     .help = "what comes in at the socket: mail of others (inbound), of our users (submission), or "
             "both"},
    {ROW(socket_owner, AM_OPTION_TEXT), .fallback = "", .flags = AM_OPTION_START_ONLY,
     .help = "user that owns a unix socket; empty: as created"},
    {ROW(socket_group, AM_OPTION_TEXT), .fallback = "auto", .flags = AM_OPTION_START_ONLY,
     .help = "group of a unix socket; auto: postfix if there is such a group; empty: as created"},
    {ROW(socket_mode, AM_OPTION_INT), .fallback = "0660", .min = 0, .max = 0777,
     .flags = AM_OPTION_START_ONLY | AM_OPTION_OCTAL, .help = "mode of a unix socket, octal"},
    {ROW(transport, AM_OPTION_CHOICE), .fallback = "native", .choices = transport_words,
     .flags = AM_OPTION_START_ONLY,
     .help = "who speaks with the MTA: the native server, or Sendmail's libmilter"},
    {ROW(user, AM_OPTION_TEXT), .fallback = "", .flags = AM_OPTION_START_ONLY,
     .help = "user to run as when started as root; empty: no change"},
    {ROW(group, AM_OPTION_TEXT), .fallback = "", .flags = AM_OPTION_START_ONLY,
     .help = "primary group to run as; empty: the user's"},
    {ROW(pid_file, AM_OPTION_TEXT), .fallback = "", .check = check_path,
     .flags = AM_OPTION_START_ONLY, .help = "file that holds the process id; empty: none"},
    {ROW(backlog, AM_OPTION_INT), .fallback = "256", .min = 1, .max = 65535,
     .flags = AM_OPTION_START_ONLY, .help = "connections the system queues before they are taken"},
    {MS_ROW(connect_budget), .fallback = "10s", .min = 100, .max = 25000,
     .help = "most time for one step at connect and HELO; Postfix waits 30s"},
    {MS_ROW(envelope_budget), .fallback = "20s", .min = 100, .max = 25000,
     .help = "most time for one step at MAIL and RCPT; Postfix waits 30s"},
    {MS_ROW(message_budget), .fallback = "60s", .min = 100, .max = 280000,
     .help = "most time for all work at the end of a message; Postfix waits 300s"},
    {MS_ROW(drain), .fallback = "10s", .min = 0, .max = 600000,
     .help = "after TERM, messages under way may take this long"},
    {MS_ROW(idle_timeout), .fallback = "2h", .min = 10000, .max = 86400000,
     .flags = AM_OPTION_START_ONLY, .help = "an MTA connection silent for this long is closed"},
    {ROW(on_failure, AM_OPTION_CHOICE), .fallback = "accept", .choices = failure_words,
     .help = "what becomes of a message when a check cannot do its work"},
    {ROW(observe, AM_OPTION_BOOL), .fallback = "no",
     .help = "log and count what would have happened, carry out no verdict"},
    {ROW(observe_modules, AM_OPTION_LIST), .fallback = "",
     .help = "names of modules that only observe"},
    {ROW(shadow, AM_OPTION_BOOL), .fallback = "no",
     .help = "run behind another milter: compare results with its, change nothing"},
    {ROW(shadow_authserv_ids, AM_OPTION_LIST), .fallback = "", .check = check_authserv_id,
     .help = "authserv-ids whose results are compared with ours; empty: our own"},
    {ROW(max_headers, AM_OPTION_INT), .fallback = "20000", .min = 10, .max = 100000,
     .help = "header fields of one message that are looked at"},
    {ROW(max_header_bytes, AM_OPTION_SIZE), .fallback = "1M", .min = 4096, .max = 64 << 20,
     .help = "bytes of header fields of one message that are looked at"},
    {ROW(log_target, AM_OPTION_CHOICE), .fallback = "stderr", .choices = log_targets,
     .help = "where log lines go"},
    {ROW(log_format, AM_OPTION_CHOICE), .fallback = "keyvalue", .choices = log_formats,
     .help = "how the line of a message is written"},
    {ROW(log_level, AM_OPTION_CHOICE), .fallback = "info", .choices = log_levels,
     .help = "less important lines are left out"},
    {ROW(log_facility, AM_OPTION_CHOICE), .fallback = "mail", .choices = log_facilities,
     .help = "facility for syslog"},
    {ROW(control_socket, AM_OPTION_TEXT), .fallback = "", .check = check_path,
     .flags = AM_OPTION_START_ONLY,
     .help = "path of a unix socket for figures and reload; empty: none"},
    {ROW(recent_bytes, AM_OPTION_SIZE), .fallback = "256k", .min = 0, .max = 64 << 20,
     .flags = AM_OPTION_START_ONLY,
     .help = "memory for the latest lines of the log, told by the control socket; 0: none"},
    {ROW(top_entries, AM_OPTION_INT), .fallback = "500", .min = 0, .max = AM_TOP_ENTRIES_MAX,
     .flags = AM_OPTION_START_ONLY,
     .help = "domains that are told apart in the lists of the control socket; 0: none"},
    {ROW(metrics_listen, AM_OPTION_TEXT), .fallback = "", .check = am_metrics_check_option,
     .flags = AM_OPTION_START_ONLY,
     .help = "loopback address:port that serves /metrics and /healthz over HTTP; empty: none"},
    {0},
};
#undef SECTION

#define SECTION am_authres_options
static const struct am_option authres_rows[] = {
    {ROW(authserv_id, AM_OPTION_TEXT), .fallback = "", .check = check_authserv_id,
     .help = "our name in Authentication-Results; empty: the MTA's own name, else the host's"},
    {ROW(also_ours, AM_OPTION_LIST), .fallback = "", .check = check_authserv_id,
     .help = "further authserv-ids whose fields are removed as forged"},
    {ROW(scrub, AM_OPTION_CHOICE), .fallback = "all", .choices = scrub_words,
     .help = "which incoming Authentication-Results fields with our authserv-id are removed (over "
             "1,000: "
             "the message is refused): all; "
             "own: those with our methods; none"},
    {ROW(combine, AM_OPTION_BOOL), .fallback = "yes",
     .help = "one field for all results, or one for each method"},
    {ROW(add_header, AM_OPTION_BOOL), .fallback = "yes",
     .help = "add the Authentication-Results field"},
    {0},
};
#undef SECTION

#define SECTION am_dns_options
static const struct am_option dns_rows[] = {
    {ROW(nameservers, AM_OPTION_LIST), .fallback = "", .check = am_dns_live_check_nameserver,
     .help = "recursive name servers, as address or address:port; empty: those of resolv.conf"},
    {MS_ROW(timeout), .fallback = "2s", .min = 50, .max = 30000,
     .help = "how long one attempt waits for an answer"},
    {ROW(attempts, AM_OPTION_INT), .fallback = "2", .min = 1, .max = 10,
     .help = "rounds over the list of name servers"},
    {ROW(cache_size, AM_OPTION_INT), .fallback = "10000", .min = 0, .max = 10000000,
     .help = "most names kept in the cache; 0 switches it off"},
    {ROW(cache_bytes, AM_OPTION_SIZE), .fallback = "3M", .min = 0, .max = INT64_C(1) << 34,
     .help = "most memory of the cache; 0: 1k for each name"},
    {ROW(zone, AM_OPTION_TEXT), .fallback = "",
     .help = "master file that is served in place of any name server, for tests and tools"},
    {0},
};
#undef SECTION

static const struct am_section milter_section = {.name = "milter",
                                                 .help = "socket, process, budgets and log",
                                                 .options = milter_rows + 1,
                                                 .size = sizeof(struct am_milter_options)};

static const struct am_section authres_section = {.name = "authres",
                                                  .help = "the Authentication-Results field",
                                                  .options = authres_rows,
                                                  .size = sizeof(struct am_authres_options)};

static const struct am_section dns_section = {.name = "dns",
                                              .help = "how names are looked up",
                                              .options = dns_rows,
                                              .size = sizeof(struct am_dns_options)};

const struct am_section *const am_runtime_sections[] = {&milter_section,     &authres_section,
                                                        &dns_section,        &am_listener_section,
                                                        &am_capture_section, NULL};

/* Returns "spf,dkim": the default of milter.modules. NULL when memory is short. */
static const char *names_of(struct am_arena *arena, const struct am_module *const *modules)
{
    const char *names = "";

    for (; names != NULL && *modules != NULL; modules++)
        if (!(*modules)->on_request)
            names = am_arena_printf(arena, "%s%s%s", names, *names == '\0' ? "" : ",",
                                    (*modules)->name);
    return names;
}

const struct am_section *am_runtime_milter_section(struct am_arena *arena,
                                                   const struct am_module *const *modules)
{
    if (modules[0] == NULL || modules[1] == NULL)
        return &milter_section;
    struct am_section *section = am_arena_alloc(arena, sizeof(*section));
    struct am_option *rows = am_arena_alloc(arena, sizeof(milter_rows));
    const char *names = names_of(arena, modules);
    if (section == NULL || rows == NULL || names == NULL)
        return NULL;
    memcpy(rows, milter_rows, sizeof(milter_rows));
    rows[0].fallback = names;
    *section = milter_section;
    section->options = rows;
    return section;
}
