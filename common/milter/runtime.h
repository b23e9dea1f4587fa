#ifndef AM_MILTER_RUNTIME_H
#define AM_MILTER_RUNTIME_H

#include "common/base/snapshot.h"
#include "common/base/table.h"
#include "common/milter/capture_room.h"
#include "common/milter/counters.h"
#include "common/milter/module.h"
#include "common/milter/recent.h"
#include "common/milter/top.h"
#include "common/milter/watch.h"

/*
 * The runtime: one complete, checked, immutable configuration with everything
 * derived from it. A reload builds a new one beside the old and swaps them; a
 * connection keeps the one it began with.
 */

enum am_scrub { AM_SCRUB_ALL, AM_SCRUB_OWN, AM_SCRUB_NONE };
enum am_failure_action {
    AM_FAILURE_ACCEPT,
    AM_FAILURE_TEMPFAIL,
    AM_FAILURE_REJECT,
    AM_FAILURE_QUARANTINE
};

/* Section "milter": what every program of the suite understands. */
struct am_milter_options {
    struct am_strlist modules; /* those that run; empty in a program with one module, which has no
                                  such option */
    int role;                  /* enum am_role: of the socket */
    const char *socket; /* "unix:/path", "local:/path", "inet:port@host", "inet6:port@host"; "" = by
                           program name */
    const char *socket_owner,
        *socket_group;        /* names; "" = as created; group "auto" = Postfix's where possible */
    int64_t socket_mode;      /* octal */
    int transport;            /* enum am_transport_kind */
    const char *user, *group; /* run as; "" = stay */
    const char *pid_file;     /* "" = none */
    int64_t backlog;
    int64_t connect_budget_ms, envelope_budget_ms,
        message_budget_ms;   /* of one callback at connect/helo; at MAIL/RCPT; of all eom work */
    int64_t drain_ms;        /* at most this long after TERM */
    int64_t idle_timeout_ms; /* of an MTA connection */
    int on_failure;          /* enum am_failure_action */
    bool observe;            /* no verdict is carried out: log and count only */
    bool shadow; /* behind another milter: compare with what it has written, change nothing */
    struct am_strlist shadow_authserv_ids; /* whose results are compared; empty: our own id's */
    int64_t max_headers,
        max_header_bytes; /* of one message: beyond, the rest is not looked at and results say so */
    struct am_strlist observe_modules;     /* names of modules in observe mode */
    int log_target, log_format, log_level; /* enums of log.h */
    int log_facility;                      /* of syslog(3) */
    const char *control_socket;            /* unix path; "" = none */
    int64_t recent_bytes, top_entries;     /* of what the control socket tells; 0 = none */
    const char *metrics_listen;            /* "127.0.0.1:9100"; "" = none; loopback only */
};

/* Section "authres". */
struct am_authres_options {
    const char *authserv_id;     /* "" = the MTA's {j} macro, else the host name */
    struct am_strlist also_ours; /* further ids whose fields are removed as forged */
    int scrub;                   /* enum am_scrub: see am_scrub_* in scrub.h */
    bool combine;                /* one field for all results (yes) or one per method (no) */
    bool add_header;             /* no: publish to log and other modules only */
};

/* Section "dns". */
struct am_dns_options {
    struct am_strlist nameservers;
    int64_t timeout_ms, attempts, cache_size, cache_bytes;
    const char *zone; /* a master file served from memory in place of name servers; "" = none */
};

/* Most files that modules of one program may watch: a large site has a key file for each domain. */
#define AM_WATCHES_MAX 65536

/* Paths whose change asks for a reload; all of it lives in the runtime's arena. */
struct am_watches {
    struct am_watch_path *items;
    size_t count, capacity;
    struct am_table *known; /* paths that are there already */
};

/* A module with its configuration. */
struct am_runtime_module {
    const struct am_module *module;
    const void *conf;
    void *derived;
    unsigned wants, answers; /* sets of enum am_stage for this configuration */
    bool observe;
    bool opened;
};

struct am_session;
struct am_decision;

/* Somebody who is told of each message at its end, while all that is known of it is there. */
struct am_reporter {
    /*
     * action: "accept", "reject", ..., "aborted". decision: NULL when aborted.
     * Threads: the connection's; several at once. Blocking: the mail waits for it.
     */
    void (*report)(void *user, const struct am_session *session, const char *action,
                   const struct am_decision *decision);
    void *user;
};

struct am_runtime {
    struct am_snapshot snapshot; /* must be first */
    struct am_config *config;    /* owned by config_owner */
    struct am_snapshot *config_owner;
    const struct am_milter_options *milter;
    const struct am_authres_options *authres;
    struct am_runtime_module *modules; /* in dependency order */
    size_t module_count;
    struct am_resolver *resolver; /* shared with the former runtime when its options are equal */
    struct am_snapshot *resolver_owner;
    bool resolver_is_live; /* from name servers, not from a zone file */
    const struct am_clock *clock;
    struct am_counters *counters; /* of the process; not owned; may be NULL */
    struct am_recent *recent;     /* likewise */
    struct am_top *top;           /* likewise */
    struct am_arena *arena;       /* what derived objects live in */
    struct am_watches watches;
    const char *program; /* for cases; never NULL */
    struct am_capture_room capture_room;
    struct am_reporter reporter; /* all zero: nobody */
    const char *host_name; /* of this machine, for an authserv-id when nothing better is known */
    uint64_t generation;   /* 1 for the first */
};

/* The sections every program has: milter, authres, dns, listener, capture; ends with NULL. */
extern const struct am_section *const am_runtime_sections[];

/*
 * Returns the section milter of a program with these modules: with several, it has the option
 * `modules`, by default all of them. NULL when memory is short. Ownership: `arena`.
 */
const struct am_section *am_runtime_milter_section(struct am_arena *arena,
                                                   const struct am_module *const *modules);

/*
 * Builds the schema of a program: the common sections, then one per module and their extra ones.
 * Returns NULL when memory is short. Ownership: `arena`.
 */
am_schema am_runtime_schema(struct am_arena *arena, const struct am_module *const *modules);

struct am_runtime_source {
    const struct am_module *const *modules; /* ends with NULL */
    am_schema schema;
    const char *path;             /* of the file; NULL = none */
    const char *const *overrides; /* of -o */
    size_t override_count;
    const struct am_clock *clock;
    struct am_counters *counters;
    struct am_recent *recent;     /* NULL: nothing is kept */
    struct am_top *top;           /* NULL: nothing is counted */
    const char *program;          /* lives as long as the process; NULL = "" */
    const char *text;             /* of a configuration in place of `path`; NULL = none */
    struct am_resolver *resolver; /* in place of what the options say; not owned; NULL = none */
    struct am_reporter reporter;
    bool check_only;           /* open no live resolver */
    void (*before_wait)(void); /* called by a mail thread before it waits for the DNS; or NULL */
    bool keep_config; /* with `former`: take its configuration, read no file; modules open anew */
};

/*
 * Loads the file, checks it, sorts the modules, opens them and the resolver.
 *
 * former: the runtime in force, or NULL; options that cannot change while running keep its values
 * (a warning names them), and its resolver is shared when nothing about the DNS changed. Returns: a
 * runtime with one reference for the caller, or NULL with a sentence. Blocking: reads files.
 * Threads: one at a time.
 */
struct am_runtime *am_runtime_load(const struct am_runtime_source *source,
                                   struct am_runtime *former,
                                   struct am_problem *problem) AM_MUST_USE;

#endif
