#ifndef AM_MILTER_MODULE_H
#define AM_MILTER_MODULE_H

/*
 * HOW TO WRITE A MILTER
 *
 * A check is one constant `struct am_module` and the callbacks it names. The
 * framework does the rest: command line, configuration, privileges, sockets,
 * negotiation with the MTA, state, memory, time budgets, results, the
 * Authentication-Results field, logging, counters, reload and shutdown.
 *
 * The life of a connection. The MTA connects and offers what it can do. The
 * framework asks for exactly the steps that some module has a callback for
 * (or that it needs itself), asks the MTA not to wait at steps that no module
 * `answers`, and for the `actions` that modules declare. Then
 *
 *     connect   client address and name are known        am_ctx_conn()
 *     helo      HELO/EHLO name; comes again after STARTTLS
 *     ... any number of messages ...
 *     conn_end  memory of the connection goes with its arena right after
 *
 * The life of a message.
 *
 *     envfrom   envelope sender with its ESMTP parameters  am_ctx_msg()
 *     envrcpt   each recipient; also those the MTA refused, with AM_NEEDS_REJECTED_RCPT
 *     data      DATA command; from here on the queue id is known with Postfix
 *     header    each header field as it arrived, top first
 *     eoh       end of headers
 *     body      the body in chunks, as it flows
 *     eom       end of message: publish results, edit, give the verdict
 *     msg_end   exactly once for every envfrom, however the message ended
 *
 * A message can end at any point: RSET, a lost client, another module's
 * verdict. msg_end is for handles of other libraries; memory taken from
 * am_ctx_arena() needs no care. State lives in `msg_size` zeroed bytes per message
 * and `conn_size` per connection, for each module: am_ctx_msg_state(),
 * am_ctx_conn_state(). Callbacks of one connection come one at a time but on
 * changing threads: no locks are needed in that state, no thread-local
 * storage may be used. Different connections run in parallel.
 *
 * A worked example. A module `hello` with one option and one callback:
 *
 *     struct hello_conf { const char *word; };
 *     static const struct am_option hello_options[] = {
 *         {.name = "word", .kind = AM_OPTION_TEXT, .offset = offsetof(struct hello_conf, word),
 *          .fallback = "hi", .help = "what to publish as the reason"},
 *         {0}};
 *     static enum am_verdict hello_eom(struct am_eom_ctx *eom)
 *     {
 *         struct am_ctx *ctx = am_eom_ctx_base(eom);
 *         const struct hello_conf *conf = am_ctx_conf(ctx);
 *         struct am_result result = {.method = "x-hello", .result = "pass", .reason = conf->word};
 *         am_ctx_publish(ctx, &result);
 *         return AM_CONTINUE;
 *     }
 *     const struct am_module hello_module = {
 *         .abi = AM_MODULE_ABI, .name = "hello", .summary = "says hello",
 *         .options = hello_options, .conf_size = sizeof(struct hello_conf),
 *         .eom = hello_eom};
 *
 * and in main.c: `AM_APP_MAIN("hello-milter", &hello_module)`.
 *
 * iprev-milter is the smallest complete one: an engine, its glue, a main.c, manual pages and tests.
 *
 * Time. Each stage has a deadline, am_ctx_deadline_us(), the smallest of the
 * stage's and the message's budget. The resolver takes it; work that does not
 * end by then is a failure of the module: return AM_FAIL.
 *
 * Failure. AM_FAIL means "I could not do my work". The framework publishes
 * `<method>=temperror` for the module unless it published something itself and applies
 * `milter.on_failure` (accept by default), or what the module says itself (`failure`). Nothing is
 * ever lost.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/ip.h"
#include "common/base/log.h"
#include "common/base/option.h"
#include "common/base/problem.h"
#include "common/base/span.h"
#include "common/dns/dns.h"
#include "common/mail/address.h"
#include "common/milter/results.h"

/* Version of this contract; the framework refuses a module built against another. */
#define AM_MODULE_ABI 1

/*
 * What a callback decides. When several modules decide, the most severe wins,
 * and among equals the first: REJECT > DISCARD > TEMPFAIL > QUARANTINE > ACCEPT >
 * CONTINUE. A module or rule in observe mode is logged and counted, and CONTINUE is used.
 */
enum am_verdict {
    AM_CONTINUE,   /* go on */
    AM_DONE,       /* go on, but call this module no more for this message */
    AM_SKIP_BODY,  /* in body only: this module needs no further chunk */
    AM_ACCEPT,     /* accept without asking any module again (whole connection at connect/helo);
                      forged fields are removed and results written all the same */
    AM_QUARANTINE, /* hold the message (am_ctx_set_quarantine); at eom only, earlier it is kept
                      until eom */
    AM_TEMPFAIL,   /* 4xx; at envrcpt for this recipient only */
    AM_DISCARD,    /* accept and throw away; at connect/helo: each message */
    AM_REJECT,     /* 5xx; at envrcpt for this recipient only */
    AM_FAIL,       /* the module could not do its work */
};

/* The stages, as bits of a set. */
enum am_stage {
    AM_STAGE_CONNECT = 1 << 0,
    AM_STAGE_HELO = 1 << 1,
    AM_STAGE_ENVFROM = 1 << 2,
    AM_STAGE_ENVRCPT = 1 << 3,
    AM_STAGE_DATA = 1 << 4,
    AM_STAGE_HEADER = 1 << 5,
    AM_STAGE_EOH = 1 << 6,
    AM_STAGE_BODY = 1 << 7,
    AM_STAGE_EOM = 1 << 8,
    AM_STAGE_UNKNOWN = 1 << 9,
};

/* What a module may do to a message; asked of the MTA, and enforced. */
enum am_action {
    AM_ACTION_ADD_HEADER = 1 << 0,    /* add or insert */
    AM_ACTION_CHANGE_HEADER = 1 << 1, /* change or delete */
    AM_ACTION_CHANGE_BODY = 1 << 2,
    AM_ACTION_ADD_RCPT = 1 << 3,
    AM_ACTION_ADD_RCPT_PARAMS = 1 << 4,
    AM_ACTION_DELETE_RCPT = 1 << 5,
    AM_ACTION_CHANGE_FROM = 1 << 6,
    AM_ACTION_QUARANTINE = 1 << 7,
};

/* What a module needs beyond what its callbacks imply. */
enum am_need {
    AM_NEEDS_RAW_HEADERS = 1 << 0,   /* the blank after the colon kept (SMFIP_HDR_LEADSPC) */
    AM_NEEDS_REJECTED_RCPT = 1 << 1, /* recipients the MTA already refused */
};

/* A macro a module reads, and the stage at which the MTA shall send it. */
struct am_macro_need {
    enum am_stage stage; /* CONNECT, HELO, ENVFROM, ENVRCPT, DATA, EOH or EOM */
    const char *name;    /* as in the protocol: "i", "{auth_authen}" */
};

struct am_ctx;     /* what a callback may see and do; valid during the callback only */
struct am_eom_ctx; /* the same at end of message, with edits: elsewhere they do not compile */

/* One ESMTP parameter of MAIL or RCPT, as it came: "SIZE=1000", "SMTPUTF8". */
struct am_esmtp_params {
    const char *const *items;
    size_t count;
};

/*
 * What a socket is for (milter.role, or that of a section `listener`). It says what comes in; who
 * may sign, and for which domains, is decided as ever.
 */
enum am_role {
    AM_ROLE_AUTO,       /* anybody's mail: each message is judged by who hands it in */
    AM_ROLE_INBOUND,    /* mail of others: it is checked, and never treated as this site's own */
    AM_ROLE_SUBMISSION, /* mail of this site's users: nothing is verified that they prove elsewhere
                         */
};

/*
 * Finds an ESMTP parameter by its keyword, letter case ignored.
 * Returns: its value, "" when it stands alone ("SMTPUTF8"), or NULL when it is not there.
 */
const char *am_esmtp_params_find(const struct am_esmtp_params *params, const char *keyword);

/* Facts of the connection. Strings are "" when not known, never NULL. */
struct am_conn_info {
    uint64_t id;         /* unique in the process; for logs before a queue id exists */
    struct am_ip client; /* family 0: local submission or a family we do not know */
    const char *client_text;
    const char *client_name; /* the MTA's idea of the PTR name, "[192.0.2.1]" when it has none */
    const char *helo;
    const char *auth_user; /* {auth_authen}; "" when not authenticated */
    const char *daemon_name;
    const char *listener; /* title of the section `listener`; "" for milter.socket */
    enum am_role role;    /* of the socket */
    bool is_local;        /* not from SMTP, or from the loopback interface without XCLIENT */
    bool raw_headers;     /* header values come with what stands between colon and text */
    bool refused_rcpts;   /* recipients that the MTA refused are shown */
    uint16_t client_port; /* 0 when not known */
};

/* Facts of the message. */
struct am_msg_info {
    const char *queue_id; /* "" before DATA with Postfix */
    struct am_address sender;
    const char *sender_text; /* as it came, with brackets */
    struct am_esmtp_params sender_params;
    bool smtputf8;
    size_t recipient_count; /* accepted so far, when any module has envrcpt */
    size_t header_count;
    bool headers_cut; /* fields beyond milter.max_headers or max_header_bytes were not shown to
                         modules */
};

/*
 * A header field. `value` starts right after the colon; folds are LF + blank. A CR in front of an
 * LF belongs to the text, not to the fold.
 */
struct am_header {
    struct am_span name;
    struct am_span value;
    size_t index; /* 1 for the first field of this name (letter case ignored) */
};

/* What others do, as a module with the callback `witness` is told. */
enum am_deed_kind {
    AM_DEED_RESULT,  /* a module published `result` */
    AM_DEED_VERDICT, /* a module returned `verdict`, which is not CONTINUE; `text` goes with it */
    AM_DEED_ANSWER,  /* what the MTA is told: at the end of each message, and wherever it is not
                        CONTINUE; `module` decided, `text` is the reply or the reason */
    /* What is sent to the MTA, in that order, by the framework for all modules. */
    AM_DEED_ADD_HEADER,
    AM_DEED_INSERT_HEADER,
    AM_DEED_CHANGE_HEADER,
    AM_DEED_DELETE_HEADER,
    AM_DEED_ADD_RECIPIENT,
    AM_DEED_DELETE_RECIPIENT,
    AM_DEED_CHANGE_SENDER,
    AM_DEED_REPLACE_BODY, /* a piece of `size` octets */
    AM_DEED_QUARANTINE,   /* with `text` as the reason */
};

struct am_deed {
    enum am_deed_kind kind;
    const char *stage;        /* "connect", "mail", "eom", ...; NULL when it does not matter */
    const char *module;       /* NULL: the framework */
    enum am_verdict verdict;  /* of VERDICT and ANSWER */
    const char *verdict_word; /* "reject" */
    const char *text;         /* "550 5.7.23 text", lines joined by LF, or a reason; NULL = none */
    const struct am_result *result;
    unsigned index;    /* of a field */
    const char *name;  /* of a field; a recipient, a sender */
    const char *value; /* of a field; ESMTP parameters; NULL = none */
    size_t size;
};

struct am_counters;

/* What module configuration is opened with. */
struct am_conf_env {
    const struct am_config *config; /* the whole file, for repeated sections */
    struct am_resolver *resolver;   /* may be NULL with --check-config */
    const struct am_clock *clock;
    struct am_arena *arena;     /* lives as long as the configuration */
    struct am_watches *watches; /* see am_conf_env_watch(); may be NULL */
    /*
     * What conf_open made for the configuration that is in force, NULL at the start. It lives until
     * conf_open returns: what shall live on is counted, and both hold a reference.
     */
    const void *former;
    struct am_counters
        *counters;   /* of the process: for what goes on beside the mail; may be NULL */
    bool check_only; /* --check-config: nothing is begun, nothing written */
};

/*
 * Asks for a reload whenever the file at `path` is written or replaced. For conf_open of modules
 * that read files. The reload keeps the configuration file as it was read and opens the modules
 * anew.
 *
 * path: copied; with a slash at the end, all files of that directory count, and their coming and
 *   going. Returns: false when memory is short or AM_WATCHES_MAX paths are registered.
 */
bool am_conf_env_watch(const struct am_conf_env *env, const char *path);

/*
 * The same for files that others keep open, such as a database and its log: each write counts, but
 * not that the file is made, opened or closed, which reading a database does, too.
 */
bool am_conf_env_watch_writes(const struct am_conf_env *env, const char *path);

struct am_module {
    unsigned abi;                    /* AM_MODULE_ABI */
    const char *name;                /* section of the file, prefix in logs, name in `after` */
    const char *summary;             /* one line */
    const char *method;              /* A-R method for failures of the module; NULL = name; "": it
                                        has no method and publishes nothing; a program
                                        of such modules leaves A-R fields alone */
    const struct am_option *options; /* ends with a zero row; NULL = none */
    size_t conf_size;                /* struct the options are kept in */
    const struct am_section *const *extra_sections; /* repeated ones; ends with NULL; NULL = none */

    /*
     * Judges values against each other. Pure: no files, no network.
     * Returns false with a sentence that names the options.
     */
    bool (*conf_check)(const void *conf, const struct am_config *config,
                       struct am_problem *problem);

    /*
     * Makes derived objects (compiled lists, keys) and returns them in `*derived`; may read
     * files. Runs at start and on the reload thread only, never on a mail thread.
     * Returns false with a sentence; the former configuration stays in force then.
     */
    bool (*conf_open)(const void *conf, const struct am_conf_env *env, void **derived,
                      struct am_problem *problem);

    /* Releases what conf_open made; runs when the last connection of that configuration is gone. */
    void (*conf_close)(void *derived);

    size_t conn_size, msg_size; /* zeroed bytes of state per connection and per message */
    unsigned needs;             /* of enum am_need */
    unsigned actions;           /* of enum am_action */
    const char *const *after;   /* modules whose results must be there first; ends with NULL; absent
                                   ones are ignored */
    const struct am_macro_need *macros; /* ends with a null name; NULL = none */

    /*
     * At which stages may a callback return a verdict other than CONTINUE, DONE, SKIP_BODY or FAIL
     * with this configuration? The MTA waits for an answer only there (eom always).
     * NULL: at every stage that has a callback. A verdict at a stage not named is kept for eom.
     */
    unsigned (*answers)(const void *conf, const void *derived);

    /*
     * Which stages does the module want to be called at with this configuration? A subset of those
     * that have callbacks; NULL: all of them.
     */
    unsigned (*wants)(const void *conf, const void *derived);

    enum am_verdict (*connect)(struct am_ctx *ctx);
    enum am_verdict (*helo)(struct am_ctx *ctx);
    enum am_verdict (*envfrom)(struct am_ctx *ctx);
    /* `rejected`: the MTA refused it already (only with AM_NEEDS_REJECTED_RCPT). */
    enum am_verdict (*envrcpt)(struct am_ctx *ctx, const struct am_address *recipient,
                               const struct am_esmtp_params *params, bool rejected);
    enum am_verdict (*data)(struct am_ctx *ctx);
    enum am_verdict (*header)(struct am_ctx *ctx, const struct am_header *field);
    enum am_verdict (*eoh)(struct am_ctx *ctx);
    enum am_verdict (*body)(struct am_ctx *ctx, struct am_span chunk);
    enum am_verdict (*eom)(struct am_eom_ctx *ctx);
    /* A command the MTA did not know. REJECT and TEMPFAIL refuse it; nothing else can be decided.
     */
    enum am_verdict (*unknown)(struct am_ctx *ctx, const char *command);
    /* The message was given up (RSET, lost client); msg_end follows. */
    void (*abort)(struct am_ctx *ctx);
    /* Exactly once for every envfrom / every connect; release foreign handles; cannot fail. */
    void (*msg_end)(struct am_ctx *ctx);
    void (*conn_end)(struct am_ctx *ctx);

    /*
     * What becomes of a message that this module fails at, with this configuration: CONTINUE,
     * TEMPFAIL, REJECT or QUARANTINE, or FAIL for what milter.on_failure says; NULL: always that.
     */
    enum am_verdict (*failure)(const void *conf);
    /*
     * Of several modules in a program, this one runs only when milter.modules names it: the
     * option's default is without it.
     */
    bool on_request;
    /*
     * What all modules do, this one included, as it happens. For modules that only watch: it cannot
     * decide, and must not publish. Asked only while some stage is wanted.
     */
    void (*witness)(struct am_ctx *ctx, const struct am_deed *deed);
};

/* --- reading: every callback ------------------------------------------------------------- */

/* Returns the connection's facts. Lives as long as the connection. */
const struct am_conn_info *am_ctx_conn(const struct am_ctx *ctx);

/* Returns the message's facts, or NULL outside a message. Lives as long as the message. */
const struct am_msg_info *am_ctx_msg(const struct am_ctx *ctx);

/* Returns the module's configuration struct, the same for the whole connection. */
const void *am_ctx_conf(const struct am_ctx *ctx);

/* Returns what conf_open made. */
void *am_ctx_derived(const struct am_ctx *ctx);

/* Returns the module's per-connection state (conn_size bytes), or NULL when memory was short. */
void *am_ctx_conn_state(struct am_ctx *ctx);

/* Returns the module's per-message state (msg_size bytes); NULL outside a message. */
void *am_ctx_msg_state(struct am_ctx *ctx);

/* Returns the arena of the message, or of the connection outside one. */
struct am_arena *am_ctx_arena(struct am_ctx *ctx);

/* Returns the arena of the connection. */
struct am_arena *am_ctx_conn_arena(struct am_ctx *ctx);

/* Returns the value of an MTA macro ("i", "{auth_authen}"), or NULL. Lives during the callback. */
const char *am_ctx_macro(struct am_ctx *ctx, const char *name);

/*
 * Returns the actions (enum am_action) that this module declared and the MTA grants on this
 * connection: to decide otherwise in time when an edit is not to be had. 0 in shadow mode.
 */
unsigned am_ctx_actions(const struct am_ctx *ctx);

/* Returns the resolver for what is asked about this message. */
struct am_resolver *am_ctx_resolver(struct am_ctx *ctx);

/* Returns the resolver for what is asked about the connection: for whose outcome is kept in its
 * state and serves later messages, too. A case that is kept of those holds the answers. */
struct am_resolver *am_ctx_conn_resolver(struct am_ctx *ctx);

/* Returns the clock. */
const struct am_clock *am_ctx_clock(const struct am_ctx *ctx);

/* Returns the absolute time by which this callback shall be done, in monotonic microseconds. */
int64_t am_ctx_deadline_us(const struct am_ctx *ctx);

/*
 * Tells the framework that the callback is about to wait for something other than the resolver (a
 * database, a pipe), so that other connections are served meanwhile. The resolver tells it by
 * itself. Never blocks.
 */
void am_ctx_before_wait(struct am_ctx *ctx);

/* Returns the authserv-id in use. */
const char *am_ctx_authserv_id(const struct am_ctx *ctx);

/*
 * Tells whether the program runs behind another milter and its work is only compared with the
 * other's (milter.shadow): what the other has added to the message is no reason to do less.
 */
bool am_ctx_is_shadow(const struct am_ctx *ctx);

/*
 * Tells whether verdicts and edits of this module are only observed: for what tells others what was
 * done to a message.
 */
bool am_ctx_is_observed(const struct am_ctx *ctx);

/* Tells whether a module that was called before said am_ctx_set_outgoing(). */
bool am_ctx_is_outgoing(const struct am_ctx *ctx);

/* Returns what modules published so far for this message (connection results included). */
const struct am_results *am_ctx_results(const struct am_ctx *ctx);

/* --- acting: every callback --------------------------------------------------------------- */

/* Publishes a result for the message, or for every message of the connection outside one. Copies
 * it. */
void am_ctx_publish(struct am_ctx *ctx, const struct am_result *result);

/*
 * Sets the reply of a REJECT or TEMPFAIL that this callback returns.
 *
 * code: 400..599; the framework corrects nothing: class and verdict must agree.
 * xcode: enhanced status code "5.7.23" of the same class, or NULL.
 * text: one or more lines joined by LF; `%` is doubled, control and 8-bit bytes are replaced by
 * '?', long lines are split. Returns: false when code, xcode and class do not agree or memory is
 * short; a default reply is used then.
 */
bool am_ctx_set_reply(struct am_ctx *ctx, int code, const char *xcode, const char *text);

/* Sets the reason of a QUARANTINE, the first one of a message counts; no effect outside a message.
 */
void am_ctx_set_quarantine(struct am_ctx *ctx, const char *reason);

/*
 * Says that the message is this site's own on its way out: no Authentication-Results field is
 * written that holds nothing but "none", or that a check could not do its work. No effect outside a
 * message.
 */
void am_ctx_set_outgoing(struct am_ctx *ctx);

/*
 * Adds a value to the message's decision line, under "<module>_<key>". Copies it. No effect outside
 * a message: what is found at connect or HELO belongs into results or the connection's state.
 */
void am_ctx_note(struct am_ctx *ctx, const char *key, const char *format, ...) AM_PRINTF(3, 4);

/* Logs one sentence with queue id (or connection id) and module name in front. */
void am_ctx_log(struct am_ctx *ctx, enum am_log_level level, const char *format, ...)
    AM_PRINTF(3, 4);

/*
 * Takes a verdict that a rule in observe mode would have given: logged and
 * counted as such, and nothing happens.
 */
void am_ctx_observe(struct am_ctx *ctx, enum am_verdict verdict, const char *why);

/* Adds to a counter of the module, exported as authmilter_<module>_<name>_total{label}. */
void am_ctx_count(struct am_ctx *ctx, const char *name, const char *label, uint64_t amount);

/* --- editing at the end of the header ------------------------------------------------------ */

/*
 * Changes, adds or deletes a field at AM_STAGE_EOH, for modules whose change others must know of:
 * those that are called after this one, then and later, are told by am_ctx_field_changes(), so that
 * what is signed is what goes out. Otherwise as am_eom_change_header() and its neighbours.
 *
 * index: 1 for the first field of that name, as it came in; 0: a new one below all others.
 * value: NULL deletes the field.
 * Returns: false also at other stages.
 */
bool am_ctx_change_field(struct am_ctx *ctx, unsigned index, const char *name, const char *value);

/* A field that a module has changed (`index` as above). */
struct am_field_change {
    unsigned index;
    const char *name;
    const char *value; /* what will stand behind the colon and a blank; NULL: the field goes */
};

/*
 * Steps through the changes made so far, in their order; of two of one field the later one counts.
 * at: NULL at first. Returns: false at the end. Ownership: of the message.
 */
bool am_ctx_field_changes(const struct am_ctx *ctx, const void **at,
                          struct am_field_change *change);

/* --- editing: end of message only ---------------------------------------------------------- */

/* Returns the context the reading functions take. */
struct am_ctx *am_eom_ctx_base(struct am_eom_ctx *ctx);

/*
 * The edits are queued and applied once, after every module has run, when the
 * message is not refused. Text is checked: CR, NUL and bare LF in a value are refused; folds
 * are LF + blank. All copy what they are given.
 * Each returns false when the module did not declare the action, the MTA does not offer it, the
 * text is not acceptable, or memory is short; the reason is logged. In observe mode only fields
 * are added: every other edit is logged, counted and held back, which is no failure. Changed and
 * deleted fields are sent first, highest number first, then the rest in the order it was queued; of
 * two edits of one field the later one counts.
 */
bool am_eom_add_header(struct am_eom_ctx *ctx, const char *name, const char *value);
/*
 * index: 0 puts it above all fields, the MTA's own Received included. Here and below `value` is
 * what stands after the colon and one blank; the blank is written by the framework.
 */
bool am_eom_insert_header(struct am_eom_ctx *ctx, unsigned index, const char *name,
                          const char *value);
/* index: 1 for the first field of that name, as it came in: the framework keeps the numbers right.
 */
bool am_eom_change_header(struct am_eom_ctx *ctx, unsigned index, const char *name,
                          const char *value);
/* index: as above. */
bool am_eom_delete_header(struct am_eom_ctx *ctx, unsigned index, const char *name);
/* params: ESMTP parameters as one string, or NULL. */
bool am_eom_add_recipient(struct am_eom_ctx *ctx, const char *recipient, const char *params);
/* recipient: as the client gave it, with its brackets; one that is not there changes nothing. */
bool am_eom_delete_recipient(struct am_eom_ctx *ctx, const char *recipient);
/* sender: with its brackets; params as above. */
bool am_eom_change_sender(struct am_eom_ctx *ctx, const char *sender, const char *params);
/* Appends to the new body; the first call makes the old one go. CRLF line ends. */
bool am_eom_replace_body(struct am_eom_ctx *ctx, struct am_span chunk);
/* Tells the MTA that work goes on; the framework does so by itself while it waits for modules. */
bool am_eom_progress(struct am_eom_ctx *ctx);

#endif
